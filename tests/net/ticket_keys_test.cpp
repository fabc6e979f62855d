#include "doorward/net/ticket_keys.hpp"

#include "catch.hpp"

using doorward::net::ticket_keys;
using namespace std::chrono_literals;

TEST_CASE("a ticket's key is found until the one after the next has come") {
  ticket_keys keys;
  doorward::time_point now{1000h};
  auto const first = keys.current(now);
  CHECK(keys.current(now + 11h).name == first.name);
  CHECK_FALSE(keys.find(first.name.data(), now + 11h)->renew);

  now += 12h;
  auto const second = keys.current(now);
  CHECK(second.name != first.name);
  auto const old = keys.find(first.name.data(), now);
  REQUIRE(old);
  CHECK(old->renew);
  CHECK(old->with.mac == first.mac);

  CHECK_FALSE(keys.find(first.name.data(), now + 12h));
}

TEST_CASE("a key that nobody asked for in a day is gone") {
  ticket_keys keys;
  doorward::time_point const now{1000h};
  auto const first = keys.current(now);
  CHECK_FALSE(keys.find(first.name.data(), now + 24h));
}

TEST_CASE("a made-up name is never found, nor a key of somebody else") {
  ticket_keys keys;
  ticket_keys others;
  doorward::time_point const now{1000h};
  auto const first = others.current(now);
  (void)keys.current(now);
  std::array<std::uint8_t, 16> const made_up{1, 2, 3};
  CHECK_FALSE(keys.find(made_up.data(), now));
  CHECK_FALSE(keys.find(first.name.data(), now));
}
