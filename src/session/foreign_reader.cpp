#include "doorward/session/foreign_reader.hpp"

#include "doorward/redis/error_kind.hpp"
#include "session/document_walk.hpp"
#include "session/json_record.hpp"
#include "session/php_record.hpp"
#include "session/spring_record.hpp"

namespace doorward::session {

using config::session_encoding;

std::string_view command_for(session_encoding e) noexcept {
  switch (e) {
    case session_encoding::hash:
    case session_encoding::spring: break;
    case session_encoding::json:
    case session_encoding::php: return "GET";
    case session_encoding::redisjson: return "JSON.GET";
  }
  return "HGETALL";
}

foreign_reader::foreign_reader(session_encoding e) : encoding_(e), walk_(std::make_unique<document_walk>()) {}
foreign_reader::~foreign_reader() = default;

outcome foreign_reader::read(redis::reply const& reply, record& into, epoch_ms now) {
  into.clear();
  looks_like_ = likeness::nothing;
  ends_.reset();
  auto const o = read_fields(reply, into, now);
  if (o != outcome::found) into.clear();
  return o;
}

outcome foreign_reader::read_fields(redis::reply const& reply, record& into, epoch_ms now) {
  using kind = redis::reply::kind;
  if (reply.type == kind::error) {
    bool const other_type = redis::error_code_of(reply.text) == "WRONGTYPE" || reply.text.ends_with("wrong Redis type");
    return other_type ? outcome::wrong_type : outcome::malformed;
  }
  if (encoding_ == session_encoding::spring) return read_spring(reply, into, now, looks_like_, ends_);
  if (reply.type == kind::nil) return outcome::absent;
  if (reply.type != kind::string) return outcome::malformed;

  walk_->begin(into);
  bool const read = encoding_ == session_encoding::php ? read_php(reply.text, *walk_) : read_json(reply.text, *walk_);
  if (read) return judge(into);
  looks_like_ = likeness_of(reply.text);
  return outcome::malformed;
}

}  // namespace doorward::session
