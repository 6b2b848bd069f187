// NumPy's .npy files, version 1 to 3, C order, little-endian.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graphc.h"

namespace graphc {

struct Array {
  std::int32_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<char> data;

  graphc_tensor tensor();            // a view
};

Array read_npy(const std::string& path);

// A .npy file on its way: written beside `path` and on the disk, but under its name only when `commit` is called; dropped without
// it. So the file of that name is the old one or the whole new one, whatever happens. What is no regular file (a device, a pipe)
// is written to directly. Throws Error.
class NpyFile {
 public:
  NpyFile(const std::string& path, const graphc_tensor& tensor);
  NpyFile(NpyFile&& other) noexcept;
  NpyFile& operator=(NpyFile&&) = delete;
  ~NpyFile();
  void commit();

 private:
  std::string path_, temporary_;     // temporary_ is empty: nothing to rename or drop
};

}  // namespace graphc
