#include "redis/reply_builder.hpp"

#include <algorithm>
#include <cstring>

namespace doorward::redis {

void reply_builder::begin(reply::kind kind) noexcept {
  used_ = 0;
  elements_ = 0;
  items_.clear();
  reply_ = reply{};
  reply_.type = kind;
}

bool reply_builder::text(reply::kind kind, std::string_view text, bool root) {
  if (root) {
    begin(kind);
    return store(text, reply_.text);
  }
  if (kind != reply::kind::string) reply_.malformed = true;
  if (reply_.malformed) return true;
  std::string_view kept;
  if (!store(text, kept)) return false;
  items_.push_back(kept);
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
  if (elements > most_elements - elements_) return false;
  elements_ += elements;
  items_.reserve(elements_);
  return true;
}

reply const& reply_builder::finish() noexcept {
  if (!reply_.malformed) reply_.items = items_;
  return reply_;
}

bool reply_builder::store(std::string_view text, std::string_view& kept) {
  if (text.size() > most_bytes - used_) return false;
  if (text.size() > capacity_ - used_) grow(used_ + text.size());
  char* const at = arena_.get() + used_;
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  used_ += text.size();
  kept = {at, text.size()};
  return true;
}

void reply_builder::grow(std::size_t needed) {
  auto const capacity = std::min(std::max({needed, 2 * capacity_, std::size_t{4096}}), most_bytes);
  std::unique_ptr<char[]> larger{new char[capacity]};
  if (used_ != 0) std::memcpy(larger.get(), arena_.get(), used_);
  for (auto& item : items_)
    item = {larger.get() + (item.data() - arena_.get()), item.size()};
  arena_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace doorward::redis
