#include "doorward/admin/session_json.hpp"

#include <nlohmann/json.hpp>

namespace doorward::admin {
namespace {

using json = nlohmann::ordered_json;

void add(json& to, session::listed_session const& s) {
  to["handle"] = s.handle;
  if (s.created) to["created_at"] = *s.created;
  if (s.last_seen) to["last_seen"] = *s.last_seen;
  if (s.left) to["ends_in"] = s.left->count() / 1000;
  to["address"] = s.address;
  to["device"] = s.device;
}

std::string line(json const& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string sessions_json(std::string_view user, std::span<session::listed_session const> all) {
  auto list = json::array();
  for (auto const& s : all) {
    auto one = json::object();
    add(one, s);
    list.push_back(std::move(one));
  }
  return line({{"user", std::string(user)}, {"sessions", std::move(list)}});
}

std::string session_json(std::string_view user, session::listed_session const& one) {
  json out{{"user", std::string(user)}};
  add(out, one);
  return line(out);
}

std::string details_json(session::details const& d) {
  json out{{"user", d.user}};
  add(out, d.summary);
  if (d.absolute_until) out["absolute_until"] = *d.absolute_until;
  out["expired"] = d.what == session::outcome::expired;
  auto fields = json::object();
  for (auto const& [name, value] : d.fields)
    fields[name] = value;
  out["fields"] = std::move(fields);
  return line(out);
}

std::string ended_json(std::optional<std::string_view> user, std::uint64_t count) {
  auto out = json::object();
  if (user) out["user"] = std::string(*user);
  out["ended"] = count;
  return line(out);
}

}  // namespace doorward::admin
