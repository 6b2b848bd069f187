// NumPy's .npy files, versions 1 to 3: any order of axes and bytes is read, the row-major and little-endian one written. Strings are
// read from arrays of bytes and of text (NumPy's S and U), which becomes UTF-8, and written as bytes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graphc.h"
#include "whole_file.hpp"

namespace graphc_core {

struct Array {
  std::int32_t dtype = 0;
  std::vector<std::int64_t> sizes;
  std::vector<char> data;            // of strings: a graphc_string for each
  std::vector<char> texts;           // what those refer to

  graphc_tensor tensor();            // a view
};

// Whether bytes, six of them at least, are the beginning of a .npy file.
bool is_npy(const std::vector<char>& file);

// The array in a .npy file, of which these are the bytes; `path` stands in messages.
Array read_npy(std::vector<char> file, const std::string& path);

// A .npy file up to its elements, and these. Strings become one length, that of the longest: they are kept in `padded`. Throws
// INVALID_ARGUMENT for a string that ends in NUL, which no .npy file can hold.
struct NpyParts {
  std::string header, padded;
  std::string_view elements;
};
NpyParts npy_parts(const graphc_tensor& tensor, const std::string& path);

// The tensor as a .npy file, on the disk, but under its name only when it is committed.
WholeFile npy_file(const std::string& path, const graphc_tensor& tensor);

}  // namespace graphc_core
