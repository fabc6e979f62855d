#include "doorward/http/body.hpp"

#include <string>

#include "catch.hpp"
#include "doorward/http/chunk_frame.hpp"

namespace http = doorward::http;

namespace {

// Feeds `bytes` in pieces of `piece`, and collects the data.
struct outcome {
  std::string data;
  std::size_t consumed = 0;
  bool finished = false;
  bool failed = false;
};

outcome decode(http::framing f, std::uint64_t length, std::string const& bytes, std::size_t piece) {
  http::body_decoder decoder;
  decoder.start(f, length);
  outcome out;
  for (std::size_t at = 0; at < bytes.size() && !out.finished; at += piece) {
    auto input = bytes.substr(at, piece);
    auto const step = decoder.feed(input);
    if (!step) {
      out.failed = true;
      return out;
    }
    out.data.append(step->data.data(), step->data.size());
    out.consumed += step->consumed;
    out.finished = step->finished;
  }
  return out;
}

}  // namespace

TEST_CASE("a body framed by its length ends there, however it arrives") {
  for (std::size_t piece : {1u, 2u, 5u, 100u}) {
    auto const o = decode(http::framing::length, 5, "hellonext", piece);
    CHECK(o.data == "hello");
    CHECK(o.consumed == 5);
    CHECK(o.finished);
  }
}

TEST_CASE("a chunked body is put together, however it arrives") {
  for (std::size_t piece : {1u, 2u, 3u, 7u, 100u}) {
    auto const o =
        decode(http::framing::chunked, 0, "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nT: x\r\n\r\nGET", piece);
    INFO(piece);
    CHECK(o.data == "hello world");
    CHECK(o.finished);
    CHECK(o.consumed == 41);
  }
}

TEST_CASE("a broken chunk is an error") {
  CHECK(decode(http::framing::chunked, 0, "5\r\nhelloX\r\n0\r\n\r\n", 100).failed);
  CHECK(decode(http::framing::chunked, 0, "-1\r\n\r\n", 100).failed);
}

TEST_CASE("only a body that ends by closing may end there") {
  http::body_decoder decoder;
  decoder.start(http::framing::until_close, 0);
  CHECK(decoder.may_end());
  CHECK_FALSE(decoder.finished());
  decoder.start(http::framing::length, 3);
  CHECK_FALSE(decoder.may_end());
  decoder.start(http::framing::chunked, 0);
  CHECK_FALSE(decoder.may_end());
  decoder.start(http::framing::length, 0);
  CHECK(decoder.finished());
  decoder.start(http::framing::none, 0);
  CHECK(decoder.finished());
}

TEST_CASE("a frame makes a chunk of any run of data") {
  http::chunk_frame f;
  f.wrap(255, false);
  CHECK(f.before() == "ff\r\n");
  CHECK(f.after() == "\r\n");
  f.wrap(1, true);
  CHECK(f.before() == "1\r\n");
  CHECK(f.after() == "\r\n0\r\n\r\n");
  f.wrap(0, true);
  CHECK(f.before().empty());
  CHECK(f.after() == "0\r\n\r\n");
  f.wrap(0, false);
  CHECK(f.before().empty());
  CHECK(f.after().empty());
}
