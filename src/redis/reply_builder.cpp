#include "redis/reply_builder.hpp"

#include <algorithm>
#include <cstring>

namespace doorward::redis {

void reply_builder::begin(reply::kind kind) noexcept {
  used_ = count_ = places_ = elements_ = skipped_ = 0;
  reply_ = reply{};
  reply_.type = kind;
}

bool reply_builder::text(reply::kind kind, std::string_view text, bool root) {
  if (!root) {
    if (kind == reply::kind::string) return item(text);
    reply_.malformed = true;
    return true;
  }
  begin(kind);
  if (!make_room(text.size())) return skip(text.size());
  if (!text.empty()) std::memcpy(arena_.get(), text.data(), text.size());
  used_ = text.size();
  reply_.text = {arena_.get(), text.size()};
  return true;
}

bool reply_builder::integer(long long value, bool root) {
  if (root) {
    begin(reply::kind::integer);
    reply_.integer = value;
  } else {
    reply_.malformed = true;
  }
  return true;
}

bool reply_builder::nil(bool root) {
  if (root)
    begin(reply::kind::nil);
  else
    reply_.malformed = true;
  return true;
}

bool reply_builder::array(std::size_t elements, bool root) {
  if (root)
    begin(reply::kind::array);
  else
    reply_.malformed = true;
  // Nested arrays count too: their depth and width together stay below the cap.
  if (elements > most_skipped_elements - elements_) return false;
  elements_ += elements;
  if (elements_ > most_elements) return skip(0);
  if (root && elements != 0) {
    if (!items_) items_.reset(new std::string_view[most_elements]);
    places_ = elements;
  }
  return true;
}

reply const& reply_builder::finish() noexcept {
  if (reply_.oversized) {
    reply_.text = {};
    reply_.items = {};
  } else if (!reply_.malformed) {
    reply_.items = {items_.get(), count_};
  }
  return reply_;
}

bool reply_builder::rare_item(std::string_view text) {
  // More strings than the outer array has places belong to a nested one.
  if (count_ == places_) return (reply_.malformed || reply_.oversized) && skip(text.size());
  return make_room(text.size()) ? item(text) : skip(text.size());
}

bool reply_builder::skip(std::size_t bytes) noexcept {
  // Text of a nested array is not kept either, and is no reason to call the reply too large before it is.
  if (bytes > most_skipped_bytes - skipped_) return false;
  skipped_ += bytes;
  if (!reply_.malformed || skipped_ > most_bytes) {
    reply_.oversized = true;
    places_ = count_ = 0;
  }
  return true;
}

bool reply_builder::make_room(std::size_t bytes) {
  if (bytes > most_bytes - used_) return false;
  if (bytes <= capacity_ - used_) return true;
  auto const capacity = std::min(std::max({used_ + bytes, 2 * capacity_, std::size_t{4096}}), most_bytes);
  std::unique_ptr<char[]> larger{new char[capacity]};
  if (used_ != 0) std::memcpy(larger.get(), arena_.get(), used_);
  for (std::size_t i = 0; i < count_; ++i)
    items_[i] = {larger.get() + (items_[i].data() - arena_.get()), items_[i].size()};
  arena_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

}  // namespace doorward::redis
