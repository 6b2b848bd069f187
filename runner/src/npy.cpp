#include "npy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

constexpr char MAGIC[] = "\x93NUMPY";
constexpr std::size_t LARGEST_HEADER = 1 << 16;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(GRAPHC_INVALID_ARGUMENT, path + ": " + why);
}

// The text behind 'key': in the header's Python dict, up to where it ends; enough for what NumPy writes.
std::string entry(const std::string& header, const std::string& key, const std::string& path) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) refuse(path, "no " + key + " in the .npy header");
  std::size_t start = header.find_first_not_of(' ', at + key.size() + 3);
  if (start == std::string::npos) refuse(path, "a broken .npy header");
  const char closing = header[start] == '(' ? ')' : header[start] == '\'' ? '\'' : ',';
  const std::size_t end = header.find(closing, start + 1);
  if (end == std::string::npos) refuse(path, "a broken .npy header");
  return header.substr(start, end - start);
}

std::vector<std::int64_t> parse_shape(const std::string& text, const std::string& path) {
  std::vector<std::int64_t> sizes;
  std::int64_t value = -1;
  for (const char c : text.substr(1) + ",") {
    if (c >= '0' && c <= '9') {
      value = (value < 0 ? 0 : value) * 10 + (c - '0');
      if (value > (std::int64_t{1} << 46)) refuse(path, "an array that is too large");
    } else if (c == ',') {
      if (value >= 0) sizes.push_back(value);
      value = -1;
    } else if (c != ' ') {
      refuse(path, "a broken shape in the .npy header");
    }
  }
  if (sizes.size() > GRAPHC_MAX_RANK) refuse(path, "an array of more than 8 axes");
  return sizes;
}

// Takes the header away from the file's bytes, so that the elements are left.
std::string take_header(std::vector<char>& file, const std::string& path) {
  if (!is_npy(file) || file.size() < 12) refuse(path, "not a .npy file");
  const auto* start = reinterpret_cast<const unsigned char*>(file.data());
  std::size_t begin = 10, size = start[8] | start[9] << 8;
  if (start[6] >= 2) {
    begin = 12;
    size |= static_cast<std::size_t>(start[10]) << 16 | static_cast<std::size_t>(start[11]) << 24;
  }
  if (size > LARGEST_HEADER) refuse(path, "a .npy header that is too long");
  if (size > file.size() - begin) refuse(path, "the file ends in its header");
  std::string header(file.data() + begin, size);
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(begin + size));
  return header;
}

}  // namespace

bool is_npy(const std::vector<char>& file) { return file.size() >= 6 && std::memcmp(file.data(), MAGIC, 6) == 0; }

graphc_tensor Array::tensor() {
  graphc_tensor made{};
  made.dtype = dtype;
  made.rank = static_cast<std::int32_t>(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) made.sizes[i] = sizes[i];
  made.data = data.data();
  return made;
}

namespace {

// The dtype that the header names, nullptr if there is none. Byte order is another matter.
const DType* dtype_of(const std::string& descr) {
  for (int number = 1; number < 24; ++number) {
    const DType* dtype = find_dtype(number);
    if (dtype && dtype->size && descr.substr(1) == std::string(dtype->numpy).substr(1)) return dtype;
  }
  return nullptr;
}

void swap_bytes(std::vector<char>& data, std::size_t number) {
  for (auto at = data.begin(); at != data.end(); at += static_cast<std::ptrdiff_t>(number))
    std::reverse(at, at + static_cast<std::ptrdiff_t>(number));
}

// From the order in which the first axis runs fastest to that in which the last one does.
std::vector<char> row_major(const Array& array, std::size_t element) {
  std::vector<char> made(array.data.size());
  std::vector<std::size_t> strides, index(array.sizes.size());
  std::size_t stride = element;
  for (const std::int64_t size : array.sizes) {
    strides.push_back(stride);
    stride *= static_cast<std::size_t>(size);
  }
  for (std::size_t to = 0, from = 0; to < made.size(); to += element) {
    std::memcpy(made.data() + to, array.data.data() + from, element);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < static_cast<std::size_t>(array.sizes[axis])) break;
      from -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return made;
}

}  // namespace

Array read_npy(std::vector<char> file, const std::string& path) {
  const std::string header = take_header(file, path);
  const std::string descr = entry(header, "descr", path).substr(1);
  const DType* dtype = descr.empty() ? nullptr : dtype_of(descr);
  if (!dtype) refuse(path, "elements of type '" + descr + "' cannot be fed");
  Array array;
  array.dtype = dtype->number;
  array.sizes = parse_shape(entry(header, "shape", path), path);
  std::size_t count = 1;
  for (const std::int64_t size : array.sizes)
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count)) refuse(path, "an array that is too large");
  const auto element = static_cast<std::size_t>(dtype->size);
  if (count > file.size() / element) refuse(path, "the file is shorter than its header says");
  file.resize(count * element);
  array.data = std::move(file);
  const bool is_complex = dtype->numpy[1] == 'c';
  if (descr[0] == '>') swap_bytes(array.data, is_complex ? element / 2 : element);
  if (entry(header, "fortran_order", path) != "False" && count) array.data = row_major(array, element);
  return array;
}

std::string npy_header(const graphc_tensor& tensor, const std::string& path) {
  const DType* dtype = find_dtype(tensor.dtype);
  if (!dtype || !dtype->size) refuse(path, "cannot store " + dtype_name(tensor.dtype));
  std::string shape;
  for (int i = 0; i < tensor.rank; ++i)
    shape += std::to_string(tensor.sizes[i]) + (i + 1 < tensor.rank ? ", " : tensor.rank == 1 ? "," : "");
  std::string header = std::string("{'descr': '") + dtype->numpy + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');    // data begins at a multiple of 64
  header += '\n';
  std::string start(MAGIC, 6);
  start += {'\1', '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return start + header;
}

WholeFile npy_file(const std::string& path, const graphc_tensor& tensor) {
  WholeFile file(path);
  file.write(npy_header(tensor, path));
  file.write({static_cast<const char*>(tensor.data), bytes_of(tensor)});
  file.finish();
  return file;
}

}  // namespace graphc_core
