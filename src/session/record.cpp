#include "doorward/session/record.hpp"

#include <charconv>

#include "doorward/redis/error_kind.hpp"

namespace doorward::session {

void record::reset(field_layout const& layout) {
  layout_ = &layout;
  arena_.clear();
  cells_.assign(layout.size(), cell{});
}

void record::clear() noexcept {
  arena_.clear();
  for (auto& c : cells_)
    c.present = false;
}

std::string_view record::get(field_layout::slot s) const noexcept {
  return has(s) ? std::string_view{arena_}.substr(cells_[s].offset, cells_[s].length) : std::string_view{};
}

bool record::set(field_layout::slot s, std::string_view value) {
  auto& c = cells_[s];
  if (c.present) return false;
  c = {static_cast<std::uint32_t>(arena_.size()), static_cast<std::uint32_t>(value.size()), true};
  arena_.append(value);
  return true;
}

namespace {

/// What a record without a user is.
outcome why_ended(std::string_view reason) noexcept {
  if (reason == "revoked") return outcome::revoked;
  if (reason == "displaced") return outcome::displaced;
  if (reason == "expired") return outcome::expired;
  return outcome::ghost;
}

/// The fields, or whatever keeps them from being a session; may leave some of them behind.
outcome fill(redis::reply const& reply, record& into) {
  if (reply.type == redis::reply::kind::error)
    return redis::error_code_of(reply.text) == "WRONGTYPE" ? outcome::wrong_type : outcome::malformed;
  if (reply.type != redis::reply::kind::array || reply.malformed || reply.items.size() % 2 != 0)
    return outcome::malformed;
  if (reply.items.empty()) return outcome::absent;  // Redis has no empty hashes

  for (std::size_t i = 0; i < reply.items.size(); i += 2) {
    auto const slot = into.layout()->find(reply.items[i]);
    if (slot != field_layout::none && !into.set(slot, reply.items[i + 1])) return outcome::malformed;
  }
  return judge(into);
}

}  // namespace

outcome judge(record const& r) noexcept {
  return r.user().empty() ? why_ended(r.get(field::ended)) : outcome::found;
}

outcome decode(redis::reply const& reply, record& into) {
  into.clear();
  auto const o = fill(reply, into);
  if (o != outcome::found) into.clear();
  return o;
}

std::optional<epoch_ms> parse_time(std::string_view text) noexcept {
  // from_chars takes a minus sign; a time before 1970 is none.
  epoch_ms value = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value < 100'000'000'000 ? value * 1000 : value;
}

}  // namespace doorward::session
