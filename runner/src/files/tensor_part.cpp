#include "tensor_part.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "error.hpp"

namespace graphc_core {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  damaged("a variable's part '" + text + "' must be like '10 4 0,5:-', and inside the tensor");
}

std::int64_t number(const char*& at, const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const std::int64_t value = std::strtoll(at, &end, 10);
  if (end == at || errno || value < 0) refuse(text);
  at = end;
  return value;
}

// Bytes of a number, big-endian without leading zeros, after a byte that counts them.
std::string ordered_number(std::uint64_t value) {
  std::string digits;
  for (; value; value >>= 8) digits.insert(digits.begin(), static_cast<char>(value & 0xFF));
  return static_cast<char>(digits.size()) + digits;
}

std::string ordered_string(std::string_view text) {
  std::string made;
  for (const char c : text) {
    made += c;
    if (c == '\0') made += '\xFF';
    if (c == '\xFF') made += '\0';
  }
  return made + '\0' + '\1';
}

std::string ordered_signed(std::int64_t value) {
  unsigned bits = 0;
  for (auto rest = static_cast<std::uint64_t>(value < 0 ? ~value : value); rest; rest >>= 1) ++bits;
  const unsigned count = bits / 7 + 1;
  std::string made(count, '\0');
  for (unsigned i = 0; i < count; ++i) {
    const unsigned shift = 8 * (count - 1 - i);
    made[i] = static_cast<char>((shift < 64 ? value >> shift : value < 0 ? -1 : 0) & 0xFF);
  }
  for (unsigned bit = 0; bit < count; ++bit) made[bit / 8] = static_cast<char>(made[bit / 8] ^ (0x80 >> bit % 8));
  return made;
}

// Calls `move(offset in the whole, offset in the part, count)`, in elements, for each run of elements that lie side by side.
void for_runs(const TensorPart& part, const std::function<void(std::size_t, std::size_t, std::size_t)>& move) {
  const Shape shape = part.shape();
  const std::size_t rank = shape.size();
  std::size_t count = 1, done = 0;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  const std::size_t row = rank ? static_cast<std::size_t>(shape[rank - 1]) : 1;
  Shape at(rank, 0);
  while (done < count) {
    std::size_t offset = 0;
    for (std::size_t axis = 0; axis < rank; ++axis)
      offset = offset * static_cast<std::size_t>(part.whole[axis]) + static_cast<std::size_t>(part.extents[axis].start + at[axis]);
    move(offset, done, row);
    done += row;
    for (std::size_t axis = rank > 1 ? rank - 1 : 0; axis-- > 0;) {      // the next row
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
}

}  // namespace

bool TensorPart::is_whole() const {
  for (std::size_t axis = 0; axis < whole.size(); ++axis)
    if (extents[axis].start || (extents[axis].length != WHOLE_AXIS && extents[axis].length != whole[axis])) return false;
  return true;
}

Shape TensorPart::shape() const {
  Shape made;
  for (std::size_t axis = 0; axis < whole.size(); ++axis)
    made.push_back(extents[axis].length == WHOLE_AXIS ? whole[axis] : extents[axis].length);
  return made;
}

void require_inside(const TensorPart& part) {
  bool inside = part.extents.size() == part.whole.size();
  for (std::size_t axis = 0; inside && axis < part.whole.size(); ++axis) {
    const auto& [start, length] = part.extents[axis];
    inside = length == WHOLE_AXIS ? start == 0
                                  : start >= 0 && length >= 0 && start <= part.whole[axis] && length <= part.whole[axis] - start;
  }
  if (!inside) damaged("a part of a tensor is not inside it");
}

TensorPart parse_part(const std::string& text, const Shape& shape) {
  TensorPart part;
  if (text.empty()) return {shape, Extents(shape.size())};
  const std::size_t last = text.rfind(' ') + 1;        // 0: there is no blank
  const char* at = text.c_str();
  while (at < text.c_str() + last) {
    part.whole.push_back(number(at, text));
    if (*at++ != ' ') refuse(text);
  }
  while (*at) {
    Extent extent;
    if (*at == '-') {
      ++at;
    } else {
      extent.start = number(at, text);
      if (*at++ != ',') refuse(text);
      extent.length = number(at, text);
    }
    part.extents.push_back(extent);
    if (*at && *at++ != ':') refuse(text);
  }
  require_inside(part);
  if (part.shape() != shape) refuse(text);
  return part;
}

std::string part_key(std::string_view name, const Extents& extents) {
  std::string made = ordered_number(0) + ordered_string(name) + ordered_number(extents.size());
  for (const Extent& extent : extents) made += ordered_signed(extent.start) + ordered_signed(extent.length);
  return made;
}

void put_part(const TensorPart& part, std::size_t element, const char* from, char* whole) {
  for_runs(part, [&](std::size_t offset, std::size_t at, std::size_t count) {
    std::memcpy(whole + offset * element, from + at * element, count * element);
  });
}

void cut_part(const TensorPart& part, std::size_t element, const char* whole, char* to) {
  for_runs(part, [&](std::size_t offset, std::size_t at, std::size_t count) {
    std::memcpy(to + at * element, whole + offset * element, count * element);
  });
}

}  // namespace graphc_core

void gc_check_part(const std::string& part, const graphc_core::Shape& shape) { graphc_core::parse_part(part, shape); }
