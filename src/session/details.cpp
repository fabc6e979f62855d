#include "doorward/session/details.hpp"

#include "doorward/session/foreign_reader.hpp"
#include "doorward/session/key.hpp"
#include "doorward/session/lifetime.hpp"

namespace doorward::session {
namespace {

/// Reads the reply twice: as every request does, and with all fields.
struct details_sink final : redis::sink {
  details_sink(config::session_encoding e, record& r) noexcept : encoding(e), into(r) {}
  void on_reply(redis::reply const& r) noexcept override {
    if (!is_own(encoding)) return read_foreign(r);
    what = decode(r, into);
    if (what != outcome::found) return;
    for (std::size_t i = 0; i + 1 < r.items.size(); i += 2)
      fields.emplace_back(r.items[i], r.items[i + 1]);
  }
  void read_foreign(redis::reply const& r) {
    what = foreign_reader(encoding).read(r, into, wall_now());
    for (field_layout::slot s = 0; s < into.layout()->size(); ++s)
      if (into.has(s)) fields.emplace_back(into.layout()->name(s), into.get(s));
  }
  config::session_encoding encoding;
  record& into;
  outcome what = outcome::malformed;
  std::vector<std::pair<std::string, std::string>> fields;
};

struct left_sink final : redis::sink {
  void on_reply(redis::reply const& r) noexcept override {
    if (r.type == redis::reply::kind::integer && r.integer >= 0) left = milliseconds{r.integer};
  }
  std::optional<milliseconds> left;
};

}  // namespace

net::task<result<details>> read_details(redis::client& redis, config::session_config const& config, std::string key,
                                        std::span<std::string const> custom) {
  std::vector<std::string> wanted{std::string(address_name), std::string(device_name)};
  wanted.insert(wanted.end(), custom.begin(), custom.end());
  field_layout const layout(config.fields, wanted);
  record r{layout};
  details_sink read{config.encoding, r};
  std::string_view const asked[] = {command_for(config.encoding), key};
  if (auto const ec = co_await redis.command(asked, read)) co_return ec;
  details out;
  out.what = read.what;
  if (read.what != outcome::found) co_return out;

  left_sink ttl;
  std::string_view const pttl[] = {"PTTL", key};
  if (auto const ec = co_await redis.command(pttl, ttl)) co_return ec;
  if (past_absolute(r, config.lifetime, wall_now())) out.what = outcome::expired;
  out.user = r.user();
  out.absolute_until = absolute_end(r, config.lifetime);
  out.fields = std::move(read.fields);
  auto& s = out.summary;
  s.handle = handle_of(key);
  s.created = parse_time(r.get(field::created));
  s.last_seen = parse_time(r.get(field::last_seen));
  s.left = ttl.left;
  s.address = r.get(layout.find(address_name));
  s.device = r.get(layout.find(device_name));
  s.key = std::move(key);
  co_return out;
}

}  // namespace doorward::session
