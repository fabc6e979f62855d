#include "config/sections.hpp"

namespace doorward::config {

typed<redis_section> describe_redis() {
  auto const time = duration(milliseconds{1}, milliseconds{std::chrono::minutes{1}});
  auto const url = parsed_text<redis_url>("Redis URL", "^(redis://.+|unix:/.+)$", parse_redis_url);
  auto const secret = parsed_text<redacted>(
      "password", "", [](std::string_view written) -> parsed<redacted> { return redacted{std::string{written}}; });
  auto timeouts = mapping<redis_section>({
      field("connect", &redis_section::connect_timeout, time, "1s", "To connect and authenticate."),
      field("command", &redis_section::command_timeout, time, "250ms",
            "To answer one command; then the request is refused with 503."),
  });
  auto const nodes = list(any_text("host:port"));
  auto const sentinel = mapping<nothing>({
      unused<nothing>("master", any_text("name"), "", "The name of the master."),
      unused<nothing>("nodes", nodes, "", "The sentinels."),
      unused<nothing>("password", any_text("password"), "", "The sentinels' password."),
  });
  auto const cluster = mapping<nothing>({unused<nothing>("nodes", nodes, "", "Some nodes of the cluster.")});
  auto const tls = mapping<nothing>({
      unused<nothing>("ca", any_text("file"), "\"\"", "Certificate authority, PEM.").not_yet(),
      unused<nothing>("cert", any_text("file"), "\"\"", "Client certificate, PEM.").not_yet(),
      unused<nothing>("key", any_text("file"), "\"\"", "Its private key, PEM.").not_yet(),
      unused<nothing>("server_name", any_text("host name"), "\"\"", "The name Redis's certificate must carry.")
          .not_yet(),
  });
  return mapping<redis_section>({
      field(
          "url", &redis_section::url, url, default_redis_url,
          "`redis://user:password@host:port/db`, or `unix:///run/redis.sock?db=0`; user and password percent-encoded."),
      unused<redis_section>("sentinel", sentinel, "", "Sentinels that know the master.").not_yet(),
      unused<redis_section>("cluster", cluster, "", "A Redis Cluster.").not_yet(),
      field("username", &redis_section::username, any_text("user name"), "\"\"",
            "ACL user; goes before the one in the URL. Needs a password."),
      field("password", &redis_section::password, secret, "\"\"", "Goes before the one in the URL."),
      unused<redis_section>("tls", tls, "", "How rediss:// is verified."),
      group("timeouts", std::move(timeouts), "How long Redis may take."),
  });
}

}  // namespace doorward::config
