#include "doorward/runtime/address_counts.hpp"

#include <thread>
#include <vector>

#include "catch.hpp"

using doorward::runtime::address_counts;

namespace {

address_counts::address v4(std::uint8_t last) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last};
}
address_counts::address v6(std::uint8_t network, std::uint8_t host) {
  return {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host};
}

}  // namespace

TEST_CASE("address counts, as many as allowed: the next has to wait until one has left") {
  address_counts counts(2);
  CHECK(counts.enter(v4(1)));
  CHECK(counts.enter(v4(1)));
  CHECK_FALSE(counts.enter(v4(1)));
  counts.leave(v4(1));
  CHECK(counts.enter(v4(1)));
  CHECK_FALSE(counts.enter(v4(1)));
}

TEST_CASE("address counts, another address: it has its own") {
  address_counts counts(1);
  CHECK(counts.enter(v4(1)));
  CHECK(counts.enter(v4(2)));
  CHECK(counts.enter(v6(1, 1)));
  CHECK(counts.enter(v6(2, 1)));
}

TEST_CASE("address counts, IPv6: a /64 is one client") {
  address_counts counts(1);
  CHECK(counts.enter(v6(1, 1)));
  CHECK_FALSE(counts.enter(v6(1, 2)));
  counts.leave(v6(1, 1));
  CHECK(counts.enter(v6(1, 3)));
}

TEST_CASE("address counts, no limit: everybody enters") {
  address_counts counts(0);
  for (int i = 0; i < 1000; ++i)
    CHECK(counts.enter(v4(1)));
  counts.leave(v4(1));
}

TEST_CASE("address counts, many threads: no place is lost and none is made up") {
  address_counts counts(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&counts] {
      for (int i = 0; i < 1000; ++i)
        if (counts.enter(v4(1))) counts.leave(v4(1));
    });
  for (auto& t : threads)
    t.join();
  for (int i = 0; i < 4; ++i)
    CHECK(counts.enter(v4(1)));
  CHECK_FALSE(counts.enter(v4(1)));
}
