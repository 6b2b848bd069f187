// Bytes of files, read into memory that counts: what else writes to a file, or cuts it short, changes nothing of what was read.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "memory.hpp"

namespace graphc_core {

// A regular file, open for reading. Throws NOT_FOUND if it cannot be read.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::int64_t size() const { return size_; }
  // `bytes` bytes from `offset` on, which must be inside. Throws DATA_LOSS if it got shorter meanwhile.
  Block read(std::int64_t offset, std::size_t bytes, const std::shared_ptr<HostTable>& host) const;

 private:
  std::string path_;
  int file_;
  std::int64_t size_ = 0;
};

// All of it.
Block read_file(const std::string& path, const std::shared_ptr<HostTable>& host);

}  // namespace graphc_core
