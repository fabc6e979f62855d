// Preloaded into a program, counts its heap allocations: the file named by COUNT_ALLOCATIONS holds the number, as it
// grows, in its first eight bytes. Releases are not counted; there are as many of them in the long run.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" {
// glibc's own, under the names it keeps for those who replace malloc.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<std::uint64_t> before_the_file{0};
std::atomic<std::uint64_t>* count = &before_the_file;

__attribute__((constructor)) void open_file() {
  const char* name = std::getenv("COUNT_ALLOCATIONS");
  const int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) count = static_cast<std::atomic<std::uint64_t>*>(at);
}

void one_more() {
  count->fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t n) {
  one_more();
  return __libc_malloc(n);
}

void* calloc(std::size_t n, std::size_t size) {
  one_more();
  return __libc_calloc(n, size);
}

void* realloc(void* p, std::size_t n) {
  one_more();
  return __libc_realloc(p, n);
}

void* memalign(std::size_t alignment, std::size_t n) {
  one_more();
  return __libc_memalign(alignment, n);
}

void* aligned_alloc(std::size_t alignment, std::size_t n) {
  return memalign(alignment, n);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t n) {
  void* p = memalign(alignment, n);
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

}  // extern "C"
