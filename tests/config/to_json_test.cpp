#include "loading.hpp"

using namespace doorward::config;

namespace {

constexpr char everything[] = R"(
server:
  listen: ["0.0.0.0:80", "[::1]:81", "unix:/run/$$d.sock"]
  workers: 3
  public_origin: https://app.example.com
  trusted_proxies: [10.0.0.0/8, "::1"]
  timeouts: { header: 1s, body_idle: 90s, drain: 1500ms }
  limits: { header_bytes: 16KiB, headers: 50, target_bytes: 1KiB, body_bytes: 1025B, connections: 7, connections_per_address: 3 }
admin: { listen: "" }
redis: { url: "redis://someone:geheim@h:1/2" }
session:
  cookie: { name: my_sid, secure: true, same_site: strict }
  key: "$$s:{id}:x"
  fields: { user: uid, roles: groups }
  layout: tagged
  limit: { per_device: 3 }
  bind: [ip_prefix]
  lifetime: { idle: 10m, absolute: 1h }
identity: { upstream: id, login: /in, logout: /out, return_to: back, mode: external }
upstreams:
  id: unix:/run/id.sock
  app: { endpoints: ["http://a:1", "http://[::1]:2"], retries: 0, connections: 9 }
headers: { Remote-User: "{uid}", X-Braces: "{{$$}} {plan?}", X-Key: "${SECRET} {uid}" }
defaults: { auth: passive }
routes:
  - { host: "*.example.com", path: "/a$$/*", methods: [GET], upstream: app, allow: { roles: [a, "b$$"], fields: { f: [x, y] } },
      auth: required, unauthenticated: redirect, strip_prefix: "/a$$", timeouts: { total: 61s }, body_bytes: 0B, csrf: false, upgrade: false }
  - { path: /b, respond: 404, auth: none }
  - { path: /c/**, upstream: app, rewrite: /d, require: { acr: 2, max_age: 90s } }
log: { level: "off", format: text, access: false }
)";

}  // namespace

TEST_CASE("the effective configuration can be read back, and is the same then") {
  for (std::string const text : {"", everything}) {
    auto const once = to_json(loaded_model(text));
    auto const again = load(once, "f", test_environment);
    INFO(described(again.problems));
    REQUIRE(again.value);
    CHECK(again.problems.empty());
    CHECK(to_json(*again.value) == once);
  }
}

TEST_CASE("no secret is in the effective configuration") {
  auto const shown = to_json(loaded_model(everything));
  CHECK(shown.find("geheim") == std::string::npos);
  CHECK(shown.find("hunter2") == std::string::npos);
  CHECK(shown.find(R"("password": "<redacted>")") != std::string::npos);
  CHECK(shown.find(R"("X-Key": "<redacted>{uid}")") != std::string::npos);
  CHECK(shown.find(R"("url": "redis://h:1/2")") != std::string::npos);
  CHECK(shown.find(R"("username": "someone")") != std::string::npos);
}

TEST_CASE("the admin listener's token is not shown") {
  auto const m = loaded_model("admin: { token: \"${SECRET}-0123456789abcdef/+=~._-\" }");
  CHECK(m.admin.token.reveal() == "hunter2-0123456789abcdef/+=~._-");
  auto const shown = to_json(m);
  CHECK(shown.find("0123456789abcdef") == std::string::npos);
  CHECK(shown.find(R"("token": "<redacted>")") != std::string::npos);
  CHECK(to_json(loaded_model("")).find(R"("token": "")") != std::string::npos);
}

TEST_CASE("keys that ids are signed with are shown by their names, and cannot be read back") {
  auto const shown =
      to_json(loaded_model("session: { store_hashed: true, cookie: { keys: [0123456789abcdef0123456789abcdef] } }"));
  CHECK(shown.find("0123456789abcdef") == std::string::npos);
  CHECK(shown.find(R"("<redacted, kid a2haT0>")") != std::string::npos);
  CHECK(shown.find(R"("store_hashed": true)") != std::string::npos);
  CHECK_FALSE(load(shown, "f", test_environment).value);
}

TEST_CASE("bytes that are not UTF-8 do not stop it") {
  auto m = loaded_model("");
  m.routes[0].allow.roles = {"a\xFF"};
  CHECK(to_json(m).find("\xEF\xBF\xBD") != std::string::npos);
}

TEST_CASE("an application's secrets are not shown in any form") {
  auto const shown = to_json(loaded_model(R"(
identity: { upstream: id, mode: external }
session: { encoding: json, cookie: { codec: express, shared: true, keys: [keyboard cat, older] } }
)"));
  CHECK(shown.find("keyboard") == std::string::npos);
  CHECK(shown.find("kid") == std::string::npos);
  CHECK(shown.find(R"("codec": "express")") != std::string::npos);
  CHECK(shown.find(R"("shared": true)") != std::string::npos);
  CHECK(shown.find(R"("encoding": "json")") != std::string::npos);
  // Nor can what is shown be read back as one.
  CHECK_FALSE(load_completed("identity: { upstream: id, mode: external }\n"
                             "session: { cookie: { codec: express, keys: [<redacted>] } }")
                  .value);
}
