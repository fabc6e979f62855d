#include "doorward/base/keyed_digest.hpp"

#include "catch.hpp"

using doorward::keyed_digest;

TEST_CASE("a text has one digest, and another under another key") {
  keyed_digest const a;
  keyed_digest const b;
  CHECK(a("alice") == a("alice"));
  CHECK(a("alice") != a("alicf"));
  CHECK(a("alice") != b("alice"));
  CHECK(a("") != b(""));
}
