// A tensor map as this libcuda has it: what cuTensorMapEncodeTiled was told. A GPU's says nothing to anybody.
#pragma once
#include <cstdint>

namespace standin {

struct TensorMap {
  uint64_t address, sizes[5], strides[4];              // strides: bytes from one line, matrix, ... to the next
  uint16_t box[5];                                     // elements
  uint8_t element_bytes, rank, swizzle, made;
};
static_assert(sizeof(TensorMap) <= 128);
constexpr uint8_t made_here = 0x5A;
constexpr int swizzle_128 = 3;

}  // namespace standin
