#include "doorward/net/read_guess.hpp"

#include "catch.hpp"

namespace {

using doorward::net::read_guess;

// How many of `occasions` are used for an attempt, of which every `one_in`-th finds something; 0: none does.
unsigned attempts(read_guess& g, unsigned occasions, unsigned one_in) {
  unsigned n = 0;
  for (unsigned i = 0; i < occasions; ++i) {
    if (!g.try_first()) continue;
    ++n;
    g.found(one_in != 0 && n % one_in == 0);
  }
  return n;
}

TEST_CASE("a read guess, while most attempts find something, tries first") {
  auto const one_in = GENERATE(1U, 2U);
  read_guess g;
  CHECK(attempts(g, 10 * read_guess::run, one_in) == 10 * read_guess::run);
}

TEST_CASE("a read guess, when most attempts find nothing, waits for a long time, and then tries a whole run again") {
  auto const one_in = GENERATE(0U, 3U);
  read_guess g;
  CHECK(attempts(g, read_guess::run + read_guess::rest, one_in) == read_guess::run);
  CHECK(attempts(g, read_guess::run + read_guess::rest, one_in) == read_guess::run);
}

TEST_CASE("a read guess, when attempts find something again, comes back to them") {
  read_guess g;
  attempts(g, read_guess::run, 0);
  CHECK(attempts(g, read_guess::rest, 1) == 0);
  CHECK(attempts(g, 10 * read_guess::run, 1) == 10 * read_guess::run);
}

}  // namespace
