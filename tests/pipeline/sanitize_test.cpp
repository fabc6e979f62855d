#include <optional>

#include "exchange_fixture.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

std::string const with_proxies = R"(
server: { trusted_proxies: [192.0.2.0/24, 10.0.0.0/8] }
headers: { X-User-Id: "{userId}", X-User-Role: "{role?}", Remote-User: "{userId}" }
routes: [{ path: /**, upstream: app }]
)";

// Whether the field line passes on: "kept", "dropped", or "forged" when it is counted as that.
std::string fate_of(exchange_fixture& b, std::string const& line, bool trusted) {
  b.from.trusted = trusted;
  auto const before = b.worker.metrics.reserved_headers_stripped();
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h", line}))) == "ok");
  auto const forged = b.worker.metrics.reserved_headers_stripped() - before;
  REQUIRE(b.x.kept.size() == 2);
  if (forged == 0) return b.x.kept[1] ? "kept" : "dropped";
  return b.x.kept[1] || forged != 1 ? "counted but kept" : "forged";
}

}  // namespace

TEST_CASE("fields, what becomes of each, from the world and from a trusted proxy") {
  struct row {
    std::string line;
    std::string fate;
    std::string from_proxy = {};
  };
  exchange_fixture b(with_proxies);
  for (auto const& r : std::vector<row>{
           {"Accept: */*", "kept"},
           {"Accept-Encoding: gzip", "kept"},
           {"Authorization: Basic eDp5", "kept"},
           {"Cache-Control: no-cache", "kept"},
           {"Content-Type: text/plain", "kept"},
           {"Cookie: other=1", "kept"},
           {"Origin: https://h", "kept"},
           {"Range: bytes=0-1", "kept"},
           {"Referer: https://h/", "kept"},
           {"Sec-Fetch-Site: none", "kept"},
           {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "kept"},
           {"Upgrade-Insecure-Requests: 1", "kept"},
           {"User-Agent: curl", "kept"},
           {"X-Custom: 1", "kept"},
           {"X-User-Ids: 1", "kept"},
           {"X-For: 1", "kept"},
           // About this connection only.
           {"Connection: keep-alive", "dropped"},
           {"Expect: 100-continue", "dropped"},
           {"Keep-Alive: timeout=5", "dropped"},
           {"Proxy-Authenticate: Basic", "dropped"},
           {"Proxy-Authorization: Basic eDp5", "dropped"},
           {"Proxy-Connection: keep-alive", "dropped"},
           {"TE: trailers", "dropped"},
           {"Trailer: X-Sum", "dropped"},
           {"Transfer-Encoding: chunked", "dropped"},
           {"Upgrade: h2c", "dropped"},
           // Written anew.
           {"Content-Length: 0", "dropped"},
           {"X-Request-Id: mine", "dropped"},
           {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "dropped"},
           {"X-Forwarded-For: 198.51.100.7", "dropped"},
           {"x-forwarded-for: 198.51.100.7", "dropped"},
           // Some servers read '_' as '-'.
           {"X_Custom: 1", "dropped"},
           {"X_Forwarded_For: 198.51.100.7", "dropped"},
           {"X_Request_Id: mine", "dropped"},
           {"Accept_: 1", "dropped"},
           {"x-forwarded_proto: https", "dropped"},
           // Only doorward may say these.
           {"X-User-Id: 1", "forged"},
           {"x-user-id: 1", "forged"},
           {"X_User_Id: 1", "forged"},
           {"X-User_Id: 1", "forged"},
           {"X-USER-ROLE: admin", "forged"},
           {"X.User.Id: 1", "forged"},
           {"x~user!id: 1", "forged"},
           {"Remote-User: root", "forged"},
           {"REMOTE_USER: root", "forged"},
           {"Doorward-Grant: {}", "forged"},
           {"doorward_anything: 1", "forged"},
           {"Doorward-Passive: 1", "dropped"},
           {"doorward-PASSIVE: 1", "dropped"},
           {"Doorward_Passive: 1", "forged"},
           {"Doorward-Passive: true", "forged"},
           // Believed of a trusted proxy.
           {"Forwarded: for=198.51.100.7", "dropped", "kept"},
           {"X-Forwarded-Proto: https", "dropped", "kept"},
           {"X-Forwarded-Host: example.com", "dropped", "kept"},
           {"X-Forwarded-Port: 443", "dropped", "kept"},
           {"X-Forwarded-Prefix: /app", "dropped", "kept"},
           {"X-Forwarded: for=198.51.100.7", "dropped", "kept"},
           {"X-Forwarded-User: root", "dropped", "kept"},
           {"X-Real-IP: 198.51.100.7", "dropped", "kept"},
           {"X-Client-IP: 198.51.100.7", "dropped", "kept"},
           {"X-Cluster-Client-IP: 198.51.100.7", "dropped", "kept"},
           {"True-Client-IP: 198.51.100.7", "dropped", "kept"},
           {"X-Original-URL: /public", "dropped", "kept"},
           {"X-Original-Method: GET", "dropped", "kept"},
           {"X-Rewrite-URL: /public", "dropped", "kept"},
           {"tracestate: a=b", "dropped", "kept"},
       }) {
    CAPTURE(r.line);
    CHECK(fate_of(b, r.line, false) == r.fate);
    CHECK(fate_of(b, r.line, true) == (r.from_proxy.empty() ? r.fate : r.from_proxy));
  }
}

TEST_CASE("forged fields, each is counted") {
  exchange_fixture b(with_proxies);
  REQUIRE(outcome(b.sanitized(head_of(
              "GET / HTTP/1.1", {"Host: h", "X-User-Id: 1", "X_User_Id: 2", "Accept: */*", "Doorward-X: 3"}))) == "ok");
  CHECK(b.worker.metrics.reserved_headers_stripped() == 3);
  CHECK(b.x.kept == std::vector<bool>{false, false, false, true, false});
}

TEST_CASE("Connection, what it names does not pass on") {
  struct row {
    std::vector<std::string> fields;
    std::vector<bool> kept;
  };
  auto const [fields, kept] = GENERATE(values<row>({
      {{"Connection: close, X-Hop", "X-Hop: 1", "X-Other: 2"}, {false, false, true}},
      {{"Connection: x-HOP", "X-Hop: 1", "X-Hop: 2"}, {false, false, false}},
      {{"X-Hop: 1", "Connection: X-Hop"}, {false, false}},
      {{"Connection: X-Hop", "Connection: X-Other", "X-Hop: 1", "X-Other: 2"}, {false, false, false, false}},
      {{"Connection: X-Ho", "X-Hop: 1"}, {false, true}},
      {{"Connection: keep-alive", "Keep-Alive: 1", "Accept: */*"}, {false, false, true}},
  }));
  CAPTURE(fields);
  exchange_fixture b(with_proxies);
  auto all = fields;
  all.insert(all.begin(), "Host: h");
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", all))) == "ok");
  auto expected = kept;
  expected.insert(expected.begin(), false);
  CHECK(b.x.kept == expected);
}

TEST_CASE("Connection, it names Cookie: no cookie passes on, but the session is still the session") {
  exchange_fixture b(with_proxies);
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h", "Connection: cookie",
                                                         "Cookie: a=1; sid=" + std::string(an_id), "Cookie: b=2"}))) ==
          "ok");
  CHECK(b.x.cookie_fields.empty());
  CHECK(b.x.kept == std::vector<bool>{false, false, false, false});
  REQUIRE(b.x.cookies.count == 1);
  CHECK(b.x.cookies.ids[0] == an_id);
}

TEST_CASE("cookies, in one field and in several") {
  std::string const other_id = "ABCDEFGHIJKLMNOPQRST";
  struct row {
    std::vector<std::string> cookies;
    std::vector<std::string> ids;
    bool present;
    std::vector<std::string> ours;  // fields that have to be written anew
  };
  auto const id = std::string(an_id);
  auto const [cookies, ids, present, ours] = GENERATE_REF(values<row>({
      {{}, {}, false, {}},
      {{"a=1; b=2"}, {}, false, {}},
      {{"sid=" + id}, {id}, true, {"sid=" + id}},
      {{"a=1; sid=" + id + "; b=2"}, {id}, true, {"a=1; sid=" + id + "; b=2"}},
      {{"a=1", "sid=" + id, "b=2"}, {id}, true, {"sid=" + id}},
      {{"sid=" + id, "sid=" + id}, {id}, true, {"sid=" + id, "sid=" + id}},
      {{"sid=" + id, "a=1; sid=" + other_id}, {id, other_id}, true, {"sid=" + id, "a=1; sid=" + other_id}},
      {{"sid=short"}, {}, true, {"sid=short"}},
      {{"sid="}, {}, true, {"sid="}},
      {{"SID=" + id, "xsid=" + id}, {}, false, {}},
  }));
  CAPTURE(cookies);
  exchange_fixture b(with_proxies);
  std::vector<std::string> fields{"Host: h"};
  for (auto const& c : cookies)
    fields.push_back("Cookie: " + c);
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", fields))) == "ok");
  CHECK(std::vector<std::string>(b.x.cookies.ids.begin(),
                                 b.x.cookies.ids.begin() + static_cast<std::ptrdiff_t>(b.x.cookies.count)) == ids);
  CHECK(b.x.cookies.present == present);
  CHECK(std::vector<std::string>(b.x.cookie_fields.begin(), b.x.cookie_fields.end()) == ours);
  auto const kept = std::ranges::count(b.x.kept, true);
  CHECK(static_cast<std::size_t>(kept) == cookies.size() - ours.size());
}

TEST_CASE("cookies, more of them than are looked at") {
  exchange_fixture b(with_proxies);
  std::vector<std::string> fields{"Host: h"};
  for (char c = 'a'; c < 'e'; ++c)
    fields.push_back("Cookie: sid=" + std::string(20, c));
  fields.push_back("Cookie: sid=" + std::string(20, 'a'));  // once more
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", fields))) == "ok");
  CHECK(b.x.cookies.count == 4);
  CHECK_FALSE(b.x.cookies.too_many);
  fields.push_back("Cookie: sid=" + std::string(20, 'e'));
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", fields))) == "ok");
  CHECK(b.x.cookies.too_many);
  CHECK(std::ranges::count(b.x.kept, true) == 0);
}

TEST_CASE("request id, one's own unless a trusted proxy gave a good one") {
  struct row {
    std::string given;
    bool trusted;
    bool taken;
  };
  auto const [given, trusted, taken] = GENERATE(values<row>({
      {"abc-123_x.y=z/+", true, true},
      {std::string(128, 'a'), true, true},
      {"abc", false, false},
      {std::string(129, 'a'), true, false},
      {"two words", true, false},
      {"\"quoted\"", true, false},
      {"", true, false},
  }));
  CAPTURE(given, trusted);
  exchange_fixture b(with_proxies);
  b.from.trusted = trusted;
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h", "X-Request-Id: " + given}))) == "ok");
  if (taken) {
    CHECK(b.x.request_id == given);
  } else {
    CHECK(b.x.request_id.size() == 32);
    CHECK(b.x.request_id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
  }
}

TEST_CASE("request id, a new one for each request") {
  exchange_fixture b(with_proxies);
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h"}))) == "ok");
  std::string const first(b.x.request_id);
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h"}))) == "ok");
  CHECK(b.x.request_id != first);
}

TEST_CASE("trace, begun here unless a trusted proxy goes on with a good one") {
  std::string const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  struct row {
    std::string given;
    bool trusted;
    bool taken;
  };
  auto const [given, trusted, taken] = GENERATE_REF(values<row>({
      {good, true, true},
      {good, false, false},
      {"00-00000000000000000000000000000000-b7ad6b7169203331-01", true, false},
      {"rubbish", true, false},
  }));
  CAPTURE(given, trusted);
  exchange_fixture b(with_proxies);
  b.from.trusted = trusted;
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", {"Host: h", "traceparent: " + given}))) == "ok");
  if (taken) {
    CHECK(b.x.traceparent == given);
  } else {
    auto const own = obs::parse_traceparent(b.x.traceparent);
    REQUIRE(own);
    CHECK(obs::view(own->trace) == b.x.request_id);  // one id finds both
  }
}

TEST_CASE("client, the peer, or the last address of a trusted proxy's list that no proxy has") {
  struct row {
    std::vector<std::string> lists;
    bool trusted;
    std::string client;
  };
  auto const [lists, trusted, client] = GENERATE(values<row>({
      {{}, false, "192.0.2.1"},
      {{}, true, "192.0.2.1"},
      {{"198.51.100.7"}, false, "192.0.2.1"},
      {{"198.51.100.7"}, true, "198.51.100.7"},
      {{"1.2.3.4, 198.51.100.7"}, true, "198.51.100.7"},
      {{"198.51.100.7, 10.1.1.1, 10.2.2.2"}, true, "198.51.100.7"},
      {{"1.2.3.4, 198.51.100.7", "10.1.1.1"}, true, "198.51.100.7"},
      {{"198.51.100.7", "10.1.1.1", "10.2.2.2"}, true, "198.51.100.7"},
      {{"10.3.3.3, 10.1.1.1"}, true, "10.3.3.3"},
      {{"2001:db8::7, 10.1.1.1"}, true, "2001:db8::7"},
      {{"1.2.3.4, ::ffff:10.1.1.1"}, true, "1.2.3.4"},
      {{""}, true, "192.0.2.1"},
      {{", ,"}, true, "192.0.2.1"},
      {{"garbage"}, true, "192.0.2.1"},
      {{"1.2.3.4, garbage, 10.1.1.1"}, true, "10.1.1.1"},
      {{"198.51.100.7:4711, 10.1.1.1"}, true, "198.51.100.7"},
      {{"[2001:db8::7]:4711"}, true, "2001:db8::7"},
      {{"for=198.51.100.7;proto=https"}, true, "198.51.100.7"},
      {{"for=198.51.100.7;proto=https"}, false, "192.0.2.1"},
      {{"for=1.2.3.4, for=198.51.100.7, for=10.1.1.1", "for=10.2.2.2"}, true, "198.51.100.7"},
      {{"for=\"[2001:db8::7]:80\""}, true, "2001:db8::7"},
      {{"for=unknown"}, true, "192.0.2.1"},
      {{"for=1.2.3.4 and more"}, true, "192.0.2.1"},
      {{"for=1.2.3.4", "198.51.100.7"}, true, "198.51.100.7"},
  }));
  CAPTURE(lists, trusted);
  exchange_fixture b(with_proxies);
  b.from.trusted = trusted;
  std::vector<std::string> fields{"Host: h"};
  for (auto const& list : lists)
    fields.push_back(list.find('=') == list.npos ? "X-Forwarded-For: " + list : "Forwarded: " + list);
  REQUIRE(outcome(b.sanitized(head_of("GET / HTTP/1.1", fields))) == "ok");
  CHECK(b.x.client_address == client);
}
