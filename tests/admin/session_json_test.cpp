#include "doorward/admin/session_json.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace doorward;
using namespace doorward::admin;

namespace {

session::listed_session full() {
  session::listed_session s;
  s.key = "session:secret-id";
  s.handle = "handle";
  s.created = 1'700'000'000'000;
  s.last_seen = 1'700'000'001'000;
  s.left = milliseconds{90'500};
  s.address = "192.0.2.1";
  s.device = "Firefox on \xff";
  return s;
}

}  // namespace

TEST_CASE("sessions as JSON, without what is not known, and without keys") {
  session::listed_session other;
  other.key = "session:other";
  other.handle = "other";
  std::vector<session::listed_session> const all{full(), other};
  auto const json = sessions_json("a\"b", all);
  CHECK(json ==
        "{\"user\":\"a\\\"b\",\"sessions\":[{\"handle\":\"handle\",\"created_at\":1700000000000,\"last_seen\":"
        "1700000001000,\"ends_in\":90,\"address\":\"192.0.2.1\",\"device\":\"Firefox on \xef\xbf\xbd\"},{\"handle\":"
        "\"other\",\"address\":\"\",\"device\":\"\"}]}\n");
  CHECK(sessions_json("42", {}) == "{\"user\":\"42\",\"sessions\":[]}\n");
}

TEST_CASE("one session as JSON") {
  auto const json = nlohmann::json::parse(session_json("42", full()));
  CHECK(json.at("user") == "42");
  CHECK(json.at("handle") == "handle");
  CHECK(json.at("ends_in") == 90);
  CHECK_FALSE(json.contains("key"));
}

TEST_CASE("all of one session as JSON") {
  session::details d;
  d.what = session::outcome::expired;
  d.user = "42";
  d.summary = full();
  d.absolute_until = 1'700'000'002'000;
  d.fields = {{"userId", "42"}, {"plan", "pro"}};
  auto const text = details_json(d);
  CHECK(text.find("secret-id") == std::string::npos);
  auto const json = nlohmann::json::parse(text);
  CHECK(json.at("expired") == true);
  CHECK(json.at("absolute_until") == 1'700'000'002'000);
  CHECK(json.at("fields") == nlohmann::json{{"userId", "42"}, {"plan", "pro"}});
}

TEST_CASE("how many were ended") {
  CHECK(ended_json("42", 3) == "{\"user\":\"42\",\"ended\":3}\n");
  CHECK(ended_json({}, 0) == "{\"ended\":0}\n");
}
