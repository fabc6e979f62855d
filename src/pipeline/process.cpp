#include "doorward/pipeline/process.hpp"

#include <exception>

#include "doorward/obs/log.hpp"
#include "pipeline/own.hpp"
#include "pipeline/stages.hpp"

namespace doorward::pipeline {
namespace {

net::task<result<void>> serve(exchange& x) {
  if (auto r = receive(x); !r) co_return r;
  if (auto r = sanitize(x); !r) co_return r;
  if (x.client->from.redirect_to_https) {
    auto r = co_await redirect_to_https(x);
    co_return r;
  }
  if (auto r = match(x); !r) co_return r;
  auto authenticated = co_await authenticate(x);
  if (!authenticated) co_return authenticated;
  if (auto r = authorize(x); !r) co_return r;
  if (auto r = transform(x); !r) co_return r;
  auto forwarded = co_await forward(x);
  co_return forwarded;
}

// A bug must not cost more than the request it shows in, and never opens a door.
net::task<errc> serve_or_fail(exchange& x) {
  try {
    auto const r = co_await serve(x);
    co_return r ? errc{} : to_errc(r.error());
  } catch (std::exception const& e) {
    x.worker.limiter.write(x.worker.wheel.now(), obs::log::level::error, "exception", {{"what", e.what()}});
    co_return errc::internal;
  }
}

}  // namespace

net::task<> process(exchange& x) {
  auto const refused = co_await serve_or_fail(x);
  if (refused != errc{}) x.refused = refused;
  co_await finish(x);
}

net::task<> refuse_unread(exchange& x, errc why) {
  x.refused = why;
  x.close = true;
  co_await finish(x);
}

}  // namespace doorward::pipeline
