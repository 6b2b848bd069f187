// cuTensorMapEncodeTiled and ...Im2col: every argument as the driver's documentation wants it (CUDA Driver API, Tensor Map
// Object Management); CUDA_ERROR_INVALID_VALUE for all others.
#include "tensor_map.h"

#include <cstdlib>
#include <cstring>

using namespace standin;

namespace {

constexpr int success = 0, invalid_value = 1, types = 13, sizes_of[types] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
constexpr int line_of[] = {0, 32, 64, 128};            // bytes of a box's line at most, by swizzle

bool fits(uint64_t value, uint64_t least, uint64_t most) { return value >= least && value <= most; }

}  // namespace

extern "C" int cuTensorMapEncodeTiled(void* map, int type, unsigned rank, uint64_t address, const uint64_t* sizes,
                                      const uint64_t* strides, const uint32_t* box, const uint32_t* steps,
                                      int interleave, int swizzle, int promotion, int fill) {
  const char* compute = getenv("GRAPHC_STANDIN_COMPUTE");
  if (!compute || atoi(compute) < 90) return invalid_value;
  if (uintptr_t(map) % 64 || !fits(uint64_t(type), 0, types - 1) || !fits(rank, 1, 5) || address % 16) return invalid_value;
  if (interleave || !fits(uint64_t(swizzle), 0, 3) || !fits(uint64_t(promotion), 0, 3) || fill) return invalid_value;
  TensorMap made{};
  made.element_bytes = uint8_t(sizes_of[type]);
  for (unsigned i = 0; i < rank; i++) {
    if (!fits(sizes[i], 1, uint64_t{1} << 32) || !fits(box[i], 1, 256) || !fits(steps[i], 1, 8)) return invalid_value;
    made.sizes[i] = sizes[i];
    made.box[i] = uint16_t(box[i]);
    if (!i) continue;
    uint64_t inner = i == 1 ? sizes[0] * made.element_bytes : sizes[i - 1] * strides[i - 2];
    if (strides[i - 1] % 16 || strides[i - 1] >= uint64_t{1} << 40 || strides[i - 1] < inner) return invalid_value;
    made.strides[i - 1] = strides[i - 1];
  }
  unsigned line = box[0] * made.element_bytes;
  if (line % 16 || (swizzle && line > unsigned(line_of[swizzle]))) return invalid_value;
  made.address = address;
  made.rank = uint8_t(rank);
  made.swizzle = uint8_t(swizzle);
  made.made = made_here;
  memcpy(map, &made, sizeof made);
  return success;
}

// Of pictures: four axes, the innermost first, windows along the second and the third.
extern "C" int cuTensorMapEncodeIm2col(void* map, int type, unsigned rank, uint64_t address, const uint64_t* sizes,
                                       const uint64_t* strides, const int* lower, const int* upper, unsigned channels,
                                       unsigned pixels, const uint32_t* steps, int interleave, int swizzle, int promotion,
                                       int fill) {
  const char* compute = getenv("GRAPHC_STANDIN_COMPUTE");
  if (!compute || atoi(compute) < 90 || rank != 4) return invalid_value;
  if (uintptr_t(map) % 64 || !fits(uint64_t(type), 0, types - 1) || address % 16) return invalid_value;
  if (interleave || swizzle != swizzle_128 || !fits(uint64_t(promotion), 0, 3) || fill) return invalid_value;
  if (!fits(channels, 1, 256) || !fits(pixels, 1, 1024)) return invalid_value;
  TensorMap made{};
  made.element_bytes = uint8_t(sizes_of[type]);
  if (channels * made.element_bytes != 128) return invalid_value;
  for (unsigned i = 0; i < rank; i++) {
    if (!fits(sizes[i], 1, uint64_t{1} << 32) || !fits(steps[i], 1, 8)) return invalid_value;
    made.sizes[i] = sizes[i];
    if (!i) continue;
    uint64_t inner = i == 1 ? sizes[0] * made.element_bytes : sizes[i - 1] * strides[i - 2];
    if (strides[i - 1] % 16 || strides[i - 1] >= uint64_t{1} << 40 || strides[i - 1] < inner) return invalid_value;
    made.strides[i - 1] = strides[i - 1];
  }
  for (unsigned i = 0; i < 2; i++) {
    if (lower[i] < -128 || lower[i] > 127 || upper[i] < -128 || upper[i] > 127) return invalid_value;
    if (lower[i] > int64_t(sizes[i + 1]) - 1 + upper[i]) return invalid_value;
    made.lower[i] = int8_t(lower[i]), made.upper[i] = int8_t(upper[i]), made.steps[i] = uint8_t(steps[i + 1]);
  }
  made.address = address;
  made.rank = uint8_t(rank);
  made.swizzle = uint8_t(swizzle);
  made.of_pixels = true;
  made.box[0] = uint16_t(channels), made.box[1] = uint16_t(pixels);
  made.made = made_here;
  memcpy(map, &made, sizeof made);
  return success;
}
