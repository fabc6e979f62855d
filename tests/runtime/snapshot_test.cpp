#include "doorward/runtime/snapshot.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "model.hpp"

using namespace doorward;
using namespace doorward::test;
using runtime::route_target;
using runtime::snapshot;

namespace {

std::string yaml(std::string const& more) {
  return smallest + more;
}

std::array<std::uint8_t, 16> bytes_of(std::string const& address) {
  namespace ip = boost::asio::ip;
  auto const a = ip::make_address(address);
  return (a.is_v6() ? a.to_v6() : ip::make_address_v6(ip::v4_mapped, a.to_v4())).to_bytes();
}

}  // namespace

TEST_CASE("routes, doorward's own stand before those of the file") {
  snapshot const s(model_of(R"(
redis: { url: "redis://127.0.0.1:6379" }
upstreams: { app: http://127.0.0.1:3000, identity: http://127.0.0.1:4000 }
identity: { upstream: identity, login: /sign/in, logout: /sign/out }
routes:
  - { path: /old, respond: 410 }
  - { id: all, path: /**, upstream: app }
)"));
  struct row {
    std::string id;
    std::string path;
    route_target to;
    std::size_t upstream;
    config::auth_mode auth;
  };
  using config::auth_mode;
  std::vector<row> const rows{{"(login)", "/sign/in/**", route_target::login, 1, auth_mode::none},
                              {"(logout)", "/sign/out", route_target::logout, 0, auth_mode::none},
                              {"(whoami)", "/.doorward/whoami", route_target::whoami, 0, auth_mode::passive},
                              {"(sessions)", "/.doorward/sessions", route_target::sessions, 0, auth_mode::passive},
                              {"(session)", "/.doorward/sessions/*", route_target::sessions, 0, auth_mode::passive},
                              {"(jwks)", "/.doorward/jwks", route_target::jwks, 0, auth_mode::none},
                              {"(auth)", "/.doorward/auth", route_target::proxy, 0, auth_mode::none},
                              {"(own)", "/.doorward/**", route_target::unclaimed, 0, auth_mode::none},
                              {"/old", "/old", route_target::respond, 0, auth_mode::required},
                              {"all", "/**", route_target::upstream, 0, auth_mode::required}};
  REQUIRE(s.routes.size() == rows.size());
  CHECK(s.table.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(s.routes[i].config.id == rows[i].id);
    CHECK(s.routes[i].config.path == rows[i].path);
    CHECK(s.routes[i].to == rows[i].to);
    CHECK(s.routes[i].upstream == rows[i].upstream);
    CHECK(s.routes[i].config.auth == rows[i].auth);
    CHECK(s.routes[i].config.csrf == (rows[i].to != route_target::proxy));
  }
}

TEST_CASE("routes, the table's indexes are those of the compiled routes, and own paths cannot be taken over") {
  snapshot const s(model_of(yaml(R"(
routes:
  - { id: taken, path: /login, upstream: app, auth: none }
  - { id: all, path: /**, upstream: app }
)")));
  struct row {
    std::string path;
    std::string id;
  };
  auto const [path, id] = GENERATE(values<row>({{"/login", "(login)"},
                                                {"/login/callback", "(login)"},
                                                {"/logout", "(logout)"},
                                                {"/logout/x", "all"},
                                                {"/.doorward/whoami", "(whoami)"},
                                                {"/.doorward/whoami/x", "(own)"},
                                                {"/.doorward/sessions", "(sessions)"},
                                                {"/.doorward/sessions/abc", "(session)"},
                                                {"/.doorward/sessions/a/b", "(own)"},
                                                {"/.doorward/auth", "(auth)"},
                                                {"/.doorward/auth/x", "(own)"},
                                                {"/.doorward", "(own)"},
                                                {"/loginx", "all"},
                                                {"/", "all"}}));
  CAPTURE(path);
  std::string scratch;
  auto const canonical = http::canonicalise(path, scratch);
  REQUIRE(canonical.has_value());
  auto const found = s.table.find({"GET", "example.com", *canonical});
  REQUIRE(found.result == route::match::outcome::found);
  CHECK(s.routes[found.index].config.id == id);
}

TEST_CASE("whoami is refused rather than sent to the login") {
  snapshot const s(model_of(yaml("routes: [{ path: /**, upstream: app }]\n")));
  CHECK(s.routes[2].config.unauthenticated == config::unauthenticated_action::reject);
}

TEST_CASE("body limit, the route's own before the server's") {
  snapshot const s(model_of(yaml(R"(
server: { limits: { body_bytes: 1MiB } }
routes:
  - { path: /upload, upstream: app, body_bytes: 64MiB }
  - { path: /none, upstream: app, body_bytes: 0B }
  - { path: /**, upstream: app }
)")));
  std::vector<std::uint64_t> limits;
  for (auto const& r : s.routes)
    limits.push_back(r.body_limit);
  constexpr std::uint64_t mib = 1024 * 1024;
  CHECK(limits.front() == doorward::runtime::longest_form);
  CHECK(std::vector(limits.end() - 4, limits.end()) == std::vector<std::uint64_t>{mib, 64 * mib, 0, mib});
}

TEST_CASE("fields, each name that is spoken of has one slot") {
  snapshot const s(model_of(yaml(R"(
headers:
  X-User-Id: "{userId}"
  X-Mail: "{email?}"
  X-Both: "{email?} of {tenant?}"
routes:
  - { path: /pro/**, upstream: app, allow: { fields: { plan: [pro, team], tenant: [acme] } } }
  - { path: /**, upstream: app }
)")));
  for (auto const* name : {"userId", "role", "createdAt", "lastSeen", "email", "tenant", "plan"}) {
    CAPTURE(name);
    CHECK(s.fields.find(name) != session::field_layout::none);
  }
  CHECK(s.fields.find("address") == session::field_layout::none);

  auto const own = s.routes.size() - 2;
  auto const& allow = s.routes[own].fields;
  REQUIRE(allow.size() == 2);
  CHECK(allow[0].slot == s.fields.find("plan"));
  CHECK(allow[0].values == std::vector<std::string>{"pro", "team"});
  CHECK(allow[1].slot == s.fields.find("tenant"));
  CHECK(s.routes[own + 1].fields.empty());

  REQUIRE(s.headers.size() == 3);
  CHECK(s.headers[0].line_start == "X-User-Id: ");
  REQUIRE(s.headers[0].parts.size() == 1);
  CHECK(s.headers[0].parts[0].is_field);
  CHECK_FALSE(s.headers[0].parts[0].optional);
  CHECK(s.headers[0].parts[0].slot == s.fields.at(session::field::user));
  REQUIRE(s.headers[2].parts.size() == 3);
  CHECK(s.headers[2].parts[0].optional);
  CHECK(s.headers[2].parts[0].slot == s.headers[1].parts[0].slot);
  CHECK_FALSE(s.headers[2].parts[1].is_field);
  CHECK(s.headers[2].parts[1].text == " of ");
  CHECK(s.headers[2].parts[2].slot == s.fields.find("tenant"));
}

TEST_CASE("fields, renamed: their meaning goes with the name") {
  snapshot const s(model_of(yaml(R"(
session: { fields: { user: uid, roles: groups } }
headers: { X-Uid: "{uid}" }
routes: [{ path: /**, upstream: app }]
)")));
  CHECK(s.fields.find("uid") == s.fields.at(session::field::user));
  CHECK(s.fields.find("groups") == s.fields.at(session::field::roles));
  CHECK(s.fields.find("userId") == session::field_layout::none);
}

TEST_CASE("reserved names, those of headers and doorward's own, however they are spelt") {
  snapshot const s(model_of(yaml(R"(
headers: { X-User-Id: "{userId}", Remote-User: "{userId}" }
routes: [{ path: /**, upstream: app }]
)")));
  for (auto const* name : {"X-User-Id", "x-user-id", "X_User_Id", "x-USER_id", "remote_user", "Doorward-Grant",
                           "doorward_anything", "Doorward-"}) {
    CAPTURE(name);
    CHECK(s.reserved.contains(name));
  }
  for (auto const* name : {"X-User-Ids", "User-Id", "X-User-Role", "Doorward", "Remote-Users"}) {
    CAPTURE(name);
    CHECK_FALSE(s.reserved.contains(name));
  }
}

TEST_CASE("reserved names, the defaults where no headers are given") {
  snapshot const s(model_of(yaml("routes: [{ path: /**, upstream: app }]\n")));
  CHECK(s.reserved.contains("X-User-Id"));
  CHECK(s.reserved.contains("X-User-Role"));
}

TEST_CASE("cookie, by how it is configured") {
  struct row {
    std::string more;
    std::string session;
    std::string remembered;
    std::string expired;
  };
  auto const [more, session, remembered, expired] = GENERATE(values<row>({
      {"", "sid=abc; Path=/; HttpOnly; SameSite=Lax", "sid=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Lax",
       "sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"},
      {"session: { cookie: { name: mine, same_site: strict } }\n", "mine=abc; Path=/; HttpOnly; SameSite=Strict",
       "mine=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict",
       "mine=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"},
      {"server: { public_origin: https://app.example.com }\n", "__Host-sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax",
       "__Host-sid=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax",
       "__Host-sid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax"},
      {"session: { cookie: { name: s, secure: true, same_site: none } }\n",
       "s=abc; Path=/; HttpOnly; Secure; SameSite=None", "s=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=None",
       "s=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None"},
  }));
  CAPTURE(more);
  snapshot const s(model_of(yaml(more + "routes: [{ path: /**, upstream: app }]\n")));
  CHECK(s.session_cookie("abc", std::chrono::seconds{0}) == session);
  CHECK(s.session_cookie("abc", std::chrono::seconds{60}) == remembered);
  CHECK(s.expire_cookie == expired);
}

TEST_CASE("cookie, signed") {
  snapshot const s(model_of(yaml(
      "session: { cookie: { keys: [0123456789abcdef0123456789abcdef] } }\nroutes: [{ path: /**, upstream: app }]\n")));
  CHECK(s.session_cookie("an-id-for-the-documentation", std::chrono::seconds{60}) ==
        "sid=an-id-for-the-documentation.a2haT0.7j7feqPgjtKnJACsa_PLnS_P-yU_y7S9; Max-Age=60; Path=/; HttpOnly; "
        "SameSite=Lax");
}

TEST_CASE("scheme and login address, as browsers know them") {
  snapshot const plain(model_of(yaml("routes: [{ path: /**, upstream: app }]\n")));
  CHECK(plain.public_scheme.empty());
  CHECK(plain.login_prefix == "/login?next=");
  snapshot const other(model_of(R"(
server: { public_origin: https://app.example.com }
redis: { url: "redis://127.0.0.1:6379" }
upstreams: { app: http://127.0.0.1:3000 }
identity: { upstream: app, login: /a/b, return_to: back }
routes: [{ path: /**, upstream: app }]
)"));
  CHECK(other.public_scheme == "https");
  CHECK(other.login_prefix == "/a/b?back=");
}

TEST_CASE("limits, those of the head") {
  snapshot const s(model_of(yaml(
      "server: { limits: { header_bytes: 16KiB, headers: 50, target_bytes: 2KiB } }\nroutes: [{ path: /**, upstream: "
      "app }]\n")));
  CHECK(s.limits.header_bytes == 16 * 1024);
  CHECK(s.limits.fields == 50);
  CHECK(s.limits.target_bytes == 2048);
}

TEST_CASE("trusted, by block and address") {
  struct row {
    std::string block;
    std::string address;
    bool trusted;
  };
  auto const [block, address, trusted] = GENERATE(values<row>({
      {"10.0.0.0/8", "10.0.0.0", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "9.255.255.255", false},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},  // what a listener on [::] sees
      {"10.0.0.0/8", "a00::1", false},
      {"192.0.2.1/32", "192.0.2.1", true},
      {"192.0.2.1/32", "192.0.2.0", false},
      {"192.0.2.1/32", "192.0.2.2", false},
      {"192.0.2.0/31", "192.0.2.1", true},
      {"192.0.2.0/31", "192.0.2.2", false},
      {"10.128.0.0/9", "10.128.0.0", true},
      {"10.128.0.0/9", "10.127.255.255", false},
      {"10.1.2.0/23", "10.1.3.255", true},
      {"10.1.2.0/23", "10.1.4.0", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"fd00::/8", "fd12:3456::1", true},
      {"fd00::/8", "fc00::1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"2001:db8::5/128", "2001:db8::5", true},
      {"2001:db8::5/128", "2001:db8::4", false},
      {"2001:db8::4/127", "2001:db8::5", true},
      {"2001:db8::4/127", "2001:db8::6", false},
      {"::1/128", "127.0.0.1", false},
  }));
  CAPTURE(block, address);
  snapshot const s(
      model_of(yaml("server: { trusted_proxies: [\"" + block + "\"] }\nroutes: [{ path: /**, upstream: app }]\n")));
  CHECK(s.is_trusted(bytes_of(address)) == trusted);
}

TEST_CASE("trusted, several blocks: one of them suffices; none at all: nobody") {
  snapshot const two(model_of(
      yaml("server: { trusted_proxies: [10.0.0.0/8, \"fd00::/8\"] }\nroutes: [{ path: /**, upstream: app }]\n")));
  CHECK(two.is_trusted(bytes_of("10.1.2.3")));
  CHECK(two.is_trusted(bytes_of("fd00::1")));
  CHECK_FALSE(two.is_trusted(bytes_of("127.0.0.1")));
  snapshot const none(model_of(yaml("routes: [{ path: /**, upstream: app }]\n")));
  CHECK_FALSE(none.is_trusted(bytes_of("127.0.0.1")));
  CHECK_FALSE(none.is_trusted({}));
}
