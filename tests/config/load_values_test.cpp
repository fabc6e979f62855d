#include "loading.hpp"

using namespace doorward;
using namespace doorward::config;

TEST_CASE("the smallest useful file gives every default") {
  auto const got = load(R"(redis: { url: "redis://127.0.0.1:6379" }
upstreams:
  app: http://127.0.0.1:3000
  identity: http://127.0.0.1:4000
identity: { upstream: identity }
routes:
  - { path: /**, upstream: app }
)",
                        "small.yaml", test_environment);
  INFO(described(got.problems));
  CHECK(got.problems.empty());
  REQUIRE(got.value);
  auto const& m = *got.value;
  CHECK(m.file == "small.yaml");
  REQUIRE(m.server.listen.size() == 1);
  CHECK(m.server.listen[0].address.text == "127.0.0.1:8080");
  CHECK(m.server.workers == 0);
  CHECK(m.server.limits.header_bytes == 32'768);
  CHECK(m.server.timeouts.header == milliseconds{10'000});
  REQUIRE(m.admin.listen);
  CHECK(m.admin.listen->text == "127.0.0.1:9090");
  CHECK(m.redis.server.port == 6379);
  CHECK(m.redis.password.empty());
  CHECK(m.session.cookie.name == "sid");
  CHECK_FALSE(m.session.cookie.secure);
  CHECK(m.session.key.prefix == "session:");
  CHECK(m.session.layout == key_layout::plain);
  CHECK(m.session.bind.empty());
  CHECK(m.session.limit.per_device == 0);
  CHECK(m.session.key.suffix.empty());
  CHECK(m.identity.upstream == "identity");
  REQUIRE(m.upstreams.size() == 2);
  CHECK(m.upstreams[0].name == "app");
  REQUIRE(m.headers.size() == 2);
  CHECK(m.headers[0].name == "X-User-Id");
  CHECK(m.headers[0].parts[0].text == "userId");
  CHECK_FALSE(m.headers[0].parts[0].optional);
  CHECK(m.headers[1].parts[0].text == "role");
  CHECK(m.headers[1].parts[0].optional);
  REQUIRE(m.routes.size() == 1);
  CHECK(m.routes[0].id == "/**");
  CHECK(m.routes[0].auth == auth_mode::required);
  CHECK(m.routes[0].where.line == 7);
  CHECK(m.routes[0].where.column == 5);
}

TEST_CASE("values arrive where they belong") {
  auto const m = loaded_model(R"(
version: 1
server:
  listen: ["0.0.0.0:80", "[::1]:81", "unix:/run/d.sock"]
  workers: 3
  public_origin: https://App.example.com:443
  trusted_proxies: [10.0.0.0/8, "::1"]
  timeouts: { header: 1s, body_idle: 2s, idle: 3s, write_idle: 4s, stream_idle: 5s, drain_delay: 0s, drain: 0s }
  limits: { header_bytes: 16KiB, headers: 50, target_bytes: 1KiB, body_bytes: 0B, connections: 7, connections_per_address: 3 }
admin: { listen: "" }
redis:
  url: redis://u:p@h:1/2
  timeouts: { connect: 5s, command: 6ms }
session:
  cookie: { name: my_sid, secure: true, same_site: none }
  key: "s:{id}:x"
  index: "{user}"
  fields: { user: uid, roles: groups, created: born, last_seen: seen }
  lifetime: { idle: 10m, absolute: 1h, remember_idle: 1d, remember_absolute: 2d, touch_every: 5s, streams: true }
  layout: tagged
  limit: { per_user: 4, per_device: 2, when_full: deny }
  bind: [ip_prefix, user_agent, ip_prefix]
  recheck: 200ms
identity: { upstream: id, login: /auth/in, logout: /auth/out, return_to: back, mode: external }
upstreams:
  id: unix:/run/id.sock
  app:
    endpoints: ["http://a:1", "http://b:2"]
    balance: round_robin
    timeouts: { connect: 1ms, first_byte: 2ms, idle: 3ms }
    retries: 0
    connections: 9
    protocol: http1
headers: { Remote-User: "{uid}" }
defaults: { auth: passive }
routes:
  - { id: one, host: "*.Example.com", path: /a/*, methods: [GET, PURGE], auth: required, upstream: app,
      allow: { roles: [admin, staff], fields: { plan: [pro, team], level: [1] } },
      require: { acr: 2, max_age: 10m },
      unauthenticated: reject, strip_prefix: /a, timeouts: { total: 60s }, body_bytes: 1GiB, csrf: false,
      upgrade: false }
  - { path: /b, respond: 404 }
  - { path: /c/**, upstream: app, rewrite: /d }
log: { level: debug, format: json, access: false }
tracing: { otlp: "", sample: 0.5 }
)");
  REQUIRE(m.server.listen.size() == 3);
  CHECK(m.server.listen[1].address.host == "::1");
  CHECK(m.server.listen[2].address.path == "/run/d.sock");
  CHECK(m.server.workers == 3);
  CHECK(m.server.public_origin == "https://app.example.com");
  REQUIRE(m.server.trusted_proxies.size() == 2);
  CHECK(m.server.trusted_proxies[0].prefix == 104);
  auto const& t = m.server.timeouts;
  CHECK(t.header == milliseconds{1'000});
  CHECK(t.body_idle == milliseconds{2'000});
  CHECK(t.idle == milliseconds{3'000});
  CHECK(t.write_idle == milliseconds{4'000});
  CHECK(t.stream_idle == milliseconds{5'000});
  CHECK(t.drain_delay == milliseconds{0});
  CHECK(t.drain == milliseconds{0});
  auto const& l = m.server.limits;
  CHECK(l.header_bytes == 16'384);
  CHECK(l.headers == 50);
  CHECK(l.target_bytes == 1'024);
  CHECK(l.body_bytes == 0);
  CHECK(l.connections == 7);
  CHECK(l.connections_per_address == 3);
  CHECK_FALSE(m.admin.listen.has_value());
  CHECK(m.redis.server.host == "h");
  CHECK(m.redis.server.port == 1);
  CHECK(m.redis.database == 2);
  CHECK(m.redis.username == "u");
  CHECK(m.redis.password.reveal() == "p");
  CHECK(m.redis.connect_timeout == milliseconds{5'000});
  CHECK(m.redis.command_timeout == milliseconds{6});
  CHECK(m.session.cookie.name == "my_sid");
  CHECK(m.session.cookie.secure);
  CHECK(m.session.cookie.policy == same_site::none);
  CHECK(m.session.key.prefix == "s:");
  CHECK(m.session.key.suffix == ":x");
  CHECK(m.session.index.prefix.empty());
  CHECK(m.session.layout == key_layout::tagged);
  CHECK(m.session.limit.per_user == 4);
  CHECK(m.session.limit.per_device == 2);
  CHECK(m.session.limit.when_full == limit_action::deny);
  CHECK(m.session.bind.user_agent);
  CHECK(m.session.bind.ip_prefix);
  CHECK(m.session.fields.user == "uid");
  CHECK(m.session.fields.roles == "groups");
  CHECK(m.session.fields.created == "born");
  CHECK(m.session.fields.last_seen == "seen");
  CHECK(m.session.lifetime.idle == seconds{600});
  CHECK(m.session.lifetime.absolute == seconds{3600});
  CHECK(m.session.lifetime.remember_idle == seconds{86'400});
  CHECK(m.session.lifetime.remember_absolute == seconds{172'800});
  CHECK(m.session.lifetime.touch_every == seconds{5});
  CHECK(m.session.lifetime.streams);
  CHECK(m.session.recheck == milliseconds{200});
  CHECK(m.identity.upstream == "id");
  CHECK(m.identity.login == "/auth/in");
  CHECK(m.identity.logout == "/auth/out");
  CHECK(m.identity.return_to == "back");
  CHECK(m.identity.mode == identity_mode::external);
  REQUIRE(m.upstreams.size() == 2);
  CHECK(m.upstreams[0].endpoints[0].path == "/run/id.sock");
  auto const& app = m.upstreams[1];
  REQUIRE(app.endpoints.size() == 2);
  CHECK(app.endpoints[1].text == "b:2");
  CHECK(app.timeouts.connect == milliseconds{1});
  CHECK(app.timeouts.first_byte == milliseconds{2});
  CHECK(app.timeouts.idle == milliseconds{3});
  CHECK(app.retries == 0);
  CHECK(app.connections == 9);
  REQUIRE(m.headers.size() == 1);
  CHECK(m.headers[0].name == "Remote-User");
  REQUIRE(m.routes.size() == 3);
  auto const& one = m.routes[0];
  CHECK(one.id == "one");
  CHECK(one.host == "*.example.com");
  CHECK(one.path == "/a/*");
  CHECK(one.methods == std::vector<std::string>{"GET", "PURGE"});
  CHECK(one.auth == auth_mode::required);
  CHECK(one.allow.roles == std::vector<std::string>{"admin", "staff"});
  REQUIRE(one.allow.fields.size() == 2);
  CHECK(one.allow.fields[0].first == "plan");
  CHECK(one.allow.fields[0].second == std::vector<std::string>{"pro", "team"});
  CHECK(one.allow.fields[1].second == std::vector<std::string>{"1"});
  CHECK(one.require.acr == 2);
  CHECK(one.require.max_age == seconds{600});
  CHECK(one.unauthenticated == unauthenticated_action::reject);
  CHECK(one.strip_prefix == "/a");
  CHECK(one.total_timeout == milliseconds{60'000});
  CHECK(one.body_bytes == 1'073'741'824U);
  CHECK_FALSE(one.csrf);
  CHECK_FALSE(one.upgrade);
  CHECK(m.routes[1].respond == 404U);
  CHECK(m.routes[1].upstream.empty());
  CHECK(m.routes[1].auth == auth_mode::passive);
  CHECK(m.routes[2].rewrite == "/d");
  CHECK(m.log.level == log_level::debug);
  CHECK(m.log.format == log_format::json);
  CHECK_FALSE(m.log.access);
}

TEST_CASE("secure: auto follows the listeners and the public origin") {
  struct row {
    char const* server;
    bool secure;
  };
  for (auto const& [server, secure] : std::vector<row>{{"{ listen: 127.0.0.1:8080 }", false},
                                                       {"{ listen: localhost:8080 }", false},
                                                       {"{ listen: [\"[::1]:80\", \"unix:/x\"] }", false},
                                                       {"{ listen: 0.0.0.0:8080 }", true},
                                                       {"{ listen: [127.0.0.1:80, 10.0.0.1:80] }", true},
                                                       {"{ listen: unix:/x, public_origin: https://a }", true},
                                                       {"{ listen: unix:/x, public_origin: http://a }", false}}) {
    for (auto const* cookie : {"", "session: { cookie: { secure: auto } }\n"}) {
      auto const m = loaded_model(std::string{"server: "} + server + "\n" + cookie);
      CHECK(m.session.cookie.secure == secure);
      CHECK(m.session.cookie.name == (secure ? "__Host-sid" : "sid"));
    }
  }
}

TEST_CASE("secure given goes before what the listeners suggest") {
  CHECK(loaded_model("session: { cookie: { secure: true } }").session.cookie.name == "__Host-sid");
  auto const m = loaded_model("server: { listen: 0.0.0.0:80 }\nsession: { cookie: { secure: false } }");
  CHECK_FALSE(m.session.cookie.secure);
  CHECK(m.session.cookie.name == "sid");
}

TEST_CASE("redis.username and redis.password go before the url's, whatever comes first") {
  for (auto const* text : {"redis: { url: 'redis://a:b@h', username: c, password: d }",
                           "redis: { username: c, password: d, url: 'redis://a:b@h' }"}) {
    auto const m = loaded_model(text);
    CHECK(m.redis.username == "c");
    CHECK(m.redis.password.reveal() == "d");
  }
  auto const m = loaded_model("redis: { url: 'redis://a@h', password: d }");
  CHECK(m.redis.username == "a");
  CHECK(m.redis.password.reveal() == "d");
}

TEST_CASE("values are interpolated wherever they stand") {
  auto const m = loaded_model(R"(
server: { listen: "${HOST}:${PORT}", workers: "${WORKERS:-2}", limits: { headers: "${N:-7}" } }
redis: { password: "${SECRET}" }
session: { cookie: { secure: "${SECURE:-true}", same_site: "${SAME_SITE:-strict}" }, lifetime: { idle: "${IDLE:-5m}" } }
headers: { X-Id: "$$-{userId}", X-Key: "${SECRET}{plan?}" }
)");
  CHECK(m.server.listen[0].address.text == "10.1.2.3:8123");
  CHECK(m.server.workers == 2);
  CHECK(m.server.limits.headers == 7);
  CHECK(m.redis.password.reveal() == "hunter2");
  CHECK(m.session.cookie.secure);
  CHECK(m.session.cookie.policy == same_site::strict);
  CHECK(m.session.lifetime.idle == seconds{300});
  CHECK(m.headers[0].parts[0].text == "$-");
  CHECK_FALSE(m.headers[0].external);
  CHECK(m.headers[1].parts[0].text == "hunter2");
  CHECK(m.headers[1].external);
}

TEST_CASE("auto may come from outside too") {
  auto const m =
      loaded_model("server: { workers: \"${WORKERS:-auto}\" }\nsession: { cookie: { secure: \"${S:-auto}\" } }");
  CHECK(m.server.workers == 0);
  CHECK_FALSE(m.session.cookie.secure);
}

TEST_CASE("keys are not interpolated") {
  check_one({"headers: { @@\"${HOST}\": x }", "headers.${HOST}", "not a header's name: letters, digits and `-`"});
}

TEST_CASE("sections with nothing in them are as if they were not there") {
  auto const m =
      loaded_model("server:\nadmin:\nredis:\nsession:\n  cookie:\n  lifetime:\nlog:\ntracing:\ndefaults: ~\n");
  CHECK(m.server.listen.size() == 1);
  CHECK(m.session.cookie.name == "sid");
  CHECK(loaded_model("headers: {}").headers.empty());
}

TEST_CASE("default headers follow the names of the fields") {
  auto const m = loaded_model("session: { fields: { user: uid, roles: groups } }");
  REQUIRE(m.headers.size() == 2);
  CHECK(m.headers[0].parts[0].text == "uid");
  CHECK(m.headers[1].parts[0].text == "groups");
}

TEST_CASE("routes without an id are named after their path, once each") {
  auto const m = loaded_model(R"(
routes:
  - { path: /a, methods: [GET, HEAD], upstream: app }
  - { path: /a, methods: [POST], upstream: app }
  - { path: /a, host: a.example, upstream: app }
  - { path: /a, host: b.example, methods: [PUT], upstream: app }
  - { path: /a, upstream: app, id: "/b" }
  - { path: /b, upstream: app }
  - { path: /c, methods: [GET], upstream: app }
  - { path: /c, methods: [PUT], upstream: app }
  - { path: /c, methods: [PUT, GET, POST], upstream: app, id: "/c:PUT" }
)");
  std::vector<std::string> ids;
  for (auto const& r : m.routes)
    ids.push_back(r.id);
  CHECK(ids == std::vector<std::string>{"/a", "/a:POST", "/a@a.example", "/a@b.example:PUT", "/b", "/b#2", "/c",
                                        "/c:PUT#2", "/c:PUT"});
}

TEST_CASE("a byte order mark and DOS line ends are no matter") {
  auto const got = load("\xEF\xBB\xBF" + completed("server:\r\n  workers: 4\r\n"), "f", test_environment);
  REQUIRE(got.value);
  CHECK(got.value->server.workers == 4);
}

TEST_CASE("an anchor can be used for what repeats") {
  auto const m = loaded_model(R"(
upstreams:
  id: http://id
  app: { endpoints: [http://a], timeouts: &t { connect: 5s } }
  b: { endpoints: [http://b], timeouts: *t }
)");
  CHECK(m.upstreams[2].timeouts.connect == milliseconds{5'000});
}
