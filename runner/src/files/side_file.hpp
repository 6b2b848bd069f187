// A side file: where the constants of a graph over 2 GB are (proto/side_file.proto). Mapped read-only, and used where it lies.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace graphc_core {

struct SideFileInfo {                  // SideFile
  std::string name, id;
  std::int64_t size = 0;
};

struct SideTensor {
  std::string_view id;
  std::int64_t offset = 0, size = 0;
};

class SideFile {
 public:
  // graph_path: of the .pb, in whose folder it is. Throws NOT_FOUND if it is not there, DATA_LOSS if it is another graph's, or
  // not whole.
  SideFile(const std::string& graph_path, const SideFileInfo& info);
  ~SideFile();
  SideFile(const SideFile&) = delete;
  SideFile& operator=(const SideFile&) = delete;

  // The bytes of a tensor, from a multiple of 64 on. Throws DATA_LOSS if they are not inside.
  std::string_view bytes(const SideTensor& tensor) const;

 private:
  void check(const SideFileInfo& info) const;

  std::string path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace graphc_core
