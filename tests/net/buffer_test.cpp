#include "doorward/net/buffer.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "catch.hpp"
#include "heap_use.hpp"

namespace {

using doorward::net::buffer_pool;
using doorward::net::read_buffer;

void put(read_buffer& b, std::string_view bytes) {
  auto const room = b.room();
  REQUIRE(room.size() >= bytes.size());
  std::ranges::copy(bytes, room.begin());
  b.commit(bytes.size());
}

// Where the block is that the pool gives out next.
char const* pool_block(buffer_pool& pool) {
  auto block = pool.acquire();
  auto const* const where = block.get();
  pool.release(std::move(block));
  return where;
}

}  // namespace

TEST_CASE("buffer, new: it holds nothing, not even a block") {
  buffer_pool pool;
  auto const before = heap_use_so_far().taken;
  read_buffer b(pool);
  CHECK(b.empty());
  CHECK(b.data().empty());
  CHECK(b.bytes().empty());
  b.compact();
  b.release();
  CHECK(heap_use_so_far().taken == before);
  CHECK(b.room().size() == buffer_pool::block);
}

TEST_CASE("buffer, bytes come in at the back and go from the front") {
  buffer_pool pool;
  read_buffer b(pool);
  put(b, "one two ");
  put(b, "three");
  CHECK(b.data() == "one two three");
  CHECK(b.room().size() == buffer_pool::block - 13);
  b.consume(4);
  CHECK(b.data() == "two three");
  CHECK(std::string(b.bytes().begin(), b.bytes().end()) == "two three");
  CHECK(b.begin_offset() == 4);
  b.consume(9);
  CHECK(b.empty());
}

TEST_CASE("buffer, consumed bytes stay where they are until room is made") {
  buffer_pool pool;
  read_buffer b(pool);
  put(b, "head|body");
  auto const head = b.data().substr(0, 5);
  b.consume(5);
  put(b, " and more");
  CHECK(head == "head|");
  CHECK(b.data() == "body and more");
}

TEST_CASE("buffer, compacted: all of its capacity is room again") {
  buffer_pool pool;
  read_buffer b(pool);
  put(b, std::string(buffer_pool::block - 3, 'x') + "end");
  CHECK(b.room().empty());
  b.consume(buffer_pool::block - 3);
  CHECK(b.room().empty());
  b.compact();
  CHECK(b.data() == "end");
  CHECK(b.room().size() == buffer_pool::block - 3);
  CHECK(b.begin_offset() == 0);
}

TEST_CASE("buffer, grown: it has twice the capacity, and offsets hold") {
  buffer_pool pool;
  read_buffer b(pool);
  put(b, "gone|stays");
  b.consume(5);
  b.grow();
  CHECK(b.data() == "stays");
  CHECK(b.begin_offset() == 5);
  CHECK(b.room().size() == 2 * buffer_pool::block - 10);
  b.grow();
  CHECK(b.data() == "stays");
  CHECK(b.room().size() == 4 * buffer_pool::block - 10);
}

TEST_CASE("buffer, rewound: it is empty, and what lies before the mark is untouched") {
  buffer_pool pool;
  read_buffer b(pool);
  put(b, "head|first piece");
  auto const head = b.data().substr(0, 5);
  b.consume(5);
  auto const mark = b.begin_offset();
  b.rewind(mark);
  CHECK(b.empty());
  CHECK(b.room().size() == buffer_pool::block - 5);
  put(b, "second");
  CHECK(b.data() == "second");
  CHECK(head == "head|");
}

TEST_CASE("buffer, released: its block serves the next one") {
  buffer_pool pool;
  read_buffer first(pool);
  auto const* const block = first.room().data();
  put(first, "x");
  first.consume(1);
  first.release();
  CHECK(first.empty());
  read_buffer second(pool);
  CHECK(second.room().data() == block);
  CHECK(first.room().data() != block);
}

TEST_CASE("buffer, destroyed: its block serves the next one") {
  buffer_pool pool;
  char const* block = nullptr;
  {
    read_buffer b(pool);
    block = b.room().data();
  }
  CHECK(pool.acquire().get() == block);
}

TEST_CASE("buffer, grown beyond a block: what it grew to does not reach the pool") {
  buffer_pool pool;
  auto const* const block = pool_block(pool);
  read_buffer b(pool);
  REQUIRE(b.room().data() == block);
  b.grow();
  CHECK(pool_block(pool) == block);  // given back when the larger one took its place
  // Counted first and compared afterwards: a comparison may allocate.
  auto const before = heap_use_so_far();
  b.release();
  auto const released = heap_use_so_far();
  auto const kept = pool.acquire();
  auto const after_kept = heap_use_so_far();
  auto const fresh = pool.acquire();
  auto const after_fresh = heap_use_so_far();
  CHECK(released.given_back == before.given_back + 1);
  CHECK(after_kept.taken == before.taken);
  CHECK(after_fresh.taken == before.taken + 1);
}

TEST_CASE("pool, given more than it keeps: the rest goes back to the heap") {
  buffer_pool pool;
  std::vector<std::unique_ptr<char[]>> blocks;
  blocks.reserve(buffer_pool::most_kept + 10);
  for (std::size_t i = 0; i < buffer_pool::most_kept + 10; ++i)
    blocks.push_back(pool.acquire());
  for (auto& b : blocks)
    pool.release(std::move(b));
  auto const before = heap_use_so_far().taken;
  for (std::size_t i = 0; i < buffer_pool::most_kept; ++i)
    blocks[i] = pool.acquire();
  auto const after_kept = heap_use_so_far().taken;
  blocks.front() = pool.acquire();
  auto const after_fresh = heap_use_so_far().taken;
  CHECK(after_kept == before);
  CHECK(after_fresh == before + 1);
}
