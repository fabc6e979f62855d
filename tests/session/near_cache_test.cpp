#include "doorward/session/near_cache.hpp"

#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "heap_use.hpp"

using namespace doorward;
using namespace doorward::session;
using namespace std::chrono_literals;

namespace {

constexpr epoch_ms wall = 1'754'000'000'000;

struct fixture {
  field_layout const layout{config::session_fields{}};
  time_point now{std::chrono::hours{1000}};
  near_cache cache{100, 5s, {}};

  fixture() { cache.arm(nullptr); }

  record session(std::string const& user, std::vector<std::pair<field, std::string>> const& more = {}) const {
    record r{layout};
    REQUIRE(r.set(layout.at(field::user), user));
    for (auto const& [f, value] : more)
      REQUIRE(r.set(layout.at(f), value));
    return r;
  }
  void put(near_cache& c, std::string const& key, record const& r) { c.land(c.begin(key, now), key, r, now, wall); }
  void put(std::string const& key, std::string const& user = "42") { put(cache, key, session(user)); }
  /// Whose the copy is; "-" where there is none.
  std::string user_at(near_cache& c, std::string const& key) {
    record r{layout};
    return c.get(key, r, now) ? std::string(r.user()) : "-";
  }
  std::string user_at(std::string const& key) { return user_at(cache, key); }
};

}  // namespace

TEST_CASE_METHOD(fixture, "what was found is there again, for whoever asks") {
  put("a", "1");
  put("b", "2");
  CHECK(user_at("a") == "1");
  CHECK(user_at("b") == "2");
  CHECK(user_at("c") == "-");
  put("a", "3");
  CHECK(user_at("a") == "3");
  CHECK(cache.size() == 2);
}

TEST_CASE_METHOD(fixture, "a copy is used until its age, which counts from when it was asked for") {
  auto const asked = cache.begin("a", now);
  now += 3s;
  cache.land(asked, "a", session("42"), now, wall);
  now += 2s - 1ms;
  CHECK(user_at("a") == "42");
  now += 1ms;
  CHECK(user_at("a") == "-");
}

TEST_CASE_METHOD(fixture, "what comes after its age is not kept") {
  auto const asked = cache.begin("a", now);
  now += 5s;
  cache.land(asked, "a", session("42"), now, wall);
  CHECK(cache.size() == 0);
}

TEST_CASE_METHOD(fixture, "a copy is not used beyond the session's own ends") {
  config::session_lifetime life;
  life.idle = 30min;
  life.absolute = 12h;
  near_cache long_lived{10, 1h, life};
  long_lived.arm(nullptr);
  auto const ago = [](auto time) {
    return std::to_string(wall - std::chrono::duration_cast<milliseconds>(time).count());
  };
  struct row {
    char const* what;
    std::vector<std::pair<field, std::string>> fields;
    milliseconds left;
  };
  row const rows[] = {
      {"nothing known", {}, 1h},
      {"idle end", {{field::last_seen, ago(20min)}}, 10min},
      {"idle end of its own", {{field::last_seen, ago(20min)}, {field::idle, "1260"}}, 1min},
      {"absolute end", {{field::created, ago(11h + 59min)}, {field::last_seen, ago(0min)}}, 1min},
      {"absolute end of its own", {{field::absolute_until, std::to_string(wall + 7)}}, 7ms},
      {"both far away", {{field::created, ago(1min)}, {field::last_seen, std::to_string(wall + 3'600'000)}}, 1h},
      {"the end of time", {{field::absolute_until, "9223372036854775807"}}, 1h},
      {"idle end has passed", {{field::last_seen, ago(30min)}}, 0ms},
      {"absolute end cannot be read", {{field::absolute_until, "soon"}}, 0ms},
  };
  for (auto const& r : rows) {
    CAPTURE(r.what);
    auto const begun = now;
    put(long_lived, "a", session("42", r.fields));
    if (r.left > 0ms) {
      now = begun + r.left - 1ms;
      CHECK(user_at(long_lived, "a") == "42");
    }
    now = begun + r.left;
    CHECK(user_at(long_lived, "a") == "-");
    long_lived.clear();
    now = begun;
  }
}

TEST_CASE_METHOD(fixture, "a copy is not used beyond the end that whoever read the record knows of") {
  cache.land(cache.begin("a", now), "a", session("42"), now, wall, wall + 700);
  now += 699ms;
  CHECK(user_at("a") == "42");
  now += 1ms;
  CHECK(user_at("a") == "-");
  cache.land(cache.begin("b", now), "b", session("42"), now, wall, wall);
  CHECK(user_at("b") == "-");
}

TEST_CASE_METHOD(fixture, "a change spoils the copy, and the one that is on its way") {
  put("a");
  cache.invalidate("a");
  CHECK(user_at("a") == "-");
  struct row {
    char const* what;
    void (*happens)(near_cache&);
    bool is_kept;
  };
  row const rows[] = {
      {"nothing", [](near_cache&) {}, true},
      {"the key changes", [](near_cache& c) { c.invalidate("a"); }, false},
      {"all change", [](near_cache& c) { c.clear(); }, false},
      {"nobody hears any more", [](near_cache& c) { c.disarm(); }, false},
      {"... and then again", [](near_cache& c) { c.disarm(), c.arm(nullptr); }, false},
      {"it is armed anew", [](near_cache& c) { c.arm(nullptr); }, false},
  };
  for (auto const& r : rows) {
    CAPTURE(r.what);
    cache.arm(nullptr);
    auto const asked = cache.begin("a", now);
    r.happens(cache);
    cache.land(asked, "a", session("42"), now, wall);
    CHECK(cache.size() == (r.is_kept ? 1 : 0));
    CHECK(user_at("a") == (r.is_kept ? "42" : "-"));
  }
}

TEST_CASE_METHOD(fixture, "another key's change leaves a copy alone") {
  put("a");
  put("b");
  cache.invalidate("b");
  cache.invalidate("never seen");
  CHECK(user_at("a") == "42");
}

TEST_CASE_METHOD(fixture, "what is asked for while nobody hears is not kept, even if somebody hears before it comes") {
  cache.disarm();
  auto const asked = cache.begin("a", now);
  CHECK_FALSE(asked);
  cache.arm(nullptr);
  cache.land(asked, "a", session("42"), now, wall);
  CHECK(cache.size() == 0);
  cache.land({}, "a", session("42"), now, wall);
  CHECK(cache.size() == 0);
}

TEST_CASE_METHOD(fixture, "disarmed, it is empty") {
  put("a");
  cache.disarm();
  CHECK(cache.size() == 0);
  cache.arm(nullptr);
  CHECK(user_at("a") == "-");
}

TEST_CASE_METHOD(fixture, "full: the one that was not used for longest makes room") {
  near_cache small{3, 5s, {}};
  small.arm(nullptr);
  for (auto const* key : {"a", "b", "c"})
    put(small, key, session(key));
  CHECK(user_at(small, "a") == "a");
  put(small, "d", session("d"));
  put(small, "c", session("c2"));
  put(small, "e", session("e"));
  CHECK(small.size() == 3);
  std::string all;
  for (auto const* key : {"a", "b", "c", "d", "e"})
    all += user_at(small, key) + " ";
  CHECK(all == "- - c2 d e ");
}

TEST_CASE_METHOD(fixture, "what is too old goes by and by") {
  for (int i = 0; i < 10; ++i)
    put("old " + std::to_string(i));
  now += 5s;
  put("new");
  CHECK(cache.size() == 9);
  cache.drop_old(now, 3);
  CHECK(cache.size() == 6);
  cache.drop_old(now, 100);
  CHECK(cache.size() == 1);
  CHECK(user_at("new") == "42");
}

TEST_CASE_METHOD(fixture, "a session that is too large is not kept, so that the number of copies bounds the memory") {
  put("fits", std::string(near_cache::most_bytes, 'x'));
  put("does not", std::string(near_cache::most_bytes + 1, 'x'));
  CHECK(cache.size() == 1);
  CHECK(user_at("does not") == "-");
}

TEST_CASE_METHOD(fixture, "a record with other fields is not filled") {
  put("a");
  std::vector<std::string> const custom{"plan"};
  field_layout const other{config::session_fields{}, custom};
  record r{other};
  CHECK_FALSE(cache.get("a", r, now));
}

TEST_CASE_METHOD(fixture, "before a copy is used, what has arrived is heard") {
  struct messenger final : near_cache::news {
    near_cache* cache = nullptr;
    std::string says;
    int asked = 0;
    void take() noexcept override {
      ++asked;
      if (says == "all")
        cache->clear();
      else if (says == "gone")
        cache->disarm();
      else if (!says.empty())
        cache->invalidate(says);
      says.clear();
    }
  } m;
  m.cache = &cache;
  cache.arm(&m);
  for (auto const* change : {"a", "all", "gone"}) {
    CAPTURE(change);
    cache.arm(&m);
    put("a");
    CHECK(user_at("a") == "42");
    m.says = change;
    CHECK(user_at("a") == "-");
  }
  cache.arm(&m);
  put("a");
  m.says = "b";
  CHECK(user_at("a") == "42");
  auto const before = m.asked;
  CHECK(user_at("not there") == "-");  // and then there is no need to ask
  CHECK(m.asked == before);
  cache.disarm();
}

TEST_CASE_METHOD(fixture, "a hit takes nothing from the heap, and neither does a copy in the place of another") {
  near_cache small{4, 5s, {}};
  small.arm(nullptr);
  std::vector<std::string> keys;
  for (int i = 0; i < 8; ++i)
    keys.push_back("session:with-a-key-that-is-longer-than-a-small-string-" + std::to_string(i));
  auto const one = session("a-user-whose-name-is-longer-than-a-small-string");
  record r{layout};
  auto const all = [&] {
    for (auto const& key : keys) {
      put(small, key, one);
      if (!small.get(key, r, now)) return false;
    }
    return true;
  };
  REQUIRE(all());
  auto const before = heap_use_so_far().taken;
  bool const found = all();
  auto const taken = heap_use_so_far().taken - before;
  CHECK(found);
  CHECK(taken == 0);
}
