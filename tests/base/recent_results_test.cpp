#include "doorward/base/recent_results.hpp"

#include "catch.hpp"

using doorward::recent_results;

TEST_CASE("the oldest of a set makes way, and sets do not mix") {
  recent_results<int> kept(2);
  auto const has = [&](std::size_t hash, int what) {
    return kept.find(hash, [&](int n) { return n == what; }) != nullptr;
  };
  CHECK_FALSE(has(0, 1));
  for (int i = 1; i <= 4; ++i)
    kept.place_for(0) = i;
  kept.place_for(1) = 9;
  CHECK((has(0, 1) && has(2, 4) && has(3, 9)));  // by the last bit alone
  CHECK_FALSE(has(0, 9));
  kept.place_for(0) = 5;
  CHECK_FALSE(has(0, 1));
  CHECK((has(0, 2) && has(0, 5)));
}
