#include "loading.hpp"

using namespace doorward::config;

TEST_CASE("server: values that cannot be") {
  constexpr char origin[] = "an origin is scheme, host and port, and nothing else";
  check_each({
      {"version: @@2", "version", "this doorward reads version 1 of the format"},
      {"server: { listen: @@8080 }", "server.listen",
       "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path`", "write `127.0.0.1:8080`"},
      {"server: { listen: [127.0.0.1:1, @@\":80\"] }", "server.listen[1]",
       "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path`", "write `0.0.0.0:80`"},
      {"server: { listen: 127.0.0.1:@@99999 }", "server.listen", "a port is a number from 0 to 65535"},
      {"server: { workers: @@0 }", "server.workers", "a whole number from 1 to 1024 is expected here"},
      {"server: { workers: @@-1 }", "server.workers", "a whole number from 1 to 1024 is expected here"},
      {"server: { workers: @@all }", "server.workers", "a whole number from 1 to 1024 is expected here"},
      {"server: { public_origin: @@https://a/b }", "server.public_origin", origin, "write `https://a`"},
      {"server: { trusted_proxies: [@@10.0.0.1/8] }", "server.trusted_proxies[0]", "bits are set behind the prefix",
       "write `10.0.0.0/8`, or the address alone"},
      {"server: { trusted_proxies: [10.0.0.0/@@99] }", "server.trusted_proxies[0]",
       "the prefix length is a number from 0 to 32"},
      {"server: { timeouts: { header: @@30 } }", "server.timeouts.header", "a duration needs a unit", "write `30s`"},
      {"server: { timeouts: { header: @@0s } }", "server.timeouts.header", "must be from 1ms to 1d"},
      {"server: { timeouts: { idle: @@25h } }", "server.timeouts.idle", "must be from 1ms to 1d"},
      {"server: { timeouts: { drain: @@-1s } }", "server.timeouts.drain", "a duration must not be negative",
       "for example `30s`"},
      {"server: { limits: { header_bytes: @@512B } }", "server.limits.header_bytes", "must be from 1KiB to 1MiB"},
      {"server: { limits: { header_bytes: @@2MiB } }", "server.limits.header_bytes", "must be from 1KiB to 1MiB"},
      {"server: { limits: { header_bytes: @@32768 } }", "server.limits.header_bytes", "a size needs a unit",
       "write `32KiB`"},
      {"server: { limits: { headers: @@0 } }", "server.limits.headers",
       "a whole number from 1 to 10000 is expected here"},
      {"server: { limits: { headers: @@99999999999999999999 } }", "server.limits.headers",
       "a whole number from 1 to 10000 is expected here"},
      {"server: { limits: { target_bytes: @@64KiB } }", "server.limits.target_bytes",
       "target_bytes (64KiB) must not be more than header_bytes (32KiB)"},
      {"server: { limits: { header_bytes: @@4KiB } }", "server.limits.header_bytes",
       "target_bytes (8KiB) must not be more than header_bytes (4KiB)"},
      {"server: { limits: { body_bytes: @@2048GiB } }", "server.limits.body_bytes", "must be from 0B to 1024GiB"},
      {"server: { limits: { connections: @@1.5 } }", "server.limits.connections",
       "a whole number from 1 to 10000000 is expected here"},
  });
}

TEST_CASE("admin.token: what cannot be one") {
  constexpr char charset[] = "a token has letters, digits and any of `-._~+/=`, and nothing else";
  check_each({
      {"admin: { token: @@fifteen-letters }", "admin.token", "a token has at least 16 characters",
       "for example what `openssl rand -hex 32` prints"},
      {"admin: { token: @@\"0123456789 abcdef\" }", "admin.token", charset},
      {"admin: { token: @@\"0123456789:abcdef\" }", "admin.token", charset},
      {"admin: { token: @@\"0123456789abcde\u00e4\" }", "admin.token", charset},
      {"admin: { token: @@" + std::string(1025, 'x') + " }", "admin.token", "a token has at most 1024 characters"},
      {"admin: { token: @@[a] }", "admin.token", "a token is expected here, not a list"},
  });
}

TEST_CASE("listeners that take each other's address") {
  check_each({
      {"server: { listen: [127.0.0.1:1, @@127.0.0.1:1] }", "server.listen[1]", "the same address as server.listen[0]"},
      {"server: { listen: [\"unix:/a\", @@\"unix:/a\"] }", "server.listen[1]", "the same address as server.listen[0]"},
      {"server: { listen: 127.0.0.1:1 }\nadmin: { listen: @@127.0.0.1:1 }", "admin.listen",
       "the same address as server.listen"},
      {"server: { listen: @@127.0.0.1:9090 }", "server.listen", "the same address as admin.listen"},
      {"admin: { listen: @@127.0.0.1:8080 }", "admin.listen", "the same address as server.listen"},
  });
}

TEST_CASE("listeners that do not") {
  for (auto const* text :
       {"server: { listen: [127.0.0.1:0, 127.0.0.1:0] }\nadmin: { listen: 127.0.0.1:0 }",
        "server: { listen: [127.0.0.1:1, 127.0.0.2:1, \"[::1]:1\"] }", "server: { listen: [\"unix:/a\", \"unix:/b\"] }",
        "server: { listen: 127.0.0.1:9090 }\nadmin: { listen: \"\" }"}) {
    INFO(text);
    CHECK(load_completed(text).problems.empty());
  }
}

TEST_CASE("everybody trusted as a proxy is worth a warning") {
  check_each({{"server: { trusted_proxies: [@@0.0.0.0/0] }", "server.trusted_proxies[0]",
               "everybody's X-Forwarded-* headers are believed", "name the proxies in front, and nobody else"},
              {"server: { trusted_proxies: [10.0.0.0/8, @@\"::/0\"] }", "server.trusted_proxies[1]",
               "everybody's X-Forwarded-* headers are believed", "name the proxies in front, and nobody else"}},
             problem::level::warning);
}

TEST_CASE("admin, log and tracing: values that cannot be") {
  check_each({
      {"admin: { listen: @@off }", "admin.listen",
       "not an address to listen on: `host:port`, `[v6]:port` or `unix:/path`", "write `off:8080`"},
      {"log: { level: @@warning }", "log.level",
       "one of `trace`, `debug`, `info`, `warn`, `error` or `off` is expected here", "did you mean `warn`?"},
      {"log: { access: @@yes }", "log.access", "`true` or `false` is expected here", "write `true`"},
      {"log: { access: @@False }", "log.access", "`true` or `false` is expected here", "write `false`"},
      {"log: { access: @@\"1\" }", "log.access", "`true` or `false` is expected here", "write `true`"},
      {"log: { access: @@maybe }", "log.access", "`true` or `false` is expected here"},
      {"tracing: { sample: @@1.5 }", "tracing.sample", "a number from 0 to 1 is expected here"},
      {"tracing: { sample: @@-0.5 }", "tracing.sample", "a number from 0 to 1 is expected here"},
  });
}

TEST_CASE("redis: values that cannot be") {
  check_each({
      {"redis: { url: @@127.0.0.1:6379 }", "redis.url", "not a URL",
       "for example `redis://127.0.0.1:6379/0`; in user and password, reserved characters are written as %XX"},
      {"redis: { url: @@redis://h/x }", "redis.url", "the database is a number from 0 to 65535"},
      {"redis: { username: @@u }", "redis.username", "a user needs a password",
       "give `redis.password`, or leave the user out"},
      {"redis: { url: @@redis://u@h }", "redis.url", "a user needs a password",
       "give `redis.password`, or leave the user out"},
      {"redis: { timeouts: { command: @@0s } }", "redis.timeouts.command", "must be from 1ms to 1m"},
      {"redis: { timeouts: { connect: @@5m } }", "redis.timeouts.connect", "must be from 1ms to 1m"},
      {"redis: { timeouts: { @@commands: 1s } }", "redis.timeouts.commands", "unknown key", "did you mean `command`?"},
  });
}
