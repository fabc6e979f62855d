#include "doorward/base/utf8.hpp"

#include "catch.hpp"

TEST_CASE("UTF-8, and what is none") {
  using doorward::is_utf8;
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80"));
  CHECK_FALSE(is_utf8("J\xfcrgen"));
  CHECK_FALSE(is_utf8("\xc3"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));      // overlong
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));  // half a surrogate pair
  CHECK_FALSE(is_utf8("\xf4\x90\x80\x80"));
}
