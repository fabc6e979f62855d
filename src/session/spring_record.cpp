#include "session/spring_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "doorward/base/utf8.hpp"
#include "session/java_value.hpp"
#include "session/json_record.hpp"

namespace doorward::session {
namespace {

constexpr std::string_view attribute = "sessionAttr:";
constexpr std::string_view created = "creationTime";
constexpr std::string_view last_accessed = "lastAccessedTime";
constexpr std::string_view interval = "maxInactiveInterval";
constexpr std::array<std::string_view, 3> times{created, last_accessed, interval};

bool is_time(std::string_view name) noexcept {
  return std::ranges::find(times, name) != times.end();
}

// The name by which the configuration knows a field of the hash; empty where it has none.
std::string_view name_of(std::string_view field) noexcept {
  if (is_time(field)) return field;
  if (!field.starts_with(attribute)) return {};
  auto const name = field.substr(attribute.size());
  return is_time(name) ? std::string_view{} : name;
}

json_value read_value(std::string_view bytes, std::string& out) {
  out.clear();
  // What Spring makes of null: an attribute that was removed stays in the hash, with nothing in it.
  if (bytes.empty()) return json_value::none;
  if (!is_java_value(bytes)) return read_json_value(bytes, out);
  auto text = read_java_value(bytes);
  if (!text) return json_value::wrong;
  out = *std::move(text);
  return json_value::some;
}

// What `value` came from is a text, and no number or boolean.
bool is_text(std::string_view bytes, std::string_view value) {
  return is_java_value(bytes) ? is_java_text(bytes) : bytes.find('"' + std::string(value) + '"') != bytes.npos;
}

std::optional<std::int64_t> number(std::string_view text) noexcept {
  std::int64_t n = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// What Spring goes by: milliseconds since the epoch, and seconds.
struct clock_of_session {
  std::optional<std::int64_t> created;
  std::optional<std::int64_t> last_accessed;
  std::optional<std::int64_t> interval;

  // Spring writes all three when it makes a session. A hash without one of them was left by a request that saved what
  // had been ended meanwhile, and is no session for Spring either.
  [[nodiscard]] bool is_known() const noexcept {
    constexpr std::int64_t farthest = 1'000'000'000'000'000;  // sums and products stay within 64 bits
    return created && last_accessed && interval && *last_accessed >= 0 && *last_accessed <= farthest &&
           *interval <= farthest;
  }
  [[nodiscard]] std::optional<epoch_ms> end() const noexcept {
    if (*interval < 0) return std::nullopt;  // never
    return *last_accessed + *interval * 1000;
  }
  [[nodiscard]] bool is_over(epoch_ms now) const noexcept {
    // A session that was ended stays with an interval of 0, by a clock that may be ahead of ours.
    return *interval == 0 || end().value_or(now + 1) <= now;
  }
};

}  // namespace

outcome read_spring(redis::reply const& reply, record& into, epoch_ms now, likeness& looks,
                    std::optional<epoch_ms>& ends) {
  if (reply.type != redis::reply::kind::array || reply.malformed || reply.items.size() % 2 != 0)
    return outcome::malformed;
  if (reply.items.empty()) return outcome::absent;

  auto const& layout = *into.layout();
  clock_of_session clock;
  std::string value;
  for (std::size_t i = 0; i < reply.items.size(); i += 2) {
    auto const name = name_of(reply.items[i]);
    if (name.empty()) continue;
    auto const slot = layout.find(name);
    if (slot == layout.at(field::idle) || (slot == field_layout::none && !is_time(name))) continue;
    auto const bytes = reply.items[i + 1];
    auto const what = read_value(bytes, value);
    if (what == json_value::wrong || !is_utf8(value)) {
      looks = likeness_of(bytes);
      return outcome::malformed;
    }
    if (what == json_value::none) continue;
    // As in documents (document_walk): `false` and 0 are nobody, and `true` says of nobody who it is.
    if (slot == layout.at(field::user) && (value == "false" || value == "0" || value == "true") &&
        !is_text(bytes, value)) {
      if (value != "true") continue;
      looks = likeness_of(bytes);
      return outcome::malformed;
    }
    if (name == created) clock.created = number(value);
    if (name == last_accessed) clock.last_accessed = number(value);
    if (name == interval) clock.interval = number(value);
    if (slot != field_layout::none && !into.set(slot, value)) return outcome::malformed;
  }
  if (!clock.is_known()) {
    looks = likeness::no_times;
    return outcome::malformed;
  }
  ends = clock.end();
  if (clock.is_over(now)) return outcome::absent;
  // For whoever asks why it ended: Spring's interval is the idle time.
  (void)into.set(layout.at(field::idle), std::to_string(*clock.interval));
  return judge(into);
}

}  // namespace doorward::session
