// A tensor map as this libcuda has it: what cuTensorMapEncodeTiled or ...Im2col was told. A GPU's says nothing to anybody.
#pragma once
#include <cstdint>

namespace standin {

struct TensorMap {
  uint64_t address, sizes[5], strides[4];              // strides: bytes from one line, matrix, ... to the next
  uint16_t box[5];                                     // elements
  uint8_t element_bytes, rank, swizzle, made;
  bool of_pixels;
  int8_t lower[2], upper[2];                           // along columns, along rows
  uint8_t steps[2];
};
static_assert(sizeof(TensorMap) <= 128);
constexpr uint8_t made_here = 0x5A;
constexpr int swizzle_128 = 3;

}  // namespace standin
