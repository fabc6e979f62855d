#include "doorward/base/random.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "catch.hpp"

namespace {

using namespace doorward;

TEST_CASE("session ids, shape and variety") {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    auto const id = new_session_id();
    REQUIRE(id.size() == 43);
    REQUIRE(std::ranges::all_of(id, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }));
    ids.insert(id);
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE("secure random fills all of the span") {
  // A byte that is zero in each of 64 fills was not filled: 2^-512.
  std::array<unsigned char, 33> seen{};
  for (int i = 0; i < 64; ++i) {
    std::array<unsigned char, 33> bytes{};
    secure_random(bytes);
    for (std::size_t j = 0; j < bytes.size(); ++j)
      seen[j] |= bytes[j];
  }
  CHECK(std::ranges::none_of(seen, [](auto b) { return b == 0; }));
}

TEST_CASE("fast random, repeatable from a seed") {
  fast_random a(42);
  fast_random b(42);
  fast_random c(43);
  auto const first = a();
  CHECK(first == b());
  CHECK(first != c());
  CHECK(a() == b());
}

TEST_CASE("fast random, seeded by the system, is not the same twice") {
  fast_random a;
  fast_random b;
  CHECK(a() != b());
}

TEST_CASE("fast random, below a bound") {
  fast_random random(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i)
    ++seen.at(random.below(7));
  for (auto const n : seen) {
    CHECK(n > 800);
    CHECK(n < 1200);
  }
  CHECK(random.below(1) == 0);
}

}  // namespace
