// Memory of one model: the HOST table of kernels/runtime/tables.py, its limit, and blocks that count against it.
#pragma once
#include <cstdint>
#include <memory>

#include "graphc_layout.h"

namespace graphc {

// What the runtime asks of its embedder: allocation, waiting, host functions. Shared by a model and its results, so that a
// result may outlive the model. Words are changed by machine code on several threads.
struct HostTable {
  // limit: bytes in all, 0: as much as the machine has.
  explicit HostTable(std::int64_t limit);
  std::int64_t words[layout::HOST_WORDS] = {};

  std::int64_t address() { return reinterpret_cast<std::int64_t>(words); }
  std::int64_t used() const { return __atomic_load_n(&words[layout::HOST_USED], __ATOMIC_RELAXED); }
};

// A 64-byte aligned, zeroed block. Throws RESOURCE_EXHAUSTED if the limit or the machine does not allow it.
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
  char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace graphc
