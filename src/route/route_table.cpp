#include "doorward/route/route_table.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <unordered_map>

#include "doorward/http/path_pattern.hpp"
#include "route/path_trie.hpp"

namespace doorward::route {
namespace {

struct string_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

using roots = std::unordered_map<std::string, path_trie::node_id, string_hash, std::equal_to<>>;
using methods = std::vector<std::string>;

methods compile_methods(methods listed) {
  if (std::ranges::find(listed, "GET") != listed.end()) listed.emplace_back("HEAD");
  std::ranges::sort(listed);
  listed.erase(std::unique(listed.begin(), listed.end()), listed.end());
  return listed;
}

}  // namespace

struct route_table::compiled {
  path_trie paths;
  path_trie::node_id any_host = paths.add_root();
  roots exact_hosts;
  roots hosts_below;             // ".example.com", for "*.example.com"
  std::vector<methods> allowed;  // by route; empty = all
  // A literal holds a byte that a client may escape or not, so escapes are a second way to read a path.
  bool reserved_literals = false;

  path_trie::node_id root_for(std::string const& host) {
    if (host.empty()) return any_host;
    bool const below = host.starts_with("*.");
    auto const [at, is_new] = (below ? hosts_below : exact_hosts).try_emplace(below ? host.substr(1) : host);
    if (is_new) at->second = paths.add_root();
    return at->second;
  }

  bool allows(std::uint32_t route, std::string_view method) const noexcept {
    auto const& list = allowed[route];
    return list.empty() || std::ranges::find(list, method) != list.end();
  }

  // Calls take(values) for the routes that match host and path, as path_trie::match does.
  template <class Take>
  void visit(std::string_view host, std::string_view path, std::uint32_t const& bound, Take&& take) const {
    if (path == http::unreadable_path) return;
    paths.match(any_host, path, bound, take);
    if (auto const at = exact_hosts.find(host); at != exact_hosts.end()) paths.match(at->second, path, bound, take);
    if (hosts_below.empty()) return;
    for (auto dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1))
      if (auto const at = hosts_below.find(host.substr(dot)); at != hosts_below.end())
        paths.match(at->second, path, bound, take);
  }

  match find_literally(subject const& s, std::string_view path) const {
    static constexpr auto none = std::numeric_limits<std::uint32_t>::max();
    bool path_matches = false;
    auto best = none;
    visit(s.host, path, best, [&](std::vector<std::uint32_t> const& routes) {
      path_matches = true;
      for (auto const route : routes) {
        if (route >= best) return;
        if (allows(route, s.method)) {
          best = route;
          return;
        }
      }
    });
    if (best != none) return {match::outcome::found, best};
    return {path_matches ? match::outcome::method_not_allowed : match::outcome::no_route, 0};
  }

  match find(subject const& s, std::string_view path) const {
    auto const found = find_literally(s, path);
    if (!reserved_literals || path.find('%') == std::string_view::npos) return found;
    auto const decoded = http::decode_reserved(path);
    if (decoded == path || find_literally(s, decoded) == found) return found;
    return {match::outcome::ambiguous, 0};
  }
};

route_table::route_table(std::vector<config::route_config> const& routes) {
  auto table = std::make_unique<compiled>();
  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto const& r = routes[i];
    http::path_pattern const pattern(r.path);
    table->paths.insert(table->root_for(r.host), pattern, static_cast<std::uint32_t>(i));
    table->allowed.push_back(compile_methods(r.methods));
    for (auto const& segment : pattern.segments())
      if (!segment.any && http::has_reserved(segment.text)) table->reserved_literals = true;
  }
  compiled_ = std::move(table);
}

route_table::route_table(route_table&&) noexcept = default;
route_table& route_table::operator=(route_table&&) noexcept = default;
route_table::~route_table() = default;

match route_table::find(subject const& s) const {
  auto const found = compiled_->find(s, s.path.text());
  if (s.path.plain()) return found;
  for (auto const& reading : s.path.readings())
    if (compiled_->find(s, reading) != found) return {match::outcome::ambiguous, 0};
  return found;
}

std::vector<std::string> route_table::allowed_methods(subject const& s) const {
  static constexpr auto all = std::numeric_limits<std::uint32_t>::max();
  methods names;
  compiled_->visit(s.host, s.path.text(), all, [&](std::vector<std::uint32_t> const& routes) {
    for (auto const route : routes) {
      auto const& list = compiled_->allowed[route];
      names.insert(names.end(), list.begin(), list.end());
    }
  });
  return compile_methods(std::move(names));
}

std::size_t route_table::size() const noexcept {
  return compiled_->allowed.size();
}

}  // namespace doorward::route
