#include "tensor_reader.hpp"

#include <algorithm>
#include <complex>
#include <cstring>

#include "dtypes.hpp"
#include "error.hpp"
#include "wire.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

// Fills `target`, which is zeroed, with `values`, the last one repeated, as TensorProto has it; no values: zeros. Zeros that
// are only repeated are not written, so that their pages are not taken.
template <class From, class To>
void fill(const std::vector<From>& values, char* target, std::size_t count, const std::string& name) {
  if (values.size() > count) damaged("constant " + name + " has more values than elements");
  static const char zeros[sizeof(To)] = {};
  if (values.empty()) return;
  for (std::size_t i = 0; i < count; ++i) {
    const To value = static_cast<To>(values[std::min(i, values.size() - 1)]);
    if (i >= values.size() && std::memcmp(&value, zeros, sizeof(To)) == 0) return;
    std::memcpy(target + i * sizeof(To), &value, sizeof(To));
  }
}

// Pairs of numbers as elements.
template <class Part>
std::vector<std::complex<Part>> pairs(const std::vector<Part>& parts, Charge& charge, const std::string& name) {
  if (parts.size() % 2) damaged("constant " + name + " has half a complex number");
  charge.add(parts.size() * sizeof(Part));
  std::vector<std::complex<Part>> made(parts.size() / 2);
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = {parts[2 * i], parts[2 * i + 1]};
  return made;
}

void read_shape(std::string_view message, TensorValue& value, Charge& charge) {
  Reader r(message, &charge);
  while (r.next()) {
    if (r.field() == 3) value.unknown_rank = r.integer() != 0;
    if (r.field() != 2) {
      if (r.field() != 3) r.skip();
      continue;
    }
    std::int64_t size = 0;
    Reader dim(r.bytes());
    while (dim.next()) {
      if (dim.field() == 1) size = dim.integer();
      else dim.skip();
    }
    r.count(1, sizeof size);
    value.shape.push_back(size);
  }
}

SideTensor read_side_tensor(std::string_view message) {
  SideTensor tensor;
  Reader r(message);
  while (r.next()) switch (r.field()) {
    case 1: tensor.id = r.bytes(); break;
    case 2: tensor.offset = r.integer(); break;
    case 3: tensor.size = r.integer(); break;
    default: r.skip();
  }
  return tensor;
}

}  // namespace

TensorValue read_tensor(std::string_view message, Charge& charge) {
  TensorValue value;
  Reader r(message, &charge);
  while (r.next()) switch (r.field()) {
    case 1: value.dtype = r.integer(); break;
    case 2: read_shape(r.bytes(), value, charge); break;
    case 4: value.content = r.bytes(); break;
    case 5: case 9: r.elements(value.floats); break;          // float_val; scomplex_val: both parts of each
    case 6: case 12: r.elements(value.doubles); break;        // double_val; dcomplex_val
    case 7: case 10: case 11: case 13: case 16: r.integers(value.integers); break;
    case 8: r.count(1, sizeof(std::string_view)), value.strings.push_back(r.bytes()); break;
    case 17: {
      std::vector<std::int64_t> bits;
      r.integers(bits);
      r.count(bits.size(), sizeof(std::uint64_t));
      value.unsigneds.insert(value.unsigneds.end(), bits.begin(), bits.end());
      break;
    }
    case 1000: value.side = read_side_tensor(r.bytes()); break;
    default: r.skip();
  }
  return value;
}

void copy_values(const TensorValue& value, int dtype, char* target, std::size_t count, const std::string& name,
                 Charge& charge) {
  using Single = std::complex<float>;
  using Double = std::complex<double>;
  switch (dtype) {
    case 1: return fill<float, float>(value.floats, target, count, name);
    case 2: return fill<double, double>(value.doubles, target, count, name);
    case 3: return fill<std::int64_t, std::int32_t>(value.integers, target, count, name);
    case 4: return fill<std::int64_t, std::uint8_t>(value.integers, target, count, name);
    case 5: return fill<std::int64_t, std::int16_t>(value.integers, target, count, name);
    case 6: return fill<std::int64_t, std::int8_t>(value.integers, target, count, name);
    case 9: return fill<std::int64_t, std::int64_t>(value.integers, target, count, name);
    case 10: return fill<std::int64_t, bool>(value.integers, target, count, name);
    case 8: return fill<Single, Single>(pairs(value.floats, charge, name), target, count, name);
    case 18: return fill<Double, Double>(pairs(value.doubles, charge, name), target, count, name);
    case 14: case 17: case 19: return fill<std::int64_t, std::uint16_t>(value.integers, target, count, name);
    case 22: return fill<std::int64_t, std::uint32_t>(value.integers, target, count, name);
    case 23: return fill<std::uint64_t, std::uint64_t>(value.unsigneds, target, count, name);
    default: throw_error(GRAPHC_UNIMPLEMENTED, "constant " + name + ": dtype " + dtype_name(dtype) + " is not supported");
  }
}

}  // namespace graphc_core
