// The files of arrays that graphc-run reads and writes, as graphc/commands/array_files.py does: .npy, and .npz, a zip archive of
// those by the names of inputs and outputs. Compressed archives are refused.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "graphc.h"
#include "npy.hpp"
#include "whole_file.hpp"

namespace graphc_core {

// The name of a tensor without ":0": that of its array in a .npz file.
std::string plain(const std::string& name);

// Whether a file of this name is written as a .npz file.
bool is_archive(const std::string& path);

// The names of the arrays in a .npz file.
std::vector<std::string> names_in(const std::string& path);

// The array in a .npy file, or of that name in a .npz file. Throws NOT_FOUND if there is no such file or array, and
// INVALID_ARGUMENT if the file is neither, damaged, or compressed.
Array read_array(const std::string& path, const std::string& name);

// Tensors by their names as a .npz file, on the disk, but under its name only when it is committed.
WholeFile npz_file(const std::string& path, const std::vector<std::pair<std::string, graphc_tensor>>& arrays);

}  // namespace graphc_core
