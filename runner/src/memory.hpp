// Memory of one model: the HOST table of kernels/runtime/tables.py, its limit, blocks that count against it, and charges for
// what lies in containers of C++.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "graphc_layout.h"

namespace graphc_core {

// What the runtime asks of its embedder: allocation, waiting, host functions. Shared by a model and its results, so that a
// result may outlive the model. Words are changed by machine code on several threads.
struct HostTable {
  // limit: bytes in all, 0: the default (limits.hpp).
  explicit HostTable(std::int64_t limit);
  std::int64_t words[layout::HOST_WORDS] = {};
  std::int64_t loading = 0;      // size of the file while a model is loaded from it and the limit is in proportion to it

  std::int64_t address() { return reinterpret_cast<std::int64_t>(words); }
  std::int64_t used() const { return __atomic_load_n(&words[layout::HOST_USED], __ATOMIC_RELAXED); }
  std::int64_t limit() const { return words[layout::HOST_LIMIT]; }

  // Counts `bytes` more; throws RESOURCE_EXHAUSTED, with nothing counted, if the limit does not allow it.
  void take(std::int64_t bytes);
  void give_back(std::int64_t bytes) { __atomic_sub_fetch(&words[layout::HOST_USED], bytes, __ATOMIC_RELAXED); }
  // "123 of 456 bytes are in use by this model; ...": what to do about a limit that is reached.
  [[gnu::cold]] std::string state() const;
};

// A 64-byte aligned, zeroed block. Throws RESOURCE_EXHAUSTED if the limit or the machine does not allow it. Pages of a large
// one that nobody writes to are promised but not taken.
class Block {
 public:
  Block() = default;
  Block(std::shared_ptr<HostTable> host, std::size_t bytes);
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  ~Block();

  char* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::int64_t address() const { return reinterpret_cast<std::int64_t>(data_); }

 private:
  std::shared_ptr<HostTable> host_;
  void* memory_ = nullptr;       // what was allocated; data_ is its first multiple of 64
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Counts what is allocated elsewhere, before it is; gives it back when destroyed.
class Charge {
 public:
  explicit Charge(std::shared_ptr<HostTable> host) : host_(std::move(host)) {}
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() { host_->give_back(total_); }

  void add(std::size_t bytes);
  void remove(std::size_t bytes);
  const std::shared_ptr<HostTable>& host() const { return host_; }

 private:
  std::shared_ptr<HostTable> host_;
  std::int64_t total_ = 0;
};

// While it lives, the limit is in proportion to the size of the file that a model is loaded from; a limit that the caller
// gave stays as it is.
class LoadLimit {
 public:
  LoadLimit(std::shared_ptr<HostTable> host, std::size_t file_bytes, bool given);
  LoadLimit(const LoadLimit&) = delete;
  LoadLimit& operator=(const LoadLimit&) = delete;
  ~LoadLimit();

 private:
  std::shared_ptr<HostTable> host_;
  std::int64_t before_;
};

// The most bytes that the tables of a model's runs may take, 0: any number. (OPEN_TABLES of the runtime)
std::int64_t tables_limit(std::size_t file_bytes, bool given);

}  // namespace graphc_core
