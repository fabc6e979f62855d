// A chunked body: how it is cut into reads makes no difference, and nothing beyond its end is taken.
#include <algorithm>
#include <string>

#include "doorward/http/chunked.hpp"
#include "require.hpp"

using namespace doorward;

namespace {

struct outcome {
  std::string data;
  std::size_t consumed = 0;
  bool finished = false;
  bool failed = false;
};

outcome decode(std::string_view bytes, std::size_t piece) {
  http::chunked_decoder decoder(1024);
  outcome o;
  std::string buffer(bytes);
  for (std::size_t at = 0; at < buffer.size() && !o.finished;) {
    auto const size = std::min(piece, buffer.size() - at);
    std::size_t done = 0;
    while (done < size && !o.finished) {
      auto const s = decoder.feed({buffer.data() + at + done, size - done});
      if (!s) {
        o.failed = true;
        return o;
      }
      require(s->consumed <= size - done, "no more is consumed than is there");
      o.data.append(s->data.data(), s->data.size());
      done += s->consumed;
      o.finished = s->finished;
      if (s->consumed == 0 && !s->finished) break;
    }
    require(o.finished || done == size, "all of a piece is taken");
    at += done;
    o.consumed = at;
  }
  return o;
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 1) return 0;
  auto const bytes = text(data + 1, size - 1);
  auto const whole = decode(bytes, bytes.size());
  auto const pieces = decode(bytes, 1 + data[0] % 7);
  require(whole.failed == pieces.failed, "broken is broken however it is cut");
  if (whole.failed) return 0;
  require(whole.data == pieces.data, "the same data however it is cut");
  require(whole.finished == pieces.finished && whole.consumed == pieces.consumed, "the same end however it is cut");
  require(whole.data.size() <= whole.consumed, "no data from nothing");
  return 0;
}
