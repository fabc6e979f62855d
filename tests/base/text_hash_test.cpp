#include "doorward/base/text_hash.hpp"

#include <string>

#include "catch.hpp"

using doorward::text_hash;

TEST_CASE("SipHash-2-4 as its authors have it") {
  text_hash const hash{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  CHECK(hash(text) == 0x726fdb47dd0e0e31);
  text += '\0';
  CHECK(hash(text) == 0x74f839c593dc67fd);
  while (text.size() < 15)
    text += static_cast<char>(text.size());
  CHECK(hash(text) == 0xa129ca6149be45e5);
}

TEST_CASE("each object has a key of its own") {
  text_hash const one, other;
  CHECK(one("session:a") == one("session:a"));
  CHECK(one("session:a") != other("session:a"));
}
