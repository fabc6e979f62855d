#include "doorward/net/read_guess.hpp"

#include "catch.hpp"

namespace {

using doorward::net::read_guess;

// How many of 160 occasions are used for an attempt, each of which finds something or nothing.
int attempts(read_guess& g, bool something) {
  int n = 0;
  for (int i = 0; i < 160; ++i) {
    if (!g.try_first()) continue;
    ++n;
    g.found(something);
  }
  return n;
}

TEST_CASE("a read guess, while attempts find something, tries first") {
  read_guess g;
  CHECK(attempts(g, true) == 160);
}

TEST_CASE("a read guess, when attempts find nothing, waits, and looks again now and then") {
  read_guess g;
  attempts(g, false);
  CHECK(attempts(g, false) == 10);
}

TEST_CASE("a read guess, when attempts find something again, comes back") {
  read_guess g;
  attempts(g, false);
  for (int i = 0; i < 20; ++i)
    attempts(g, true);
  CHECK(attempts(g, true) == 160);
}

TEST_CASE("a read guess, where half of the attempts find something, does not swing for long") {
  read_guess g;
  int n = 0;
  for (int i = 0; i < 1600; ++i) {
    if (!g.try_first()) continue;
    g.found(++n % 2 == 0);
  }
  CHECK(n > 100);  // in 1600 occasions
}

}  // namespace
