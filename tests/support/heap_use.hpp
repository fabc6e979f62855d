#pragma once

#include <cstddef>

/// How often this thread has taken memory from the heap and given it back, by operator new and delete.
struct heap_use {
  std::size_t taken = 0;
  std::size_t given_back = 0;
};
[[nodiscard]] heap_use heap_use_so_far() noexcept;

/// Under a sanitizer the coroutine frames are not kept, so that one used after its end is seen.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool frames_are_kept = false;
#else
inline constexpr bool frames_are_kept = true;
#endif
