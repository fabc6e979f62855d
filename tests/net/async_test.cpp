#include "doorward/net/async.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <string>

#include "catch.hpp"
#include "doorward/net/executor.hpp"
#include "doorward/net/task.hpp"
#include "event_loop.hpp"
#include "heap_use.hpp"

namespace {

namespace asio = boost::asio;
using doorward::net::async;
using doorward::net::spawn;
using doorward::net::task;
using doorward::test::run_until;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         doorward::net::executor>;
using boost::system::error_code;

}  // namespace

TEST_CASE("an operation of one result, it is returned as it is") {
  asio::io_context context;
  timer t(context);
  t.expires_at(timer::time_point::max());
  error_code ec;
  bool done = false;
  spawn([](timer& on, error_code& out, bool& ended) -> task<> {
    out = co_await async<error_code>([&](auto handler) { on.async_wait(std::move(handler)); });
    ended = true;
  }(t, ec, done));
  CHECK_FALSE(done);
  t.cancel();
  REQUIRE(run_until(context, [&] { return done; }));
  CHECK(ec == asio::error::operation_aborted);
}

TEST_CASE("an operation of several results, they come as a tuple") {
  asio::io_context context;
  std::string got;
  spawn([](asio::io_context& on, std::string& out) -> task<> {
    auto const [ec, text, n] = co_await async<error_code, std::string, int>([&](auto handler) {
      asio::post(on, [h = std::move(handler)]() mutable { h(error_code{}, std::string("a text of some length"), 5); });
    });
    out = (ec ? "failed " : "") + text + ' ' + std::to_string(n);
  }(context, got));
  doorward::test::settle(context);
  CHECK(got == "a text of some length 5");
}

TEST_CASE("an operation's memory is in the frame of whoever waits for it") {
  asio::io_context context;
  timer t(context);
  auto const wait_once = [&] {
    bool done = false;
    spawn([](timer& on, bool& ended) -> task<> {
      on.expires_after(std::chrono::milliseconds{0});
      (void)co_await async<error_code>([&](auto handler) { on.async_wait(std::move(handler)); });
      ended = true;
    }(t, done));
    REQUIRE(run_until(context, [&] { return done; }));
  };
  wait_once();  // what Asio and the frames keep is there after this
  auto const before = heap_use_so_far().taken;
  for (int i = 0; i < 5; ++i)
    wait_once();
  if (frames_are_kept) CHECK(heap_use_so_far().taken == before);
}
