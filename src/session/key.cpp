#include "doorward/session/key.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"
#include "doorward/base/random.hpp"

namespace doorward::session {
namespace {

// Sixteen bits: as many as spread evenly over a cluster's 16,384 slots, and no more, because a tag says something of
// the user's name to whoever holds the id.
constexpr std::size_t tag_length = 4;

bool is_tagged(config::session_config const& c) noexcept {
  return c.layout == config::key_layout::tagged;
}

bool is_lower_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

config::affixes with_tag(config::affixes a, std::string_view tag) {
  if (!tag.empty()) a.prefix.append("{").append(tag).append("}:");
  return a;
}

}  // namespace

void assign_key(std::string& key, config::session_config const& c, std::string_view id) {
  key.assign(c.key.prefix);
  auto const tag = tag_of_id(c, id);
  if (!tag.empty()) key.append("{").append(tag).append("}.");
  if (c.store_hashed)
    append_hex(key, sha256(id));
  else
    key.append(tag.empty() ? id : id.substr(tag_length + 1));
  key.append(c.key.suffix);
}

std::string key_of(config::session_config const& c, std::string_view id) {
  std::string key;
  assign_key(key, c, id);
  return key;
}

bool fits_layout(config::session_config const& c, std::string_view id) noexcept {
  return !is_tagged(c) || !tag_of_id(c, id).empty();
}

std::string new_id(config::session_config const& c, std::string_view user) {
  return is_tagged(c) ? tag_of_user(c, user) + '.' + new_session_id() : new_session_id();
}

std::string tag_of_user(config::session_config const& c, std::string_view user) {
  if (!is_tagged(c)) return {};
  auto const digest = sha256_prefix(user);
  return {digest.data(), tag_length};
}

std::string_view tag_of_id(config::session_config const& c, std::string_view id) noexcept {
  if (!is_tagged(c) || id.size() <= tag_length || id[tag_length] != '.') return {};
  auto const tag = id.substr(0, tag_length);
  return std::ranges::all_of(tag, is_lower_hex) ? tag : std::string_view{};
}

config::affixes index_affixes(config::session_config const& c, std::string_view tag) {
  return with_tag(c.index, tag);
}

// Among the sessions, where no session can be, for ids have no colon.
config::affixes ended_affixes(config::session_config const& c, std::string_view tag) {
  return with_tag({c.key.prefix + "ended:", c.key.suffix}, tag);
}

std::string between(config::affixes const& a, std::string_view inner) {
  std::string out;
  out.reserve(a.prefix.size() + inner.size() + a.suffix.size());
  out.append(a.prefix).append(inner).append(a.suffix);
  return out;
}

}  // namespace doorward::session
