#include "config/description.hpp"
#include "config/sections.hpp"

namespace doorward::config {
namespace {

typed<document> whole_file() {
  auto const version = parsed_text<int>("version", "^1$", [](std::string_view written) -> parsed<int> {
    if (written == "1") return 1;
    return complaint{"this doorward reads version 1 of the format"};
  });
  auto version_key = field("version", &document::version, version, "1", "The version of this format.");
  version_key.value.type = description::kind::integer;
  version_key.value.least = version_key.value.most = 1;
  return mapping<document>({
      std::move(version_key),
      field("server", &document::server, describe_server(), "", "The side that faces clients."),
      field("admin", &document::admin, describe_admin(), "", "Health, metrics and the effective configuration."),
      field("redis", &document::redis_as_written, describe_redis(), "", "Where sessions are."),
      field("session", &document::session, describe_session(), "", "What a session is and how long it lives."),
      field("identity", &document::identity, describe_identity(), "", "The service that logs people in.").required(),
      field("assertion", &document::assertion, describe_assertion(), "",
            "A signed statement of who asks, for upstreams to verify."),
      field("upstreams", &document::upstreams, describe_upstreams(), "",
            "The services behind doorward, each under a name: a URL, or a mapping.")
          .required(),
      field("headers", &document::headers, describe_headers(), "",
            "Headers that are injected on authenticated requests, and removed from what clients send.")
          .without("`X-User-Id: \"{userId}\"` and `X-User-Role: \"{role?}\"`, with the names from `session.fields`"),
      field("defaults", &document::defaults, describe_defaults(), "", "What routes are that do not say otherwise."),
      field("routes", &document::routes, describe_routes(), "", "The first that matches decides; none is 404.")
          .required(),
      field("log", &document::log, describe_log(), "",
            "What is logged; all but the access log goes to standard error."),
      unused<document>("tracing", describe_tracing(), "", "Distributed tracing."),
  });
}

}  // namespace

description const& file_description() {
  static typed<document> const described = whole_file();
  return described;
}

}  // namespace doorward::config
