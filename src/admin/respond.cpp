#include "admin/respond.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace doorward::admin {
namespace {

constexpr std::string_view text = "text/plain; charset=utf-8";
constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

response live(sources const&, std::string_view) {
  return {200, text, {}, "ok\n"};
}

// `strict=1` anywhere in the query; all else in it is ignored.
bool is_strict(std::string_view query) noexcept {
  while (!query.empty()) {
    auto const part = query.substr(0, query.find('&'));
    if (part == "strict=1") return true;
    query.remove_prefix(std::min(query.size(), part.size() + 1));
  }
  return false;
}

response ready(sources const& from, std::string_view query) {
  auto const r = from.ready();
  auto const yes = is_strict(query) ? r.ready && r.strict_ready : r.ready;
  auto const body = nlohmann::ordered_json{{"ready", yes}, {"reasons", r.reasons}};
  // A reason may quote a server's error text, which need not be UTF-8.
  auto const text_of_body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return {yes ? 200u : 503u, "application/json", {}, text_of_body + '\n'};
}

response metrics(sources const& from, std::string_view) {
  return {200, prometheus_text, {}, from.metrics_text()};
}

response configuration(sources const& from, std::string_view) {
  return {200, "application/json", {}, from.config_json()};
}

response reload(sources const&, std::string_view) {
  return {501,
          "application/json",
          {},
          R"({"error":"reloading is not available yet; restart instead"})"
          "\n"};
}

struct endpoint {
  std::string_view path;
  std::string_view allow;
  response (*answer)(sources const&, std::string_view query);
};
constexpr std::array endpoints{
    endpoint{"/livez", "GET, HEAD", live},      endpoint{"/readyz", "GET, HEAD", ready},
    endpoint{"/metrics", "GET, HEAD", metrics}, endpoint{"/config", "GET, HEAD", configuration},
    endpoint{"/reload", "POST", reload},
};

bool allows(endpoint const& e, std::string_view method) noexcept {
  return e.allow == "POST" ? method == "POST" : method == "GET" || method == "HEAD";
}

}  // namespace

response respond(sources const& from, std::string_view method, std::string_view target) noexcept try {
  auto const question = target.find('?');
  auto const path = target.substr(0, question);
  auto const query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  for (auto const& e : endpoints) {
    if (e.path != path) continue;
    if (!allows(e, method)) return {405, text, e.allow, "method not allowed\n"};
    return e.answer(from, query);
  }
  return {404, text, {}, "not found; there are /livez /readyz /metrics /config /sessions and POST /reload\n"};
} catch (...) {
  return {500, text, {}, {}};
}

}  // namespace doorward::admin
