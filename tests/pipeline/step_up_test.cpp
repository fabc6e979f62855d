#include "pipeline/step_up.hpp"

#include "exchange_fixture.hpp"
#include "pipeline/explain_refusal.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

using facts = std::vector<std::pair<std::string, std::string>>;

std::string const yaml = R"(
server: { public_origin: "http://app.example" }
headers: { X-User-Id: "{userId}", X-Level: "{doorward.acr?}" }
routes:
  - { id: pay, path: /pay/**, upstream: app, require: { acr: 2, max_age: 10m } }
  - { id: second, path: /second, upstream: app, require: { acr: 2 }, unauthenticated: reject }
  - { id: fresh, path: /fresh, upstream: app, require: { max_age: 60s } }
  - { id: maybe, path: /maybe, upstream: app, auth: optional, require: { acr: 1 } }
  - { id: staff, path: /staff, upstream: app, allow: { roles: [admin] }, require: { acr: 2 } }
  - { path: /**, upstream: app }
)";

std::string ms(std::chrono::seconds ahead) {
  return std::to_string(wall_now() + milliseconds(ahead).count());
}

std::string get(std::string const& path, std::vector<std::string> fields = {}) {
  fields.emplace_back("Host: app.example");
  return head_of("GET " + path + " HTTP/1.1", fields);
}

// What becomes of a request of a session with these fields.
std::string decided(std::string const& request, facts const& session) {
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(request)) == "ok");
  if (!session.empty()) b.log_in(session);
  return outcome(authorize(b.x));
}

// The answer to a request that was refused for `why`.
std::string refused(exchange_fixture& b, errc why) {
  b.x.refused = why;
  bool done = false;
  net::spawn([](exchange& x, bool& ended) -> net::task<> {
    co_await finish(x);
    ended = true;
  }(b.x, done));
  REQUIRE(done);
  return b.client.read();
}

std::string field(std::string const& answer, std::string const& name) {
  auto const at = answer.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "(none)";
  auto const from = at + name.size() + 4;
  return answer.substr(from, answer.find("\r\n", from) - from);
}

}  // namespace

TEST_CASE("shortfall, level before age, and what is unknown is not enough") {
  struct row {
    unsigned acr, max_age;
    login_facts login;
    errc missing;
  };
  constexpr epoch_ms now = 1'700'000'000'000;
  auto const r = GENERATE(values<row>({
      {0, 0, {0, std::nullopt}, errc{}},
      {1, 0, {0, now}, errc::session_too_weak},
      {1, 0, {1, std::nullopt}, errc{}},
      {1, 0, {2, std::nullopt}, errc{}},
      {2, 600, {1, now - 601'000}, errc::session_too_weak},
      {2, 600, {2, now - 601'000}, errc::session_too_old},
      {2, 600, {2, now}, errc{}},
      {0, 600, {0, now - 600'000}, errc{}},
      {0, 600, {0, now - 600'001}, errc::session_too_old},
      {0, 600, {0, std::nullopt}, errc::session_too_old},
      {0, 600, {0, 0}, errc::session_too_old},
      {0, 600, {0, now + 60'000}, errc{}},  // clocks differ
      {0, 600, {0, now + 60'001}, errc::session_too_old},
      {0, 600, {0, std::numeric_limits<epoch_ms>::max()}, errc::session_too_old},
  }));
  CAPTURE(r.acr, r.max_age, r.login.acr);
  CHECK(shortfall({r.acr, std::chrono::seconds(r.max_age)}, r.login, now) == r.missing);
}

TEST_CASE("login facts, as a session says them") {
  struct row {
    facts session;
    unsigned acr;
    std::optional<epoch_ms> at;
  };
  auto const r = GENERATE(values<row>({
      {{}, 0, std::nullopt},
      {{{"createdAt", "1700000000000"}}, 0, 1'700'000'000'000},
      {{{"createdAt", "1700000000000"}, {"doorward.authTime", "1699999999"}}, 0, 1'699'999'999'000},
      // What is there and cannot be read does not fall back to something better.
      {{{"createdAt", "1700000000000"}, {"doorward.authTime", "yesterday"}}, 0, std::nullopt},
      {{{"createdAt", "1700000000000"}, {"doorward.authTime", ""}}, 0, std::nullopt},
      {{{"createdAt", "2023-11-14"}}, 0, std::nullopt},
      {{{"doorward.acr", "2"}}, 2, std::nullopt},
      {{{"doorward.acr", "99"}}, 99, std::nullopt},
      {{{"doorward.acr", "100"}}, 0, std::nullopt},
      {{{"doorward.acr", "-1"}}, 0, std::nullopt},
      {{{"doorward.acr", "2x"}}, 0, std::nullopt},
      {{{"doorward.acr", " 2"}}, 0, std::nullopt},
      {{{"doorward.acr", "4294967298"}}, 0, std::nullopt},
      {{{"doorward.acr", ""}}, 0, std::nullopt},
      {{{"acr", "2"}}, 0, std::nullopt},
  }));
  CAPTURE(r.session);
  exchange_fixture b("headers: { X-A: \"{acr?}\" }\n" + yaml.substr(yaml.find("routes:")));
  b.begin(get("/"));
  b.log_in(r.session);
  auto const f = login_facts_of(b.x.session);
  CHECK(f.acr == r.acr);
  CHECK(f.at == r.at);
  CHECK(login_facts_of(session::record{}).acr == 0);
}

TEST_CASE("require, who passes") {
  auto const now = ms(0s);
  auto const old = ms(-11min);
  struct row {
    std::string path;
    facts session;
    std::string outcome;
  };
  auto const r = GENERATE_REF(values<row>({
      {"/", {{"userId", "1"}}, "ok"},
      {"/pay/x", {{"userId", "1"}, {"createdAt", now}}, "session_too_weak"},
      {"/pay/x", {{"doorward.acr", "1"}, {"createdAt", now}}, "session_too_weak"},
      {"/pay/x", {{"doorward.acr", "2"}, {"createdAt", now}}, "ok"},
      {"/pay/x", {{"doorward.acr", "3"}, {"createdAt", now}}, "ok"},
      {"/pay/x", {{"doorward.acr", "2"}, {"createdAt", old}}, "session_too_old"},
      {"/pay/x", {{"doorward.acr", "2"}, {"createdAt", now}, {"doorward.authTime", old}}, "session_too_old"},
      {"/pay/x", {{"doorward.acr", "2"}, {"createdAt", old}, {"doorward.authTime", now}}, "ok"},
      {"/second", {{"doorward.acr", "2"}, {"createdAt", old}}, "ok"},
      {"/second", {{"doorward.acr", "1"}, {"createdAt", now}}, "session_too_weak"},
      {"/fresh", {{"userId", "1"}, {"createdAt", now}}, "ok"},
      {"/fresh", {{"userId", "1"}, {"createdAt", old}}, "session_too_old"},
      {"/fresh", {{"userId", "1"}}, "session_too_old"},
      {"/maybe", {}, "no_session"},
      {"/maybe", {{"userId", "1"}}, "session_too_weak"},
      {"/maybe", {{"doorward.acr", "1"}}, "ok"},
      // Whom a better login does not help is not asked for one.
      {"/staff", {{"role", "user"}}, "forbidden"},
      {"/staff", {{"role", "user"}, {"doorward.acr", "2"}}, "forbidden"},
      {"/staff", {{"role", "admin"}}, "session_too_weak"},
      {"/staff", {{"role", "admin"}, {"doorward.acr", "2"}}, "ok"},
  }));
  CAPTURE(r.path, r.session);
  CHECK(decided(get(r.path), r.session) == r.outcome);
}

TEST_CASE("require and guard, the guard comes first") {
  auto const cross = head_of("POST /pay/x HTTP/1.1",
                             {"Host: app.example", "Cookie: sid=" + std::string(an_id), "Sec-Fetch-Site: cross-site"});
  CHECK(decided(cross, {{"userId", "1"}}) == "csrf");
}

TEST_CASE("step-up, a person goes to the login with what is asked for, a program is told") {
  struct row {
    std::string request;
    errc why;
    std::string status, location, challenge;
  };
  std::string const html = "Accept: text/html";
  std::string const weak = R"(Session error="insufficient_user_authentication", )"
                           R"(error_description="This needs a stronger login than yours. Please log in again.")";
  std::string const old =
      R"(Session error="insufficient_user_authentication", )"
      R"(error_description="It has been a while since you logged in, and this needs a fresh login. Please log in again.")";
  auto const r = GENERATE_REF(values<row>({
      {get("/pay/x?a=b", {html}), errc::session_too_weak, "302", "/login?next=/pay/x%3Fa%3Db&acr=2&max_age=600",
       "(none)"},
      {get("/pay/x", {html}), errc::session_too_old, "302", "/login?next=/pay/x&acr=2&max_age=600", "(none)"},
      {get("/fresh", {html}), errc::session_too_old, "302", "/login?next=/fresh&max_age=60", "(none)"},
      {get("/pay/x"), errc::session_too_weak, "401", "(none)", weak + R"(, acr_values="2", max_age=600)"},
      {get("/pay/x"), errc::session_too_old, "401", "(none)", old + R"(, acr_values="2", max_age=600)"},
      {get("/fresh"), errc::session_too_old, "401", "(none)", old + ", max_age=60"},
      {get("/second", {html}), errc::session_too_weak, "401", "(none)", weak + R"(, acr_values="2")"},
      {head_of("POST /pay/x HTTP/1.1", {"Host: app.example"}), errc::session_too_weak, "401", "(none)",
       weak + R"(, acr_values="2", max_age=600)"},
      // Who is not logged in at all is spared a second login.
      {get("/pay/x", {html}), errc::no_session, "302", "/login?next=/pay/x&acr=2&max_age=600", "(none)"},
      {get("/pay/x", {html}), errc::session_expired, "302",
       "/login?next=/pay/x&acr=2&max_age=600&reason=session_expired", "(none)"},
      {get("/pay/x"), errc::no_session, "401", "(none)", "Session"},
      {get("/", {html}), errc::no_session, "302", "/login?next=/", "(none)"},
  }));
  CAPTURE(r.request, about(r.why).reason);
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(r.request)) == "ok");
  auto const answer = refused(b, r.why);
  CAPTURE(answer);
  CHECK(answer.substr(9, 3) == r.status);
  CHECK(field(answer, "Location") == r.location);
  CHECK(field(answer, "WWW-Authenticate") == r.challenge);
  CHECK(field(answer, "Set-Cookie") == "(none)");  // the session lives on
  if (r.status == "401" && r.challenge != "Session")
    CHECK(answer.find("insufficient_user_authentication", answer.find("\r\n\r\n")) != std::string::npos);
}

TEST_CASE("step-up, the page of a route that redirects nobody") {
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(get("/second", {"Accept: text/html"}))) == "ok");
  auto const page = refused(b, errc::session_too_weak);
  CHECK(page.find("<h1>Please log in again</h1>") != std::string::npos);
  CHECK(page.find("<a href=\"/login?next=/second&amp;acr=2\">Log in</a>") != std::string::npos);
}

TEST_CASE("step-up, what the place asks for that a login leads to") {
  struct row {
    std::string target;
    std::string destination;
    config::step_up_rule wanted;
  };
  auto const r = GENERATE(values<row>({
      {"/login", "", {}},
      {"/login?next=/", "/", {}},
      {"/login?next=/pay/x", "/pay/x", {2, 600s}},
      {"/login?next=%2Fpay%2Fx%3Fa%3Db%23c", "/pay/x?a=b#c", {2, 600s}},
      {"/login?next=/%70ay/", "/pay/", {2, 600s}},
      {"/login?next=/fresh", "/fresh", {0, 60s}},
      {"/login?next=//evil/pay", "", {}},
      {"/login?next=http://app.example/pay/x", "", {}},
      {"/login?next=/pay;/x", "/pay;/x", {}},  // read in two ways, it leads nowhere
      {"/login?a=b", "", {}},
  }));
  CAPTURE(r.target);
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(head_of("POST " + r.target + " HTTP/1.1", {"Host: app.example"}))) == "ok");
  b.x.response.clear();
  auto const destination = destination_after_login(b.x);
  CHECK(destination == r.destination);
  auto const wanted = wanted_at(b.x, destination);
  CHECK(wanted.acr == r.wanted.acr);
  CHECK(wanted.max_age == r.wanted.max_age);
}

TEST_CASE("explain, what of require holds and by how much it does not") {
  struct row {
    facts session;
    std::string level, age;
  };
  auto const lead = std::string("the login must not be older than 600 s: ");
  auto const r = GENERATE_REF(values<row>({
      {{{"doorward.acr", "2"}, {"createdAt", ms(-100s)}},
       "it is 2, which holds",
       "createdAt is 100 s ago, which holds"},
      {{{"doorward.acr", "1"}, {"createdAt", ms(-725s)}},
       "it is 1, which does not hold",
       "createdAt is 725 s ago, which is 125 s too long"},
      {{{"doorward.acr", "high"}, {"doorward.authTime", ms(-725s)}, {"createdAt", ms(0s)}},
       "it is high, which counts as 0, which does not hold",
       "doorward.authTime is 725 s ago, which is 125 s too long"},
      {{{"userId", "1"}},
       "the session does not say, which counts as 0, which does not hold",
       "createdAt is no time, so nobody can tell, which does not hold"},
      {{{"doorward.acr", "2"}, {"doorward.authTime", ms(200s)}},
       "it is 2, which holds",
       "doorward.authTime is 199 s ahead of this clock, which does not hold"},
      {{}, "nobody is logged in", "nobody is logged in"},
  }));
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(get("/pay/x"))) == "ok");
  if (!r.session.empty()) b.log_in(r.session);
  explanation e;
  explain_require(b.x, e);
  REQUIRE(e.steps.size() == 2);
  CHECK(e.steps[0] == std::pair<std::string, std::string>{"require", "acr must be at least 2: " + r.level});
  CHECK(e.steps[1].first == "require");
  auto found = e.steps[1].second;
  if (auto const at = found.find("200 s ahead"); at != std::string::npos) found.replace(at, 3, "199");
  CHECK(found == lead + r.age);
}

TEST_CASE("the level of the login can be told to the application") {
  exchange_fixture b(yaml);
  REQUIRE(outcome(b.matched(get("/", {"X-Level: 9"}))) == "ok");
  b.log_in({{"userId", "1"}, {"doorward.acr", "2"}});
  REQUIRE(outcome(transform(b.x)) == "ok");
  CHECK(b.x.upstream_head.find("X-Level: 2\r\n") != std::string::npos);
  CHECK(b.x.upstream_head.find("X-Level: 9") == std::string::npos);
}
