#include "doorward/session/key_names.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/base/random.hpp"

namespace doorward::session {
namespace {

// Sixteen bits: as many as spread evenly over a cluster's 16,384 slots, and no more, because a tag says something of
// the user's name to whoever holds the id.
constexpr std::size_t tag_length = 4;

bool is_lower_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

config::affixes with_tag(config::affixes a, std::string_view tag) {
  if (!tag.empty()) a.prefix.append("{").append(tag).append("}:");
  return a;
}

}  // namespace

key_names::key_names(config::session_config const& c)
    : tagged_(c.layout == config::key_layout::tagged), session_(c.key), index_(c.index) {}

std::string key_names::tag_of_user(std::string_view user) const {
  if (!tagged_) return {};
  auto const digest = sha256_prefix(user);
  return {digest.data(), tag_length};
}

std::string_view key_names::tag_of_id(std::string_view id) const noexcept {
  if (!tagged_ || id.size() <= tag_length || id[tag_length] != '.') return {};
  auto const tag = id.substr(0, tag_length);
  return std::ranges::all_of(tag, is_lower_hex) ? tag : std::string_view{};
}

bool key_names::fits(std::string_view id) const noexcept {
  return !tagged_ || !tag_of_id(id).empty();
}

std::string key_names::new_id(std::string_view user) const {
  return tagged_ ? tag_of_user(user) + '.' + new_session_id() : new_session_id();
}

void key_names::session(std::string& out, std::string_view id) const {
  out.assign(session_.prefix);
  if (auto const tag = tag_of_id(id); !tag.empty()) {
    out.append("{").append(tag).append("}");
    id.remove_prefix(tag_length);
  }
  out.append(id).append(session_.suffix);
}

std::string key_names::session(std::string_view id) const {
  std::string out;
  session(out, id);
  return out;
}

config::affixes key_names::index(std::string_view tag) const {
  return with_tag(index_, tag);
}

// Among the sessions, where no session can be, for ids have no colon.
config::affixes key_names::ended(std::string_view tag) const {
  return with_tag({session_.prefix + "ended:", session_.suffix}, tag);
}

std::string between(config::affixes const& a, std::string_view inner) {
  std::string out;
  out.reserve(a.prefix.size() + inner.size() + a.suffix.size());
  out.append(a.prefix).append(inner).append(a.suffix);
  return out;
}

}  // namespace doorward::session
