// NumPy's .npy files, version 1 to 3, C order, little-endian.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graphc.h"
#include "whole_file.hpp"

namespace graphc {

struct Array {
  std::int32_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<char> data;

  graphc_tensor tensor();            // a view
};

Array read_npy(const std::string& path);

// The tensor as a .npy file, on the disk, but under its name only when it is committed.
WholeFile npy_file(const std::string& path, const graphc_tensor& tensor);

}  // namespace graphc
