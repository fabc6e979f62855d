#include "doorward/runtime/live_sessions.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "doorward/base/errc.hpp"
#include "event_loop.hpp"

using namespace doorward;
using namespace doorward::runtime;
using namespace std::chrono_literals;
using obs::stream_end;
using session::outcome;

namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

/// Says what the test wants: at once, or when the test says so.
struct scripted_store final : session::store {
  explicit scripted_store(net::turn_queue& t) : turns(t) {}

  net::turn_queue& turns;
  std::map<std::string, std::pair<outcome, fields>, std::less<>> sessions;
  bool away = false;
  bool slow = false;
  std::vector<std::string> asked;
  std::vector<std::string> touched;
  std::vector<session::lookup*> waiting;

  bool start(session::lookup& l) noexcept override {
    asked.emplace_back(l.id());
    if (slow) {
      waiting.push_back(&l);
      return true;
    }
    answer(l);
    return false;
  }
  void take(session::lookup&, redis::reply const&) noexcept override {}  // nobody sends it replies
  void answer(session::lookup& l) {
    l.into().clear();
    if (away) return l.finish(outcome::unavailable, errc::store_unavailable);
    auto const at = sessions.find(l.id());
    if (at == sessions.end()) return l.finish(outcome::absent);
    for (auto const& [name, value] : at->second.second)
      REQUIRE(l.into().set(l.into().layout()->find(name), value));
    l.finish(at->second.first);
  }
  void answer_all() {
    for (auto* l : std::exchange(waiting, {})) {
      answer(*l);
      turns.push(*l);
    }
  }

  void touch(std::string_view id) noexcept override { touched.emplace_back(id); }
  net::task<result<session::created>> create(session::new_session) override { co_return errc::internal; }
  net::task<result<std::uint64_t>> end(std::string) override { co_return errc::internal; }
  net::task<result<std::uint64_t>> end_all(std::string) override { co_return errc::internal; }
  net::task<result<std::uint64_t>> end_others(std::string) override { co_return errc::internal; }
  net::task<result<std::uint64_t>> end_user(std::string) override { co_return errc::internal; }
  net::task<result<std::uint64_t>> revoke(std::string, std::string) override { co_return errc::internal; }
  net::task<result<std::vector<session::listed_session>>> list(std::string) override { co_return errc::internal; }
};

struct stream final : live_stream {
  int ends = 0;
  std::string needs;  ///< role, if any
  void on_session_end() noexcept override { ++ends; }
  bool still_allowed(session::record const& now) const noexcept override {
    return needs.empty() || now.roles() == needs;
  }
  std::string why() const { return ended() ? std::string(obs::name(*ended())) : "open"; }
};

config::session_config with(milliseconds recheck, bool streams = false) {
  config::session_config c;
  c.recheck = recheck;
  c.lifetime.streams = streams;
  return c;
}

struct worker_of_streams {
  explicit worker_of_streams(runtime::revocations& n, config::session_config c = with(1s))
      : news(n), config(std::move(c)) {}

  runtime::revocations& news;
  config::session_config config;
  test::mock_clock clock;
  net::asio::io_context context{1};
  net::turn_queue turns{context};
  session::field_layout layout{config.fields};
  scripted_store store{turns};
  obs::worker_metrics metrics;
  live_sessions live{context, clock.wheel, store, layout, config, metrics, news};

  void session(std::string const& id, fields what = {}, std::string const& user = "42") {
    what.emplace_back("userId", user);
    store.sessions[id] = {outcome::found, std::move(what)};
  }
  void open(stream& s, std::string const& id, bool active = true) {
    session::record r(layout);
    for (auto const& [name, value] : store.sessions.at(id).second)
      REQUIRE(r.set(layout.find(name), value));
    live.add(s, id, r, active);
  }
  void pass(milliseconds by) { clock.pass(context, by); }
  std::uint64_t counted(stream_end e) const { return metrics.streams_ended(e); }
};

std::string ms_ago(milliseconds ago) {
  return std::to_string(wall_now() - ago.count());
}

}  // namespace

TEST_CASE("session with streams, looked up once an interval however many it has") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  stream one, two, three;
  for (auto* s : {&one, &two, &three})
    w.open(*s, "a");
  CHECK(w.live.streams() == 3);
  CHECK(w.live.sessions() == 1);
  CHECK(w.store.asked.empty());  // it has just been found
  w.pass(900ms);                 // the interval less the tick by which a look may be late, and less than that
  CHECK(w.store.asked.size() == 1);
  w.pass(9'500ms);
  CHECK(w.store.asked.size() >= 10);
  CHECK(w.store.asked.size() <= 12);
  CHECK(w.metrics.lookups(obs::lookup_result::hit) == w.store.asked.size());
  CHECK(one.why() == "open");
}

TEST_CASE("many sessions, spread evenly over the interval") {
  constexpr std::size_t count = 2'000;
  revocations news;
  worker_of_streams w(news);
  std::vector<std::unique_ptr<stream>> all;
  for (std::size_t i = 0; i < count; ++i) {
    auto const id = std::to_string(i);
    w.session(id);
    w.open(*all.emplace_back(std::make_unique<stream>()), id);
  }
  std::size_t most = 0;
  for (auto passed = 0ms; passed < 950ms; passed += 50ms) {
    auto const before = w.store.asked.size();
    w.pass(50ms);
    most = std::max(most, w.store.asked.size() - before);
  }
  CHECK(w.store.asked.size() == count);
  CHECK(std::set<std::string>(w.store.asked.begin(), w.store.asked.end()).size() == count);
  CHECK(most <= count / 19 + 1);
  // A worker that stood still for long does not make up for all it has missed.
  w.clock.now += 20s;
  w.store.asked.clear();
  w.pass(50ms);
  CHECK(w.store.asked.size() <= count + count / 19 + 1);
}

TEST_CASE("session that is over, by what Redis says of it") {
  struct row {
    outcome what;
    fields now;
    std::string why;
  };
  auto const [what, now, why] = GENERATE_REF(values<row>({
      {outcome::found, {{"userId", "42"}}, "open"},
      {outcome::absent, {}, "session_unknown"},
      {outcome::ghost, {}, "session_unknown"},
      {outcome::malformed, {}, "session_unknown"},
      {outcome::wrong_type, {}, "session_unknown"},
      {outcome::expired, {}, "session_expired"},
      {outcome::displaced, {}, "session_displaced"},
      {outcome::revoked, {}, "session_revoked"},
      {outcome::unavailable, {}, "open"},
      {outcome::found, {{"userId", "43"}}, "session_changed"},
      {outcome::found, {{"userId", "42"}, {"doorward.absoluteUntil", "1600000000000"}}, "session_expired"},
      {outcome::found, {{"userId", "42"}, {"doorward.absoluteUntil", "soon"}}, "session_expired"},
  }));
  CAPTURE(static_cast<int>(what), why);
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  w.session("b");
  stream first, second, other;
  w.open(first, "a");
  w.open(second, "a");
  w.open(other, "b");
  w.store.sessions["a"] = {what, now};
  w.pass(3s);
  CHECK(first.why() == why);
  CHECK(second.why() == why);
  CHECK(other.why() == "open");
  CHECK(first.ends == (why == "open" ? 0 : 1));
  std::uint64_t counted = 0;
  for (std::size_t i = 0; i < obs::stream_ends; ++i)
    counted += w.counted(static_cast<stream_end>(i));
  CHECK(counted == (why == "open" ? 0 : 2));
}

TEST_CASE("session that is gone from Redis: idle for too long, or ended by somebody who says nothing") {
  struct row {
    fields now;
    std::string why;
  };
  auto const [now, why] = GENERATE_REF(values<row>({
      {{{"lastSeen", ms_ago(29min)}}, "session_unknown"},
      {{{"lastSeen", ms_ago(30min)}}, "session_expired"},
      {{{"lastSeen", ms_ago(30min)}, {"doorward.idle", "3600"}}, "session_unknown"},
      {{{"lastSeen", ms_ago(1h)}, {"doorward.idle", "3600"}}, "session_expired"},
      {{{"lastSeen", ms_ago(30min)}, {"doorward.idle", "99999999999999999999"}}, "session_unknown"},
      {{{"lastSeen", "9223372036854775807"}, {"doorward.idle", "9223372036854775807"}}, "session_unknown"},
      {{{"lastSeen", "yesterday"}}, "session_unknown"},
      {{}, "session_unknown"},
  }));
  CAPTURE(now, why);
  revocations news;
  worker_of_streams w(news);
  w.session("a", now);
  stream s;
  w.open(s, "a");
  w.store.sessions.clear();
  w.pass(1s);
  CHECK(s.why() == why);
}

TEST_CASE("absolute limit, needs no Redis and no recheck") {
  auto const recheck = GENERATE(0ms, 1'000ms);
  revocations news;
  worker_of_streams w(news, with(recheck));
  w.store.away = true;
  w.session("a", {{"doorward.absoluteUntil", std::to_string(wall_now() + 30)}});
  w.session("b", {{"createdAt", ms_ago(1h)}});
  stream s, other;
  w.open(s, "a");
  w.open(other, "b");
  w.pass(50ms);
  REQUIRE(test::run_until(w.context, [&] {
    w.pass(50ms);
    return s.ended().has_value();
  }));
  CHECK(s.why() == "session_expired");
  CHECK(other.why() == "open");
  w.pass(10min);
  CHECK(other.why() == "open");
}

TEST_CASE("role that is lost: what needs it ends, and nothing else") {
  revocations news;
  worker_of_streams w(news);
  w.session("a", {{"role", "admin"}});
  stream needs, other;
  needs.needs = "admin";
  w.open(needs, "a");
  w.open(other, "a");
  w.pass(2s);
  CHECK(needs.why() == "open");
  w.session("a", {{"role", "user"}});
  w.pass(2s);
  CHECK(needs.why() == "forbidden");
  CHECK(needs.ends == 1);
  CHECK(other.why() == "open");
}

TEST_CASE("open stream, extends its session where that is wanted") {
  struct row {
    bool configured;
    bool active;
    milliseconds seen_ago;
    bool touched;
  };
  auto const r = GENERATE(row{false, true, 2min, false}, row{true, false, 2min, false}, row{true, true, 30s, false},
                          row{true, true, 2min, true});
  revocations news;
  worker_of_streams w(news, with(1s, r.configured));
  w.session("a", {{"lastSeen", ms_ago(r.seen_ago)}});
  stream one, two;
  w.open(one, "a", r.active);
  w.open(two, "a", r.active);
  w.pass(900ms);
  CHECK(w.store.touched == (r.touched ? std::vector<std::string>{"a"} : std::vector<std::string>{}));
}

TEST_CASE("session ended by its id, on every worker") {
  revocations news;
  worker_of_streams here(news);
  worker_of_streams there(news);
  here.session("a");
  there.session("a");
  there.session("b");
  stream one, two, other;
  here.open(one, "a");
  there.open(two, "a");
  there.open(other, "b");
  news.of_session("a", stream_end::logout);
  news.of_session("a", stream_end::replaced);
  CHECK(one.why() == "open");  // a worker is told, and does it itself
  test::settle(here.context);
  test::settle(there.context);
  CHECK(one.why() == "logout");
  CHECK(two.why() == "logout");
  CHECK(two.ends == 1);
  CHECK(other.why() == "open");
  CHECK(here.store.asked.empty());
  CHECK(there.counted(stream_end::logout) == 1);
  CHECK(there.counted(stream_end::replaced) == 0);
}

TEST_CASE("sessions of a user ended: Redis says which") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  w.session("b");
  w.session("c", {}, "43");
  stream a, b, c;
  w.open(a, "a");
  w.open(b, "b");
  w.open(c, "c");
  w.store.sessions["a"] = {outcome::displaced, {}};
  w.store.sessions["c"] = {outcome::revoked, {}};
  news.of_user("42");
  news.of_user("");
  test::settle(w.context);
  CHECK(std::set<std::string>(w.store.asked.begin(), w.store.asked.end()) == std::set<std::string>{"a", "b"});
  CHECK(a.why() == "session_displaced");
  CHECK(b.why() == "open");
  CHECK(c.why() == "open");
}

TEST_CASE("news that come while a look-up is under way: it is asked once more") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  stream s;
  w.open(s, "a");
  w.store.slow = true;
  w.pass(1s);
  REQUIRE(w.store.waiting.size() == 1);
  // Redis has answered by then, but the answer is not here yet.
  news.of_user("42");
  news.of_user("42");
  test::settle(w.context);
  REQUIRE(w.store.waiting.size() == 1);
  w.store.answer_all();
  test::settle(w.context);
  CHECK(s.why() == "open");
  REQUIRE(w.store.waiting.size() == 1);
  w.store.sessions.clear();
  w.store.answer_all();
  test::settle(w.context);
  CHECK(s.why() == "session_unknown");
  CHECK(w.store.waiting.empty());
}

TEST_CASE("without a recheck: one look-up when it is opened, and one for news, until it is answered") {
  revocations news;
  worker_of_streams w(news, with(0ms));
  w.session("a");
  stream s;
  w.open(s, "a");
  CHECK(w.store.asked.size() == 1);  // it may have ended before anybody could tell its stream
  w.pass(10s);
  CHECK(w.store.asked.size() == 1);
  w.store.away = true;
  news.of_user("42");
  test::settle(w.context);
  w.pass(2s);
  CHECK(w.store.asked.size() >= 3);
  CHECK(s.why() == "open");
  w.store.away = false;
  w.pass(1s);
  auto const asked = w.store.asked.size();
  w.pass(5s);
  CHECK(w.store.asked.size() == asked);
  w.store.sessions.clear();
  w.pass(5s);
  CHECK(s.why() == "open");
  news.of_user("42");
  test::settle(w.context);
  CHECK(s.why() == "session_unknown");
}

TEST_CASE("stream that goes while its session is being looked up") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  w.store.slow = true;
  auto s = std::make_unique<stream>();
  w.open(*s, "a");
  w.pass(1s);
  REQUIRE(w.store.waiting.size() == 1);
  s.reset();
  CHECK(w.live.streams() == 0);
  SECTION("and no other comes") {
    w.store.answer_all();
    test::settle(w.context);
    CHECK(w.live.sessions() == 0);
  }
  SECTION("and another comes") {
    stream next;
    w.open(next, "a");
    w.store.sessions.clear();
    w.store.answer_all();
    test::settle(w.context);
    CHECK(w.live.sessions() == 1);
    CHECK(next.why() == "session_unknown");
  }
  w.store.slow = false;
  auto const asked = w.store.asked.size();
  w.pass(5s);
  CHECK(w.store.asked.size() == asked);
  CHECK(w.live.sessions() == 0);
}

TEST_CASE("id that is somebody else's now: what the other has open ends") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  stream old, fresh;
  w.open(old, "a");
  w.session("a", {}, "43");
  w.open(fresh, "a");
  CHECK(old.why() == "session_changed");
  w.pass(2s);
  CHECK(fresh.why() == "open");
  CHECK(old.ends == 1);
}

TEST_CASE("nobody has anything open: nothing is asked, and news go nowhere") {
  revocations news;
  worker_of_streams w(news);
  w.session("a");
  {
    stream s;
    w.open(s, "a");
    w.pass(1s);
  }
  auto const asked = w.store.asked.size();
  news.of_session("a", stream_end::logout);
  news.of_user("42");
  CHECK(test::settle(w.context) == 0);
  w.pass(5s);
  CHECK(w.store.asked.size() == asked);
  CHECK(w.live.sessions() == 0);
}
