#include "doorward/http/cookies.hpp"

#include <algorithm>
#include <array>

#include "doorward/base/encoding.hpp"

namespace doorward::http {
namespace {

constexpr std::string_view blanks = " \t";

// Takes what stands before the next ';' off the front of `field`, blanks and all. False at the end.
class pieces {
public:
  explicit pieces(std::string_view field) noexcept : rest_(field) {}

  bool next(std::string_view& piece) noexcept {
    if (done_) return false;
    auto const end = std::min(rest_.find(';'), rest_.size());
    piece = rest_.substr(0, end);
    done_ = end == rest_.size();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return true;
  }

private:
  std::string_view rest_;
  bool done_ = false;
};

// True when `piece` is "name=...", blanks around the name being no part of it.
bool is_called(std::string_view piece, std::string_view name) noexcept {
  auto const equals = piece.find('=');
  return equals != std::string_view::npos && trim(piece.substr(0, equals)) == name;
}

constexpr auto id_bytes = [] {
  std::array<bool, 256> table{};
  for (auto const c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_like_id(std::string_view value, std::size_t longest) noexcept {
  if (value.size() < 16 || value.size() > longest) return false;
  return std::ranges::all_of(value, [](char c) { return id_bytes[static_cast<unsigned char>(c)]; });
}

bool is_among(std::string_view text, std::array<std::string_view, session_cookies::most> const& all,
              std::size_t count) noexcept {
  auto const end = all.begin() + static_cast<std::ptrdiff_t>(count);
  return std::find(all.begin(), end, text) != end;
}

// False for one that has been looked at, and for one too many.
bool is_new(std::string_view value, session_cookies& into) noexcept {
  if (is_among(value, into.looked_at, into.looked_at_count)) return false;
  if (into.looked_at_count == session_cookies::most) {
    into.too_many = true;
    return false;
  }
  into.looked_at[into.looked_at_count++] = value;
  return true;
}

void look_at(std::string_view value, signed_ids const& ids, session_cookies& into) noexcept {
  if (auto const trouble = ids.find_trouble(value)) {
    into.trouble = std::max(into.trouble, trouble);
    return;
  }
  if (!is_new(value, into)) return;
  auto const id = ids.id_in(value);
  if (id.empty())
    into.trouble = signature_trouble::wrong;
  else if (!is_among(id, into.ids, into.count))  // else two keys have signed it
    into.ids[into.count++] = id;
}

// Calls `look` with each value of a cookie called `name`. True when there was one.
bool for_each_value(std::string_view field, std::string_view name, session_cookies& into, auto const& look) {
  bool here = false;
  pieces all(field);
  for (std::string_view piece; all.next(piece);) {
    if (!is_called(piece, name)) continue;
    here = true;
    auto value = trim(piece.substr(piece.find('=') + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!into.present) into.first = value;
    into.present = true;
    into.several = into.several || value != into.first;
    look(value);
  }
  return here;
}

}  // namespace

bool is_session_id(std::string_view value) noexcept {
  return is_like_id(value, longest_session_id);
}

bool find_session_cookies(std::string_view field, std::string_view name, signed_ids const& ids,
                          session_cookies& into) noexcept {
  return for_each_value(field, name, into, [&](std::string_view value) { look_at(value, ids, into); });
}

bool find_encoded_cookies(std::string_view field, std::string_view name, encoded_ids const& ids,
                          std::array<std::string, session_cookies::most>& storage, session_cookies& into) {
  return for_each_value(field, name, into, [&](std::string_view value) {
    if (auto const trouble = ids.find_trouble(value)) {
      into.trouble = std::max(into.trouble, trouble);
      return;
    }
    if (!is_new(value, into)) return;
    auto& id = storage[into.count];
    if (!ids.id_in(value, id))
      into.trouble = signature_trouble::wrong;
    else if (!is_among(id, into.ids, into.count))  // else one id is spelt in two ways
      into.ids[into.count++] = id;
  });
}

bool find_enclosing_cookies(std::string_view field, std::string_view name, std::size_t longest, session_cookies& into) {
  return for_each_value(field, name, into, [&](std::string_view value) {
    if (!is_like_id(value, longest))
      into.trouble = std::max(into.trouble, std::optional(signature_trouble::malformed));
    else if (is_new(value, into))
      into.ids[into.count++] = value;
  });
}

bool append_without_cookie(std::string& out, std::string_view field, std::string_view name) {
  bool any = false;
  pieces all(field);
  for (std::string_view piece; all.next(piece);) {
    if (is_called(piece, name)) continue;
    if (!any) {
      // The blank after a ';' belongs to the cookie that went.
      piece.remove_prefix(std::min(piece.find_first_not_of(blanks), piece.size()));
      if (piece.empty()) continue;
    } else {
      out += ';';
    }
    out += piece;
    any = true;
  }
  return any;
}

bool sets_cookie(std::string_view set_cookie, std::string_view name) noexcept {
  auto const pair = set_cookie.substr(0, set_cookie.find(';'));
  if (is_called(pair, name)) return true;
  // A browser that takes cookies without a name sends "=sid=1" back as "sid=1", which is ours (RFC 6265bis, 5.7).
  auto const anonymous = trim(pair);
  return anonymous.starts_with('=') && is_called(anonymous.substr(1), name);
}

bool ends_cookie(std::string_view set_cookie) noexcept {
  auto const value_of = [](std::string_view piece) {
    auto const equals = piece.find('=');
    return equals == piece.npos ? std::string_view{} : trim(piece.substr(equals + 1));
  };
  pieces all(set_cookie);
  std::string_view piece;
  (void)all.next(piece);
  auto const value = value_of(piece);
  if (value.empty() || value == "\"\"") return true;
  while (all.next(piece)) {
    auto const name = trim(piece.substr(0, piece.find('=')));
    auto const what = value_of(piece);
    if (iequals(name, "max-age") && (what.starts_with('-') || what.find_first_not_of('0') == what.npos)) return true;
    if (iequals(name, "expires") && what.find("1970") != what.npos) return true;
  }
  return false;
}

}  // namespace doorward::http
