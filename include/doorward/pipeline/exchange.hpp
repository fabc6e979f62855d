#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doorward/base/errc.hpp"
#include "doorward/http/cookies.hpp"
#include "doorward/http/head.hpp"
#include "doorward/http/target.hpp"
#include "doorward/obs/labels.hpp"
#include "doorward/obs/trace.hpp"
#include "doorward/pipeline/downstream.hpp"
#include "doorward/runtime/worker.hpp"
#include "doorward/session/likeness.hpp"
#include "doorward/session/record.hpp"

namespace doorward::pipeline {

/// One request and its answer, as data. Each stage reads what earlier ones found and adds its own; who fills a part in
/// is said there. Views point into the connection's read buffer, which keeps still while the exchange lasts.
///
/// Exchanges are used again and again, for the capacity of what they hold: begin() empties one.
struct exchange {
  explicit exchange(runtime::worker& w) : worker(w), upstream_buffer(w.buffers) {}

  /// Makes it new for a request whose head is `bytes`.
  void begin(downstream& d, std::string_view bytes);

  runtime::worker& worker;
  runtime::snapshot const& view() const noexcept { return worker.view; }
  downstream* client = nullptr;
  bool dry_run = false;  ///< nothing is written anywhere: the request is only being explained

  // receive
  std::string_view head_bytes;
  http::request_head head;
  std::string host;           ///< lower case, without port; what routes are matched by
  http::canonical_path path;  ///< what is matched, and what is forwarded
  std::string path_storage;   ///< of `path`, where it is not as it came
  std::string_view query;
  bool has_query = false;
  bool navigation = false;  ///< a person is looking: auth::is_navigation()

  // sanitize
  std::vector<bool> kept;                       ///< by index into head.fields: passes on as it came
  std::vector<std::string_view> cookie_fields;  ///< Cookie values that hold our cookie, and maybe others
  http::session_cookies cookies;
  std::array<std::string, http::session_cookies::most> opened_ids;  ///< what `cookies` shows, where values hold ids
  auth::envelope_fault envelope_fault{};  ///< of the last value that was no envelope, for explain
  obs::request_id id{};
  bool passive = false;         ///< the client says that it does not extend the session
  std::string_view request_id;  ///< `id`, or what a trusted proxy sent
  std::array<char, 55> traceparent_storage{};
  std::string_view traceparent;
  std::string_view client_address;     ///< the peer, or who a trusted proxy says it speaks for
  std::vector<std::string_view> hops;  ///< nodes that trusted proxies say the request passed, the client first

  // match
  runtime::compiled_route const* route = nullptr;
  std::size_t route_index = obs::worker_metrics::no_route;

  // authenticate
  session::record session;
  std::string_view session_id;     ///< of the session found; empty = nobody
  bool expire_cookie = false;      ///< Redis said the session is gone
  session::likeness looks_like{};  ///< of the last record that could not be read

  // transform
  std::string upstream_path;  ///< only where a route rewrites
  std::string upstream_head;  ///< the whole head that goes upstream

  // forward
  std::string body;  ///< a request body that is sent as a whole
  /// A proxy in front asks about a request that it has (forward_auth.cpp). From then on head, host, path, query and
  /// navigation above are those of that request, the other fields came with it, and match, authenticate and authorize
  /// speak of it. Connection and body are still the proxy's.
  struct question {
    bool asked = false;
    bool with_head = false;   ///< by HEAD: the answer has no body
    bool redirects = false;   ///< whoever has to log in is to be sent there by the answer itself
    std::string_view scheme;  ///< "http" or "https", as the browser used; empty = the proxy does not say
  } proxy;
  http::response_head response;
  net::read_buffer upstream_buffer;
  bool answered = false;   ///< the first byte of an answer is out: nothing else can be said
  bool close = false;      ///< the client's connection ends with this exchange
  bool abort = false;      ///< ... and must be seen to break, not to end
  std::string set_cookie;  ///< value of a Set-Cookie that goes with the answer

  // finish
  std::optional<errc> refused;  ///< what a stage said
  unsigned retry_after = 0;     ///< seconds, said with a 429 or 503; 0 = the usual
  obs::decision decision = obs::decision::own;
  unsigned status = 0;
  std::optional<obs::stream_end> session_end;  ///< of a tunnel or an event stream that ended with its session
  std::uint64_t tunnel_bytes_in = 0;
  std::uint64_t bytes_out = 0;               ///< of the answer's body
  time_point began{};                        ///< when the head was complete
  std::chrono::nanoseconds store_time{};     ///< waiting for Redis
  std::chrono::nanoseconds queue_time{};     ///< waiting for a place at the identity service
  std::chrono::nanoseconds upstream_time{};  ///< from asking for a connection to the last byte, less store_time
  std::chrono::nanoseconds client_time{};    ///< waiting for the client while no upstream is concerned

  [[nodiscard]] bool authenticated() const noexcept { return !session_id.empty(); }
};

/// Exchanges that are not in use; one a worker. A connection holds one only while it has a request.
class exchange_pool {
public:
  explicit exchange_pool(runtime::worker& w) noexcept : worker_(w) {}

  [[nodiscard]] std::unique_ptr<exchange> acquire() {
    if (free_.empty()) return std::make_unique<exchange>(worker_);
    auto x = std::move(free_.back());
    free_.pop_back();
    return x;
  }
  void release(std::unique_ptr<exchange> x) {
    x->upstream_buffer.release();
    if (free_.size() < most_kept) free_.push_back(std::move(x));
  }

private:
  static constexpr std::size_t most_kept = 256;
  runtime::worker& worker_;
  std::vector<std::unique_ptr<exchange>> free_;
};

}  // namespace doorward::pipeline
