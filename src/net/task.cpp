#include "doorward/net/task.hpp"

#include <array>
#include <new>

namespace doorward::net {
namespace {

// Size classes of 64 bytes up to 4 KiB, at most 512 frames kept in each. Under AddressSanitizer nothing is kept, so
// that a frame used after its end is seen.
constexpr std::size_t step = 64;
constexpr std::size_t classes = 64;
constexpr unsigned most_kept = 512;

struct free_frame_node {
  free_frame_node* next;
};
struct free_list {
  free_frame_node* head = nullptr;
  unsigned count = 0;
};

constinit thread_local std::array<free_list, classes> free_lists{};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t class_of(std::size_t size) noexcept {
  return (size + step - 1) / step;
}

}  // namespace

namespace detail {

void* allocate_frame(std::size_t size) {
  auto const c = class_of(size);
  if (!pooled || c >= classes) return ::operator new(size);
  auto& list = free_lists[c];
  if (list.head == nullptr) return ::operator new(c* step);
  auto* const node = list.head;
  list.head = node->next;
  --list.count;
  return node;
}

void free_frame(void* p, std::size_t size) noexcept {
  auto const c = class_of(size);
  if (pooled && c < classes && free_lists[c].count < most_kept) {
    auto& list = free_lists[c];
    list.head = new (p) free_frame_node{list.head};
    ++list.count;
    return;
  }
  ::operator delete(p);
}

}  // namespace detail

void release_frames() noexcept {
  for (auto& list : free_lists) {
    while (list.head != nullptr) {
      auto* const node = list.head;
      list.head = node->next;
      ::operator delete(node);
    }
    list.count = 0;
  }
}

}  // namespace doorward::net
