#include "doorward/pipeline/answer.hpp"
#include "pipeline/own.hpp"

namespace doorward::pipeline {
namespace {

// As long as a new key has to be published before it signs, and as an old one may still be believed.
constexpr unsigned kept_for = 300;

}  // namespace

net::task<result<void>> tell_keys(exchange& x) {
  if (!takes_method(x)) co_return errc::method_not_allowed;
  auto const keys = x.worker.assertions.key_set();
  // An empty set would say that no assertion is to be believed; there is none to be published.
  if (keys.empty()) co_return errc::no_route;
  auto& out = x.worker.out;
  out.clear();
  append_public(out, begin_answer(x), "application/jwk-set+json", kept_for, keys);
  auto r = co_await send_own(x, 200);
  co_return r;
}

}  // namespace doorward::pipeline
