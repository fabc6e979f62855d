#include "session/json_record.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "session/decimal.hpp"

namespace doorward::session {
namespace {

using nlohmann::json;

/// What nlohmann's parser comes by, as the walk wants to hear it.
class document_events {
public:
  explicit document_events(document_walk& walk) noexcept : walk_(walk) {}

  bool null() { return next() && walk_.null(); }
  bool boolean(bool v) { return next() && walk_.boolean(v); }
  bool number_integer(json::number_integer_t v) { return number(v); }
  bool number_unsigned(json::number_unsigned_t v) { return number(v); }
  // What no integer of 64 bits holds comes here too, with its own digits.
  bool number_float(json::number_float_t, json::string_t const& written) { return next() && walk_.number(written); }
  bool string(json::string_t& v) { return next() && walk_.text(v); }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return next() && push(false) && walk_.enter(document_walk::kind::members); }
  bool key(json::string_t& name) { return walk_.member(name); }
  bool end_object() { return pop(); }
  bool start_array(std::size_t) { return next() && push(true) && walk_.enter(document_walk::kind::elements); }
  bool end_array() { return pop(); }
  bool parse_error(std::size_t, std::string const&, json::exception const&) { return false; }

private:
  bool number(auto v) {
    std::array<char, 32> digits;
    return next() && walk_.number(in_decimal(digits, v));
  }
  // A value of a list has to say so. The document itself is an object.
  bool next() { return depth_ == 0 || !lists_[depth_ - 1] || walk_.element(); }
  bool push(bool is_list) {
    if (depth_ == lists_.size() || (depth_ == 0 && is_list)) return false;
    lists_[depth_++] = is_list;
    return true;
  }
  bool pop() {
    --depth_;
    return walk_.leave();
  }

  document_walk& walk_;
  std::array<bool, document_walk::deepest> lists_{};
  std::size_t depth_ = 0;
};

constexpr std::array<std::string_view, 5> value_classes{"java.lang.String", "java.lang.Long", "java.lang.Integer",
                                                        "java.lang.Short", "java.lang.Boolean"};

/// A value, or a list of a class's name and a value.
class value_events {
public:
  explicit value_events(std::string& out) noexcept : out_(out) { out_.clear(); }

  bool null() {
    is_null_ = true;
    return step_ == 0 && take({});
  }
  bool boolean(bool v) { return take(v ? "true" : "false"); }
  bool number_integer(json::number_integer_t v) { return number(v); }
  bool number_unsigned(json::number_unsigned_t v) { return number(v); }
  bool number_float(json::number_float_t, json::string_t const& written) { return take(written); }
  bool string(json::string_t& v) {
    if (!is_list_ || step_ > 0) return take(v);
    ++step_;
    return std::ranges::find(value_classes, v) != value_classes.end();
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return false; }
  bool key(json::string_t&) { return false; }
  bool end_object() { return false; }
  bool start_array(std::size_t) {
    bool const first = !is_list_ && step_ == 0;
    is_list_ = true;
    return first;
  }
  bool end_array() const { return step_ == 2; }
  bool parse_error(std::size_t, std::string const&, json::exception const&) { return false; }

  [[nodiscard]] bool is_null() const noexcept { return is_null_; }

private:
  bool number(auto v) {
    std::array<char, 32> digits;
    return take(in_decimal(digits, v));
  }
  bool take(std::string_view text) {
    if (step_ != (is_list_ ? 1 : 0)) return false;
    step_ = 2;
    out_ = text;
    return true;
  }

  std::string& out_;
  int step_ = 0;  // 1: the class has been named, 2: the value is there
  bool is_list_ = false;
  bool is_null_ = false;
};

// nlohmann takes a NUL for the end of all, and would leave what follows unread.
bool has_nul(std::string_view text) noexcept {
  return text.find('\0') != text.npos;
}

}  // namespace

bool read_json(std::string_view text, document_walk& walk) {
  if (has_nul(text)) return false;
  document_events events(walk);
  return json::sax_parse(text.begin(), text.end(), &events) && walk.complete();
}

json_value read_json_value(std::string_view text, std::string& out) {
  value_events events(out);
  if (has_nul(text) || !json::sax_parse(text.begin(), text.end(), &events)) return json_value::wrong;
  return events.is_null() ? json_value::none : json_value::some;
}

}  // namespace doorward::session
