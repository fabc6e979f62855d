#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace doorward::net {

/// 16 KiB blocks, kept for the next one who reads. One a worker; not thread-safe. Bounded, so that a surge does not
/// stay in memory.
class buffer_pool {
public:
  static constexpr std::size_t block = 16 * 1024;
  static constexpr std::size_t most_kept = 256;  // 4 MiB

  [[nodiscard]] std::unique_ptr<char[]> acquire() {
    if (free_.empty()) return std::make_unique_for_overwrite<char[]>(block);
    auto b = std::move(free_.back());
    free_.pop_back();
    return b;
  }
  void release(std::unique_ptr<char[]> b) {
    if (free_.size() < most_kept) free_.push_back(std::move(b));
  }

private:
  std::vector<std::unique_ptr<char[]>> free_;
};

/// A flat read buffer: bytes come in at the back and are consumed from the front. Holds a pooled block only while it
/// has to; grows beyond a block only for large heads.
class read_buffer {
public:
  /// Less room than this is not worth a system call.
  static constexpr std::size_t least_room = 2 * 1024;

  explicit read_buffer(buffer_pool& pool) noexcept : pool_(&pool) {}
  read_buffer(read_buffer const&) = delete;
  read_buffer& operator=(read_buffer const&) = delete;
  ~read_buffer() { release(); }

  [[nodiscard]] std::string_view data() const noexcept { return {storage_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::span<char> bytes() noexcept { return {storage_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

  /// Room to read into; a block is taken when there is none.
  [[nodiscard]] std::span<char> room() {
    if (!storage_) {
      storage_ = pool_->acquire();
      capacity_ = buffer_pool::block;
    }
    return {storage_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) noexcept { end_ += n; }

  /// Takes `n` bytes from the front; the bytes themselves stay where they are until room is made.
  void consume(std::size_t n) noexcept { begin_ += n; }

  /// Moves what is left to the front, so that all of the capacity is room again. Invalidates views.
  void compact() noexcept {
    if (begin_ == 0) return;
    std::memmove(storage_.get(), storage_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  /// Doubles the capacity. Invalidates views.
  void grow() {
    auto bigger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
    std::memcpy(bigger.get(), storage_.get(), end_);
    give_back();
    storage_ = std::move(bigger);
    capacity_ *= 2;
  }

  /// Gives the block back. Only for an empty buffer.
  void release() noexcept {
    give_back();
    begin_ = end_ = capacity_ = 0;
  }

  [[nodiscard]] std::size_t begin_offset() const noexcept { return begin_; }
  /// Bytes from `mark` on are room again: used to read a body behind a head that is still viewed.
  void rewind(std::size_t mark) noexcept { begin_ = end_ = mark; }

private:
  void give_back() noexcept {
    if (capacity_ == buffer_pool::block) pool_->release(std::move(storage_));
    storage_.reset();
  }

  buffer_pool* pool_;
  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace doorward::net
