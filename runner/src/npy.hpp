// NumPy's .npy files, versions 1 to 3: any order of axes and bytes is read, the row-major and little-endian one written.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graphc.h"
#include "whole_file.hpp"

namespace graphc_core {

struct Array {
  std::int32_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<char> data;

  graphc_tensor tensor();            // a view
};

// Whether bytes, six of them at least, are the beginning of a .npy file.
bool is_npy(const std::vector<char>& file);

// The array in a .npy file, of which these are the bytes; `path` stands in messages.
Array read_npy(std::vector<char> file, const std::string& path);

// A .npy file up to its elements.
std::string npy_header(const graphc_tensor& tensor, const std::string& path);

// The tensor as a .npy file, on the disk, but under its name only when it is committed.
WholeFile npy_file(const std::string& path, const graphc_tensor& tensor);

}  // namespace graphc_core
