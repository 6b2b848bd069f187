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
#include "limits.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;

constexpr std::size_t LARGEST = std::size_t{1} << 46;    // bytes of a block

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
  return begin + PAGE + (body - bytes) / 64 * 64;
}

void free_guarded(void* block) {
  if (!block) return;
  // The size stands at the start of the page before the block's first one.
  char* first = reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(block) / PAGE * PAGE) - PAGE;
  munmap(first, *reinterpret_cast<std::size_t*>(first));
}

void* uncleared(std::size_t bytes) {
  void* block = guarded(bytes);
  if (block) std::memset(block, 0x5A, bytes);
  return block;
}

void* cleared(std::size_t bytes) { return guarded(bytes); }
#else
void* uncleared(std::size_t bytes) { return std::aligned_alloc(64, bytes); }
void* cleared(std::size_t bytes) { return std::calloc(bytes + 64, 1); }    // fresh pages of the kernel's need no clearing
void free_guarded(void* block) { std::free(block); }
#endif

std::int64_t allocate(std::int64_t bytes, std::int64_t) {
  if (bytes <= 0 || bytes > std::int64_t{1} << 50) return 0;
  return reinterpret_cast<std::int64_t>(uncleared((static_cast<std::size_t>(bytes) + 63) / 64 * 64));
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

std::int64_t advise(std::int64_t address, std::int64_t bytes, std::int64_t advice) {
  return madvise(reinterpret_cast<void*>(address), static_cast<std::size_t>(bytes), static_cast<int>(advice));
}

template <class Function>
std::int64_t address_of(Function* function) { return reinterpret_cast<std::int64_t>(function); }

// Bytes that a block of `bytes` is counted as.
std::int64_t counted(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes < LARGEST ? (bytes / 64 + 1) * 64 : LARGEST);
}

}  // namespace

HostTable::HostTable(std::int64_t limit) {
  words[L::HOST_ALLOC] = address_of(allocate);
  words[L::HOST_FREE] = address_of(release);
  words[L::HOST_ADVISE] = address_of(advise);
  words[L::HOST_WAIT] = words[L::HOST_WAKE] = address_of(futex);
  words[L::HOST_WAIT_CONTEXT] = SYS_futex;
#ifdef __SANITIZE_ADDRESS__
  words[L::HOST_APART] = 1;
#endif
  words[L::HOST_LIMIT] = limit > 0 ? limit : default_memory_limit();
}

void HostTable::take(std::int64_t bytes) {
  const std::int64_t before = __atomic_fetch_add(&words[L::HOST_USED], bytes, __ATOMIC_RELAXED);
  if (bytes <= limit() - before) return;
  give_back(bytes);
  throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for " + decimal(bytes) + " bytes: " + state());
}

std::string HostTable::state() const {
  const std::string numbers = decimal(used()) + " of " + decimal(limit()) + " bytes are in use by this model";
  if (!loading) return numbers + "; graphc_options.memory_limit sets how many it may use";
  return numbers + ". To load a file of " + decimal(loading) + " bytes should not take more: it is damaged, or made to take "
         "memory. If it is neither, set graphc_options.memory_limit (graphc-run: --memory)";
}

Block::Block(std::shared_ptr<HostTable> host, std::size_t bytes) : host_(std::move(host)), bytes_(bytes) {
  const std::int64_t total = counted(bytes);
  host_->take(total);
  if (bytes < LARGEST) memory_ = cleared(static_cast<std::size_t>(total));
  if (!memory_) {
    host_->give_back(total);
    throw_error(GRAPHC_RESOURCE_EXHAUSTED,
                "no memory for " + decimal(bytes) + " bytes: the machine has none left; " + host_->state());
  }
  data_ = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(memory_) + 63) / 64 * 64);
}

Block::Block(Block&& other) noexcept { *this = std::move(other); }

Block& Block::operator=(Block&& other) noexcept {
  std::swap(host_, other.host_);
  std::swap(memory_, other.memory_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Block::~Block() {
  if (!memory_) return;
  host_->give_back(counted(bytes_));
  free_guarded(memory_);
}

void Charge::add(std::size_t bytes) {
  const auto more = static_cast<std::int64_t>(bytes < LARGEST ? bytes : LARGEST);
  host_->take(more);
  total_ += more;
}

void Charge::remove(std::size_t bytes) {
  host_->give_back(static_cast<std::int64_t>(bytes));
  total_ -= static_cast<std::int64_t>(bytes);
}

std::int64_t tables_limit(std::size_t file_bytes, bool given) {
  const auto size = static_cast<std::int64_t>(file_bytes < LARGEST ? file_bytes : LARGEST);
  return given ? 0 : LOAD_BASE + LOAD_FACTOR * size;
}

LoadLimit::LoadLimit(std::shared_ptr<HostTable> host, std::size_t file_bytes, bool given)
    : host_(std::move(host)), before_(host_->limit()) {
  const std::int64_t most = tables_limit(file_bytes, given);
  if (given || most >= before_) return;
  host_->words[L::HOST_LIMIT] = most;
  host_->loading = static_cast<std::int64_t>(file_bytes);
}

LoadLimit::~LoadLimit() {
  host_->words[L::HOST_LIMIT] = before_;
  host_->loading = 0;
}

}  // namespace graphc_core
