#include "app/session_command.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "app/session_table.hpp"
#include "catch.hpp"
#include "doorward/app/cli.hpp"

using namespace doorward;
using namespace doorward::app;
using action = session_request::action;

namespace {

struct typed {
  std::istringstream in;
  std::ostringstream out, errors;
  console c;
  explicit typed(std::string const& text, bool person = true) : in(text), c{in, out, errors, person, person} {}
};

/// What the words after `session` are read as; nothing when they are wrong.
std::optional<session_request> read(std::vector<std::string> words) {
  CLI::App app;
  std::string file;
  session_request r;
  add_session_command(app, file, r);
  words.insert(words.begin(), "session");
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (CLI::ParseError const&) {
    return std::nullopt;
  }
  return r;
}

config::model nowhere() {
  config::model m;
  m.redis.server.type = config::endpoint::kind::unix_socket;
  m.redis.server.path = "/nowhere/redis.sock";
  m.redis.server.text = "unix:/nowhere/redis.sock";
  m.redis.connect_timeout = milliseconds{50};
  return m;
}

}  // namespace

TEST_CASE("session, what is asked") {
  auto const list = read({"list", "-c", "f", "--user", "42"});
  REQUIRE(list);
  CHECK(list->what == action::list);
  CHECK(list->user == "42");
  CHECK(list->how == session_request::format::automatic);
  auto const show = read({"show", "-c", "f", "--user=-42", "--handle", "h", "--format", "json"});
  REQUIRE(show);
  CHECK(show->what == action::show);
  CHECK(show->user == "-42");
  CHECK(show->handle == "h");
  CHECK(show->how == session_request::format::json);
  CHECK(read({"show", "-c", "f", "--id-stdin"})->id_from_stdin);
  auto const revoke = read({"revoke", "-c", "f", "--user", "42", "--handle", "h", "--yes", "--format", "table"});
  REQUIRE(revoke);
  CHECK(revoke->what == action::revoke);
  CHECK(revoke->yes);
  CHECK(revoke->how == session_request::format::table);
  CHECK(read({"revoke", "-c", "f", "--user", "42"})->handle.empty());
  CHECK(read({"revoke", "-c", "f", "--all-users"})->all_users);
}

TEST_CASE("session, what cannot be asked") {
  auto const words = GENERATE(values<std::vector<std::string>>({
      {},
      {"end"},
      {"list"},
      {"list", "-c", "f"},
      {"list", "--user", "42"},
      {"list", "-c", "f", "--user"},
      {"list", "-c", "f", "--user", ""},
      {"list", "-c", "f", "--user", "42", "--handle", "h"},
      {"list", "-c", "f", "--user", "42", "--yes"},
      {"list", "-c", "f", "--user", "42", "--format", "yaml"},
      {"show", "-c", "f"},
      {"show", "-c", "f", "--user", "42"},
      {"show", "-c", "f", "--handle", "h"},
      {"show", "-c", "f", "--id-stdin", "--user", "42", "--handle", "h"},
      {"show", "-c", "f", "an-id-for-all-to-see"},
      {"revoke", "-c", "f"},
      {"revoke", "-c", "f", "--yes"},
      {"revoke", "-c", "f", "--handle", "h"},
      {"revoke", "-c", "f", "--user", ""},
      {"revoke", "-c", "f", "--user", "42", "--all-users"},
      {"revoke", "-c", "f", "--user", "42", "--handle", ""},
      {"revoke", "-c", "f", "--all-users", "--handle", "h"},
  }));
  CAPTURE(words);
  CHECK_FALSE(read(words));
}

TEST_CASE("session revoke asks, and takes no for an answer") {
  struct row {
    std::string answer;
    bool yes;
  };
  auto const [answer, yes] = GENERATE(values<row>({{"y\n", true},
                                                   {"Y\n", true},
                                                   {"yes", true},
                                                   {"\n", false},
                                                   {"", false},
                                                   {"n\n", false},
                                                   {"yep\n", false},
                                                   {" y\n", false}}));
  CAPTURE(answer);
  session_request r;
  r.what = action::revoke;
  r.user = "42";
  typed t(answer);
  int code = -1;
  CHECK(confirmed(r, t.c, code) == yes);
  CHECK(code == (yes ? -1 : could_not_run));
  CHECK(t.errors.str().starts_with("End all sessions of `42`? [y/N] "));
  CHECK(t.out.str().empty());
}

TEST_CASE("session revoke says what it is about to do") {
  session_request r;
  r.what = action::revoke;
  r.user = "4\x1b[2J";
  r.handle = "h";
  int code = 0;
  typed one("n\n");
  CHECK_FALSE(confirmed(r, one.c, code));
  CHECK(one.errors.str().starts_with("End session h of `4\\u001b[2J`? "));
  r = {};
  r.what = action::revoke;
  r.all_users = true;
  typed all("n\n");
  CHECK_FALSE(confirmed(r, all.c, code));
  CHECK(all.errors.str().starts_with("End every session of everybody? "));
}

TEST_CASE("session revoke without a terminal wants --yes, and others do not") {
  session_request r;
  r.what = action::revoke;
  r.user = "42";
  int code = 0;
  typed script("y\n", false);
  CHECK_FALSE(confirmed(r, script.c, code));
  CHECK(code == bad_usage);
  CHECK(script.errors.str().find("--yes") != std::string::npos);
  r.yes = true;
  typed sure("", false);
  CHECK(confirmed(r, sure.c, code));
  r.yes = false;
  r.what = GENERATE(action::none, action::list, action::show);
  CHECK(confirmed(r, sure.c, code));
  CHECK(sure.errors.str().empty());
}

TEST_CASE("session, Redis is not there") {
  session_request r;
  r.what = GENERATE(action::list, action::show, action::revoke);
  r.user = "42";
  r.handle = "h";
  typed t("");
  CHECK(run_session_command(nowhere(), r, t.c) == could_not_run);
  CHECK(t.errors.str().starts_with("doorward: Redis at unix:/nowhere/redis.sock: refused"));
  CHECK(t.out.str().empty());
}

TEST_CASE("session show, what is on standard input is no id, and is not said again") {
  session_request r;
  r.what = action::show;
  r.id_from_stdin = true;
  auto const text = GENERATE(values<std::string>({"", "\n", "short-SECRET\n", "SECRET with blanks in between\n",
                                                  "\nSECRETSECRETSECRETSECRET\n", std::string(5000, 'S')}));
  typed t(text);
  CHECK(run_session_command(nowhere(), r, t.c) == could_not_run);
  CHECK(t.errors.str().find("no session id") != std::string::npos);
  CHECK(t.errors.str().find("SECRET") == std::string::npos);
}

TEST_CASE("a table of sessions") {
  session::listed_session a;
  a.key = "session:secret-id";
  a.handle = "abcdefghijklmnopqrstuv";
  a.created = 1'700'000'000'000;
  a.last_seen = 1'700'000'061'000;
  a.left = milliseconds{11'880'000};
  a.address = "2001:db8::1";
  a.device = "M\xc3\xbcller's\x1b[31m \xff browser";
  session::listed_session b;
  b.handle = "b";
  b.created = 99'999'999'999'999'999;
  std::vector<session::listed_session> const all{a, b};
  CHECK(session_table(all) ==
        "HANDLE                  LOGGED IN (UTC)      LAST SEEN (UTC)      ENDS IN  ADDRESS      DEVICE\n"
        "abcdefghijklmnopqrstuv  2023-11-14 22:13:20  2023-11-14 22:14:21  3h 18m   2001:db8::1  "
        "M\xc3\xbcller's\\u001b[31m \\ufffd browser\n"
        "b                       -                    -                    -        -            -\n");
}

TEST_CASE("all about one session, on a sheet") {
  session::details d;
  d.what = session::outcome::expired;
  d.user = "42";
  d.summary.key = "session:secret-id";
  d.summary.handle = "h";
  d.absolute_until = 1'700'000'000'000;
  d.fields = {{"userId", "42"}, {"x\n", "y\nz"}};
  auto const sheet = session_sheet(d);
  CHECK(sheet.find("secret-id") == std::string::npos);
  CHECK(sheet.find("at the latest (UTC)  2023-11-14 22:13:20, which has passed\n") != std::string::npos);
  CHECK(sheet.find("field userId         42\n") != std::string::npos);
  CHECK(sheet.find("field x\\u000a        y\\u000az\n") != std::string::npos);
}

TEST_CASE("how long it still lasts") {
  using namespace std::chrono_literals;
  CHECK(time_left(999ms) == "0s");
  CHECK(time_left(59s) == "59s");
  CHECK(time_left(61s) == "1m");
  CHECK(time_left(3600s) == "1h 0m");
  CHECK(time_left(86'399s) == "23h 59m");
  CHECK(time_left(13 * 24h + 4h) == "13d 4h");
}
