#include "memory.hpp"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "error.hpp"

namespace graphc {
namespace {

namespace L = layout;

#ifdef __SANITIZE_ADDRESS__
// The kernels' machine code is not instrumented, so that ASan would not see what they do: every block ends (but for less than
// 64 bytes) at a page that nothing may touch, and each buffer has a block of its own.
constexpr std::size_t PAGE = 4096;

void* guarded(std::size_t bytes) {
  const std::size_t body = (bytes + PAGE - 1) / PAGE * PAGE;
  void* pages = mmap(nullptr, body + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(pages);
  mprotect(begin + PAGE + body, PAGE, PROT_NONE);
  *static_cast<std::size_t*>(pages) = body + 2 * PAGE;
  char* block = begin + PAGE + (body - bytes) / 64 * 64;
  std::memset(block, 0x5A, bytes);
  return block;
}

void free_guarded(void* block) {
  if (!block) return;
  // The size stands at the start of the page before the block's first one.
  char* first = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(block) / PAGE * PAGE) - PAGE;
  munmap(first, *reinterpret_cast<std::size_t*>(first));
}
#else
void* guarded(std::size_t bytes) { return std::aligned_alloc(64, bytes); }
void free_guarded(void* block) { std::free(block); }
#endif

std::int64_t allocate(std::int64_t bytes, std::int64_t) {
  if (bytes <= 0 || bytes > std::int64_t{1} << 50) return 0;
  return reinterpret_cast<std::int64_t>(guarded((static_cast<std::size_t>(bytes) + 63) / 64 * 64));
}

std::int64_t release(std::int64_t address, std::int64_t) {
  free_guarded(reinterpret_cast<void*>(address));
  return 0;
}

// Waits or wakes, as `operation` says; numbers as in kernels/runtime/tables.py.
std::int64_t futex(std::int64_t number, std::int64_t address, std::int64_t operation, std::int64_t value, std::int64_t,
                   std::int64_t) {
  return syscall(number, address, static_cast<int>(operation), static_cast<int>(value), nullptr, nullptr, 0);
}

template <class Function>
std::int64_t address_of(Function* function) { return reinterpret_cast<std::int64_t>(function); }

std::int64_t machine_memory() {
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

HostTable::HostTable(std::int64_t limit) {
  words[L::HOST_ALLOC] = address_of(allocate);
  words[L::HOST_FREE] = address_of(release);
  words[L::HOST_WAIT] = words[L::HOST_WAKE] = address_of(futex);
  words[L::HOST_WAIT_CONTEXT] = SYS_futex;
#ifdef __SANITIZE_ADDRESS__
  words[L::HOST_APART] = 1;
#endif
  words[L::HOST_LIMIT] = limit > 0 ? limit : machine_memory();
}

Block::Block(std::shared_ptr<HostTable> host, std::size_t bytes) : host_(std::move(host)), bytes_(bytes) {
  static constexpr std::size_t LARGEST = std::size_t{1} << 46;
  const std::size_t rounded = bytes < LARGEST ? (bytes / 64 + 1) * 64 : LARGEST;
  const auto total = static_cast<std::int64_t>(rounded);
  const std::int64_t used = __atomic_add_fetch(&host_->words[L::HOST_USED], total, __ATOMIC_RELAXED);
  if (used <= host_->words[L::HOST_LIMIT]) data_ = static_cast<char*>(guarded(rounded));
  if (!data_) {
    __atomic_sub_fetch(&host_->words[L::HOST_USED], total, __ATOMIC_RELAXED);
    throw Error(GRAPHC_RESOURCE_EXHAUSTED,
                "no memory for " + std::to_string(bytes) + " bytes: " + std::to_string(used - total) + " of " +
                    std::to_string(host_->words[L::HOST_LIMIT]) + " are in use by this model");
  }
  std::memset(data_, 0, rounded);
}

Block::Block(Block&& other) noexcept { *this = std::move(other); }

Block& Block::operator=(Block&& other) noexcept {
  std::swap(host_, other.host_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Block::~Block() {
  if (!data_) return;
  __atomic_sub_fetch(&host_->words[L::HOST_USED], static_cast<std::int64_t>((bytes_ / 64 + 1) * 64), __ATOMIC_RELAXED);
  free_guarded(data_);
}

}  // namespace graphc
