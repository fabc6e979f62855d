#include "doorward/runtime/revocations.hpp"

#include <boost/asio/post.hpp>
#include <memory>
#include <string>

#include "doorward/runtime/live_sessions.hpp"

namespace doorward::runtime {

// The worker that calls gets its news by the same way: what it is in the middle of comes first.

void revocations::of_session(std::string_view id, obs::stream_end why) {
  if (streams_ == 0) return;
  auto const text = std::make_shared<std::string const>(id);  // of every worker's handler
  for (auto* const w : workers_)
    boost::asio::post(w->context(), [w, text, why] { w->end(*text, why); });
}

void revocations::of_user(std::string_view user) {
  if (streams_ == 0 || user.empty()) return;
  auto const text = std::make_shared<std::string const>(user);  // of every worker's handler
  for (auto* const w : workers_)
    boost::asio::post(w->context(), [w, text] { w->check_user(*text); });
}

}  // namespace doorward::runtime
