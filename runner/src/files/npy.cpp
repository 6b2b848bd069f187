#include "npy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

constexpr char MAGIC[] = "\x93NUMPY";
constexpr std::size_t LARGEST_HEADER = 1 << 16, LARGEST_STRING = std::size_t{1} << 40;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw_error(GRAPHC_INVALID_ARGUMENT, path + ": " + why);
}

// The text after 'key': in the header's Python dict, up to where it ends; enough for what NumPy writes.
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

// Bytes of an element of "S5" or "U5", 0 if it is neither.
std::size_t string_bytes(const std::string& descr) {
  const bool is_text = descr.size() > 1 && descr[1] == 'U';
  if (!is_text && (descr.size() < 2 || descr[1] != 'S')) return 0;
  std::size_t length = 0;
  for (const char c : descr.substr(2)) {
    if (c < '0' || c > '9' || length > LARGEST_STRING) return 0;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  return is_text ? 4 * length : length;
}

// Appends a character as UTF-8; false if there is none of this number.
bool append_character(std::vector<char>& text, std::uint32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
  text.push_back(static_cast<char>(first[more] | code >> (6 * more)));
  for (int i = more; i-- > 0;) text.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3F)));
  return true;
}

// Elements of NumPy's kind U, row-major and little-endian, as UTF-8 in `texts`; where each begins and ends.
std::vector<std::size_t> utf8(const std::vector<char>& elements, std::size_t element, std::vector<char>& texts, const std::string& path) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < elements.size(); at += element) {
    std::size_t length = 0, done = 0;
    std::vector<std::uint32_t> codes(element / 4);
    std::memcpy(codes.data(), elements.data() + at, element);
    for (const std::uint32_t code : codes) ++done, length = code ? done : length;
    for (std::size_t i = 0; i < length; ++i)
      if (!append_character(texts, codes[i])) refuse(path, "a string with a character that does not exist");
    ends.push_back(texts.size());
  }
  return ends;
}

// Makes strings of the elements, `element` bytes each, without the NULs at their ends, which fill them up.
void make_strings(Array& array, std::size_t element, bool is_text, const std::string& path) {
  std::vector<graphc_string> made;
  if (is_text) {
    const std::vector<std::size_t> ends = utf8(array.data, element, array.texts, path);
    std::size_t begin = 0;
    for (const std::size_t end : ends) made.push_back({array.texts.data() + begin, end - begin}), begin = end;
  } else {
    array.texts = std::move(array.data);
    for (std::size_t at = 0; at < array.texts.size(); at += element) {
      std::size_t size = element;
      while (size && !array.texts[at + size - 1]) --size;
      made.push_back({array.texts.data() + at, size});
    }
  }
  const char* bytes = reinterpret_cast<const char*>(made.data());
  array.data.assign(bytes, bytes + made.size() * sizeof(graphc_string));
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
  const std::size_t string = string_bytes(descr);
  const DType* dtype = string ? find_dtype(STRING) : descr.empty() ? nullptr : dtype_of(descr);
  if (!dtype) refuse(path, "elements of type '" + descr + "' cannot be fed");
  Array array;
  array.dtype = dtype->number;
  array.sizes = parse_shape(entry(header, "shape", path), path);
  std::size_t count = 1;
  for (const std::int64_t size : array.sizes)
    if (__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count)) refuse(path, "an array that is too large");
  const std::size_t element = string ? string : static_cast<std::size_t>(dtype->size);
  if (count > file.size() / element) refuse(path, "the file is shorter than its header says");
  file.resize(count * element);
  array.data = std::move(file);
  const bool is_text = string && descr[1] == 'U', is_complex = !string && dtype->numpy[1] == 'c';
  if (descr[0] == '>' && (is_text || !string)) swap_bytes(array.data, is_text ? 4 : is_complex ? element / 2 : element);
  if (entry(header, "fortran_order", path) != "False" && count) array.data = row_major(array, element);
  if (string) make_strings(array, element, is_text, path);
  return array;
}

namespace {

std::string header_of(const graphc_tensor& tensor, const std::string& type) {
  std::string shape;
  for (int i = 0; i < tensor.rank; ++i)
    shape += decimal(tensor.sizes[i]) + (i + 1 < tensor.rank ? ", " : tensor.rank == 1 ? "," : "");
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');    // data begins at a multiple of 64
  header += '\n';
  std::string start(MAGIC, 6);
  start += {'\1', '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return start + header;
}

NpyParts parts_of_strings(const graphc_tensor& tensor, const std::string& path) {
  std::vector<graphc_string> strings(bytes_of(tensor) / sizeof(graphc_string));
  if (!strings.empty()) std::memcpy(strings.data(), tensor.data, strings.size() * sizeof(graphc_string));
  std::size_t longest = 1, bytes = 0;
  for (const graphc_string& one : strings) {
    if (one.size && !one.data[one.size - 1]) refuse(path, "a string that ends in NUL, which no .npy file can hold");
    longest = std::max(longest, one.size);
  }
  if (__builtin_mul_overflow(longest, strings.size(), &bytes)) refuse(path, "strings that are too large for a file");
  NpyParts parts{header_of(tensor, "|S" + decimal(longest)), std::string(bytes, '\0'), {}};
  for (std::size_t i = 0; i < strings.size(); ++i)
    if (strings[i].size) std::memcpy(&parts.padded[i * longest], strings[i].data, strings[i].size);
  return parts;
}

}  // namespace

NpyParts npy_parts(const graphc_tensor& tensor, const std::string& path) {
  if (tensor.dtype == STRING) return parts_of_strings(tensor, path);
  const DType* dtype = find_dtype(tensor.dtype);
  if (!dtype || !dtype->size) refuse(path, "cannot store " + dtype_name(tensor.dtype));
  return {header_of(tensor, dtype->numpy), "", {static_cast<const char*>(tensor.data), bytes_of(tensor)}};
}

WholeFile npy_file(const std::string& path, const graphc_tensor& tensor) {
  WholeFile file(path);
  const NpyParts parts = npy_parts(tensor, path);
  file.write(parts.header);
  file.write(parts.padded);
  file.write(parts.elements);
  file.finish();
  return file;
}

}  // namespace graphc_core
