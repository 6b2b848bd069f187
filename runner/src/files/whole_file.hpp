// Files that are written whole or not at all.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace graphc_core {

// A file on its way: written beside `path`, and under its name only when `commit` is called; dropped without it. So the file of
// that name is the old one or the whole new one, whatever happens. What is no regular file (a device, a pipe) is written to
// directly. Throws Error.
class WholeFile {
 public:
  explicit WholeFile(const std::string& path);
  WholeFile(WholeFile&& other) noexcept;
  WholeFile& operator=(WholeFile&&) = delete;
  ~WholeFile();

  void write(std::string_view data);
  // What was written is on the disk, and the file closed. Nothing may be written after it.
  void finish();
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::string path_, temporary_;     // temporary_ is empty: nothing to rename or drop
  unsigned mode_ = 0;
  int file_ = -1;
};

}  // namespace graphc_core
