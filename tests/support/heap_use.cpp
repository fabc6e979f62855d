#include "heap_use.hpp"

#include <cstdlib>
#include <new>

// Every form that a container or an array uses is replaced, the array forms too: the standard library's own call the
// single ones, a sanitizer's do not.

namespace {
thread_local heap_use so_far;

void* take(std::size_t size) noexcept {
  ++so_far.taken;
  return std::malloc(size == 0 ? 1 : size);
}
void* take_or_throw(std::size_t size) {
  if (auto* const p = take(size)) return p;
  throw std::bad_alloc();
}
void give_back(void* p) noexcept {
  ++so_far.given_back;
  std::free(p);
}
}  // namespace

heap_use heap_use_so_far() noexcept {
  return so_far;
}

void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  return take(size);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept {
  return take(size);
}
void* operator new(std::size_t size) {
  return take_or_throw(size);
}
void* operator new[](std::size_t size) {
  return take_or_throw(size);
}
void operator delete(void* p) noexcept {
  give_back(p);
}
void operator delete[](void* p) noexcept {
  give_back(p);
}
void operator delete(void* p, std::size_t) noexcept {
  give_back(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  give_back(p);
}
