#include "doorward/net/task.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "heap_use.hpp"
#include "suspension.hpp"

namespace {

using doorward::net::child;
using doorward::net::spawn;
using doorward::net::task;
using doorward::test::suspension;

task<int> answer(int n) {
  co_return n;
}
task<> fail() {
  throw std::runtime_error("broken");
  co_return;
}
task<int> fail_with_value() {
  throw std::runtime_error("broken");
  co_return 1;
}

// Runs a coroutine that never waits, and hands its value out.
template <class T>
T value_of(task<T> t) {
  std::optional<T> out;
  spawn([](task<T> inner, std::optional<T>& into) -> task<> { into.emplace(co_await std::move(inner)); }(std::move(t),
                                                                                                         out));
  REQUIRE(out.has_value());
  return std::move(*out);
}

// Says "ended" when its frame, or the task that never ran, goes.
struct mark {
  std::vector<std::string>* log;
  explicit mark(std::vector<std::string>& l) : log(&l) {}
  mark(mark&& other) noexcept : log(std::exchange(other.log, nullptr)) {}
  mark& operator=(mark&&) = delete;
  ~mark() {
    if (log != nullptr) log->emplace_back("ended");
  }
};

}  // namespace

TEST_CASE("task, its value reaches whoever awaits it") {
  CHECK(value_of(answer(42)) == 42);
  CHECK(*value_of([]() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }()) == 7);
  CHECK(value_of([]() -> task<std::string> { co_return "converted from a literal"; }()) == "converted from a literal");
}

TEST_CASE("task, nothing runs before it is awaited") {
  std::vector<std::string> log;
  auto t = [](std::vector<std::string>& l) -> task<int> {
    l.emplace_back("ran");
    co_return 1;
  }(log);
  CHECK(log.empty());
  CHECK(value_of(std::move(t)) == 1);
  CHECK(log == std::vector<std::string>{"ran"});
}

TEST_CASE("task, never awaited: what it holds is freed and nothing runs") {
  std::vector<std::string> log;
  {
    auto const t = [](mark, std::vector<std::string>& l) -> task<> {
      l.emplace_back("ran");
      co_return;
    }(mark(log), log);
    CHECK(log.empty());
  }
  CHECK(log == std::vector<std::string>{"ended"});
}

TEST_CASE("task, moved from: the frame is freed once") {
  std::vector<std::string> log;
  {
    auto first = [](mark) -> task<> { co_return; }(mark(log));
    auto const second = std::move(first);
  }
  CHECK(log == std::vector<std::string>{"ended"});
}

TEST_CASE("task, an exception is thrown where it is awaited") {
  std::string caught;
  spawn([](std::string& out) -> task<> {
    try {
      co_await fail();
    } catch (std::runtime_error const& e) {
      out += e.what();
    }
    try {
      (void)co_await fail_with_value();
    } catch (std::runtime_error const& e) {
      out += e.what();
    }
  }(caught));
  CHECK(caught == "brokenbroken");
}

TEST_CASE("task, an exception passes through those in between") {
  bool caught = false;
  spawn([](bool& out) -> task<> {
    try {
      co_await []() -> task<> { co_await fail(); }();
    } catch (std::runtime_error const&) {
      out = true;
    }
  }(caught));
  CHECK(caught);
}

TEST_CASE("task, waits: its awaiter goes on when it is done, and not before") {
  std::vector<std::string> log;
  suspension s;
  auto const inner = [](suspension& at, std::vector<std::string>& l) -> task<int> {
    l.emplace_back("inner waits");
    co_await at;
    l.emplace_back("inner goes on");
    co_return 3;
  };
  spawn([](task<int> t, std::vector<std::string>& l) -> task<> {
    auto const n = co_await std::move(t);
    l.push_back("outer has " + std::to_string(n));
  }(inner(s, log), log));
  CHECK(log == std::vector<std::string>{"inner waits"});
  s.go_on();
  CHECK(log == std::vector<std::string>{"inner waits", "inner goes on", "outer has 3"});
}

TEST_CASE("task, a long run of awaits that never wait does not pile up") {
  // Each resumption that nested instead of replacing its caller would cost a stack frame: these would be 64 MiB.
  constexpr int many = 1'000'000;
  if (!frames_are_kept) return;  // sanitizers turn the sibling calls off
  auto const n = value_of([]() -> task<int> {
    int sum = 0;
    for (int i = 0; i < many; ++i)
      sum += co_await answer(1);
    co_return sum;
  }());
  CHECK(n == many);
}

TEST_CASE("spawned, it runs at once to where it waits, and frees itself at its end") {
  std::vector<std::string> log;
  suspension s;
  spawn([](mark, suspension& at, std::vector<std::string>& l) -> task<> {
    l.emplace_back("began");
    co_await at;
    l.emplace_back("went on");
  }(mark(log), s, log));
  CHECK(log == std::vector<std::string>{"began"});
  s.go_on();
  CHECK(log == std::vector<std::string>{"began", "went on", "ended"});
}

namespace {

task<> note(std::vector<std::string>& log, std::string what, suspension* at = nullptr) {
  if (at != nullptr) co_await *at;
  log.push_back(std::move(what));
}

// A parent that starts a child, waits for the test, and joins.
task<> parent(std::vector<std::string>& log, suspension* in_child, suspension* before_join) {
  child c;
  c.start(note(log, "child", in_child));
  log.emplace_back(c.running() ? "child runs" : "child is done");
  if (before_join != nullptr) co_await *before_join;
  log.emplace_back("joining");
  co_await c.join();
  log.emplace_back(c.running() ? "joined, running" : "joined");
}

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("child, done before anybody looks") {
  lines log;
  spawn(parent(log, nullptr, nullptr));
  CHECK(log == lines{"child", "child is done", "joining", "joined"});
}

TEST_CASE("child, done before it is joined") {
  lines log;
  suspension in_child;
  suspension before_join;
  spawn(parent(log, &in_child, &before_join));
  in_child.go_on();
  CHECK(log == lines{"child runs", "child"});
  before_join.go_on();
  CHECK(log == lines{"child runs", "child", "joining", "joined"});
}

TEST_CASE("child, joined before it is done") {
  lines log;
  suspension in_child;
  suspension before_join;
  spawn(parent(log, &in_child, &before_join));
  before_join.go_on();
  CHECK(log == lines{"child runs", "joining"});
  // The parent's frame goes, and the child object with it, while the child's own coroutine is still coming to its end.
  in_child.go_on();
  CHECK(log == lines{"child runs", "joining", "child", "joined"});
}

TEST_CASE("child, never started: joining does not wait") {
  lines log;
  spawn([](lines& l) -> task<> {
    child c;
    co_await c.join();
    l.emplace_back("joined");
  }(log));
  CHECK(log == lines{"joined"});
}

TEST_CASE("child, joined: another one may be started in its place") {
  lines log;
  suspension first;
  suspension second;
  spawn([](lines& l, suspension& a, suspension& b) -> task<> {
    child c;
    c.start(note(l, "first", &a));
    co_await c.join();
    c.start(note(l, "second", &b));
    co_await c.join();
    l.emplace_back("joined twice");
  }(log, first, second));
  first.go_on();
  CHECK(log == lines{"first"});
  second.go_on();
  CHECK(log == lines{"first", "second", "joined twice"});
}

TEST_CASE("frame, freed: the next of its size takes its place") {
  if (!frames_are_kept) return;
  using doorward::net::detail::allocate_frame;
  using doorward::net::detail::free_frame;
  doorward::net::release_frames();
  auto* const first = allocate_frame(130);
  auto* const other = allocate_frame(130);
  CHECK(first != other);
  free_frame(first, 130);
  CHECK(allocate_frame(192) == first);  // sizes go by steps of 64 bytes
  free_frame(first, 192);
  auto* const larger = allocate_frame(193);
  CHECK(larger != first);
  free_frame(larger, 193);
  free_frame(other, 130);
  doorward::net::release_frames();
}

TEST_CASE("frames, used again: calling costs no memory from the heap") {
  if (!frames_are_kept) return;
  auto const call = [] {
    spawn([]() -> task<> {
      child c;
      c.start([]() -> task<> { co_return; }());
      co_await c.join();
      (void)co_await answer(1);
    }());
  };
  call();
  auto const before = heap_use_so_far().taken;
  for (int i = 0; i < 100; ++i)
    call();
  CHECK(heap_use_so_far().taken == before);
}

TEST_CASE("frames, more than are kept: the rest goes back to the heap") {
  if (!frames_are_kept) return;
  using doorward::net::detail::allocate_frame;
  using doorward::net::detail::free_frame;
  doorward::net::release_frames();
  constexpr std::size_t many = 600;
  constexpr std::size_t kept = 512;
  std::vector<void*> frames;
  frames.reserve(many);
  for (std::size_t i = 0; i < many; ++i)
    frames.push_back(allocate_frame(100));
  auto const before = heap_use_so_far().given_back;
  for (auto* f : frames)
    free_frame(f, 100);
  CHECK(heap_use_so_far().given_back - before == many - kept);
  doorward::net::release_frames();
  CHECK(heap_use_so_far().given_back - before == many);
}

TEST_CASE("frame, larger than any class: not kept") {
  using doorward::net::detail::allocate_frame;
  using doorward::net::detail::free_frame;
  auto const before = heap_use_so_far().given_back;
  free_frame(allocate_frame(64 * 1024), 64 * 1024);
  CHECK(heap_use_so_far().given_back - before == 1);
}
