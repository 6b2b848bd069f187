// What compute capability 9.0 has: mbarriers, TMA's boxes, wgmma. A thread that waits for a phase lets others run; boxes
// and products are there at once: what reads or writes too early is the emulator's business (ptx/phases.py).
#include <cstring>

#include "launch.h"
#include "memory.h"
#include "tensor_map.h"

namespace standin {
namespace {

constexpr uint64_t window = 1 << 18;                   // of addresses in shared memory, as descriptors have them

// Addresses in shared memory may come as their lower 32 bits.
template <class T>
T* shared_place(const Thread& t, const void* at) {
  return reinterpret_cast<T*>((t.shared & ~(window - 1)) | (uintptr_t(at) & (window - 1)));
}

// An mbarrier, in shared memory. left, bytes: what is missing of this phase; parity: of the phase.
struct Phase {
  uint16_t arrivals, left;
  int32_t bytes : 24;
  uint32_t parity : 8;
};
static_assert(sizeof(Phase) == 8);

void end(Phase& phase) {
  if (phase.left || phase.bytes) return;
  phase.left = phase.arrivals;
  phase.parity ^= 1;
}

bool has_ended(const void* at, uint32_t parity) { return static_cast<const Phase*>(at)->parity != parity; }

struct Matrix {
  uint64_t base, start, leading, stride;

  Matrix(const Thread& t, uint64_t word)
      : base(t.shared & ~(window - 1)), start((word & 0x3FFF) << 4), leading((word >> 16 & 0x3FFF) << 4),
        stride((word >> 32 & 0x3FFF) << 4) {}

  // The element of a row (or column) and of k, with a swizzle of 128 bytes.
  uint32_t bits(uint64_t row, uint64_t k, unsigned size, bool along_k) const {
    uint64_t along = size * (along_k ? k : row), line = along_k ? row : k;
    uint64_t offset = along % 128 + line % 8 * 128 + line / 8 * stride + (along_k ? 0 : along / 128 * leading);
    uint64_t at = start + offset;
    at ^= (at >> 7 & 7) << 4;
    uint32_t found = 0;
    memcpy(&found, reinterpret_cast<const void*>(base + at), size);
    return found;
  }
};

// One of the lines of 128 bytes that a copy writes, its pieces exchanged; `count` bytes of it come from global memory.
void line_to(Thread& t, void* to, unsigned number, uint64_t from, uint64_t count) {
  unsigned char bytes[128] = {};
  if (count > 128) count = 128;
  if (count && !inside(from, count, Kind::device)) fail(t, "TMA reads near " + describe(from));
  if (count) memcpy(bytes, reinterpret_cast<const void*>(from), count);
  uintptr_t at = uintptr_t(shared_place<void>(t, to)) + 128 * number;
  for (unsigned chunk = 0; chunk < 8; chunk++)
    memcpy(reinterpret_cast<void*>(at + 16 * (chunk ^ (at >> 7 & 7))), bytes + 16 * chunk, 16);
}

void come(Thread& t, const void* told, unsigned lines) {
  auto& phase = *shared_place<Phase>(t, told);
  phase.bytes -= 128 * lines;
  if (phase.bytes < 0) fail(t, "bytes come to an mbarrier that nobody announced");
  end(phase);
}

float value(int element, uint32_t bits) {
  if (element == 0) return half_value(uint16_t(bits));
  bits = element == 1 ? bits << 16 : bits & 0xFFFFE000u;
  float found;
  memcpy(&found, &bits, 4);
  return found;
}

}  // namespace

extern "C" {

void standin_phase_begin(Thread* t, void* at, uint32_t arrivals) {
  *shared_place<Phase>(*t, at) = {uint16_t(arrivals), uint16_t(arrivals), 0, 0};
}

void standin_phase_arrive(Thread* t, void* at, uint32_t count) {
  auto& phase = *shared_place<Phase>(*t, at);
  if (!phase.left) fail(*t, "more threads arrive at an mbarrier than it counts");
  phase.left--;
  phase.bytes += int32_t(count);
  end(phase);
}

int standin_phase_wait(Thread* t, const void* at, uint32_t parity) {
  return wait_until(*t, has_ended, shared_place<void>(*t, at), parity);
}

void standin_box(Thread* t, void* to, const void* tensor, int32_t first, int32_t line, int32_t matrix, void* told) {
  TensorMap map;
  memcpy(&map, tensor, sizeof map);
  if (map.made != made_here || map.of_pixels || map.rank != 3 || map.swizzle != swizzle_128 || map.box[2] != 1 ||
      map.box[0] * map.element_bytes != 128)
    fail(*t, "a tensor map of lines of other than 128 bytes, or none at all");
  if (uintptr_t(to) % 128) fail(*t, "TMA to an address that is no multiple of 128");
  bool there = first >= 0 && line >= 0 && matrix >= 0 && uint64_t(matrix) < map.sizes[2];
  for (unsigned i = 0; i < map.box[1]; i++) {
    uint64_t from = 0, count = 0;
    if (there && uint64_t(line) + i < map.sizes[1] && uint64_t(first) < map.sizes[0]) {
      count = (map.sizes[0] - uint64_t(first)) * map.element_bytes;
      from = map.address + uint64_t(matrix) * map.strides[1] + (uint64_t(line) + i) * map.strides[0] +
             uint64_t(first) * map.element_bytes;
    }
    line_to(*t, to, i, from, count);
  }
  come(*t, told, map.box[1]);
}

void standin_pixels(Thread* t, void* to, const void* tensor, int32_t channel, int32_t column, int32_t row, int32_t picture,
                    int32_t across, int32_t down, void* told) {
  TensorMap map;
  memcpy(&map, tensor, sizeof map);
  if (map.made != made_here || !map.of_pixels) fail(*t, "no tensor map of pictures");
  if (uintptr_t(to) % 128) fail(*t, "TMA to an address that is no multiple of 128");
  int64_t right = int64_t(map.sizes[1]) - 1 + map.upper[0], bottom = int64_t(map.sizes[2]) - 1 + map.upper[1];
  if (column < map.lower[0] || column > right || row < map.lower[1] || row > bottom || channel < 0 || picture < 0)
    fail(*t, "TMA begins where no window is");
  for (unsigned i = 0; i < map.box[1]; i++) {
    int64_t x = column + across, y = row + down;
    uint64_t from = 0, count = 0;
    if (uint64_t(picture) < map.sizes[3] && x >= 0 && y >= 0 && uint64_t(x) < map.sizes[1] && uint64_t(y) < map.sizes[2] &&
        uint64_t(channel) < map.sizes[0]) {
      count = (map.sizes[0] - uint64_t(channel)) * map.element_bytes;
      from = map.address + uint64_t(picture) * map.strides[2] + uint64_t(y) * map.strides[1] + uint64_t(x) * map.strides[0] +
             uint64_t(channel) * map.element_bytes;
    }
    line_to(*t, to, i, from, count);
    column += map.steps[0];
    if (column > right) column = map.lower[0], row += map.steps[1];
    if (row > bottom) row = map.lower[1], picture++;
  }
  come(*t, told, map.box[1]);
}

// This thread's sums of a warpgroup's product. element: 0 float16, 1 bfloat16, 2 tf32; sums: words.
void standin_warpgroup(Thread* t, int element, int columns, int along_a, int along_b, uint64_t a, uint64_t b,
                       uint64_t* sums) {
  if (a >> 62 != 1 || b >> 62 != 1) fail(*t, "wgmma with another swizzle than that of 128 bytes");
  Matrix left(*t, a), right(*t, b);
  unsigned size = element == 2 ? 4 : 2, deep = 32 / size, warp = t->numbers[0] / 32 % 4, lane = t->numbers[0] % 32;
  float rows[2][16];
  for (unsigned h = 0; h < 2; h++)
    for (unsigned k = 0; k < deep; k++)
      rows[h][k] = value(element, left.bits(16 * warp + lane / 4 + 8 * h, k, size, along_a));
  for (unsigned j = 0; j < unsigned(columns) / 8; j++)
    for (unsigned i = 0; i < 2; i++) {
      double total[2] = {};
      for (unsigned k = 0; k < deep; k++) {
        double x = value(element, right.bits(8 * j + 2 * (lane % 4) + i, k, size, along_b));
        for (unsigned h = 0; h < 2; h++) total[h] += rows[h][k] * x;
      }
      for (unsigned h = 0; h < 2; h++) {
        uint64_t& word = sums[4 * j + 2 * h + i];
        float before;
        memcpy(&before, &word, 4);
        auto after = float(before + total[h]);
        word = 0;
        memcpy(&word, &after, 4);
      }
    }
}

}  // extern "C"
}  // namespace standin
