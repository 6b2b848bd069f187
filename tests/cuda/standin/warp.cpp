// What the lanes of a warp do as one. Operations by number, as ptx/host_warp.py lists them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "launch.h"

namespace standin {
namespace {

enum Operation {
  barrier, shuffle_up, shuffle_down, shuffle_xor, shuffle_index, ballot, any, all, uniform, match_any, match_all, sum,
  least_signed, least, most_signed, most, bits_and, bits_or, bits_xor, load_matrix, load_turned, tf32_4, tf32_8, half_8,
  bfloat16_8, half_16, bfloat16_16
};

using Lanes = Lane* const (&)[32];

void shuffle(int operation, Lanes lanes) {
  uint64_t values[32] = {};
  for (int i = 0; i < 32; i++) if (lanes[i]) values[i] = lanes[i]->given[0];
  for (int i = 0; i < 32; i++) {
    if (!lanes[i]) continue;
    int by = int(lanes[i]->given[1]), limit = int(lanes[i]->given[2]);
    int clamp = limit & 31, segment = limit >> 8 & 31, last = (i & segment) | (clamp & ~segment);
    int source = operation == shuffle_up ? i - by : operation == shuffle_down ? i + by
               : operation == shuffle_xor ? i ^ by : (i & segment) | (by & ~segment);
    bool inside = operation == shuffle_up ? source >= last : source <= last;
    lanes[i]->results[0] = values[inside ? source & 31 : i];
    lanes[i]->results[1] = inside;
  }
}

void vote(int operation, Lanes lanes) {
  uint32_t there = 0, holds = 0;
  for (int i = 0; i < 32; i++) if (lanes[i]) there |= 1u << i, holds |= uint32_t(lanes[i]->given[0] & 1) << i;
  uint64_t found = operation == ballot ? holds : operation == any ? holds != 0 : operation == all ? holds == there
                 : holds == there || !holds;
  for (int i = 0; i < 32; i++) if (lanes[i]) lanes[i]->results[0] = found;
}

void match(int operation, Lanes lanes) {
  uint32_t there = 0, same[32] = {};
  for (int i = 0; i < 32; i++) {
    if (!lanes[i]) continue;
    there |= 1u << i;
    for (int j = 0; j < 32; j++)
      if (lanes[j] && lanes[j]->given[0] == lanes[i]->given[0]) same[i] |= 1u << j;
  }
  for (int i = 0; i < 32; i++) {
    if (!lanes[i]) continue;
    bool every = same[i] == there;
    lanes[i]->results[0] = operation == match_any || every ? same[i] : 0;
    lanes[i]->results[1] = every;
  }
}

void combine(int operation, Lanes lanes) {
  bool first = true;
  uint32_t total = 0;
  for (int i = 0; i < 32; i++) {
    if (!lanes[i]) continue;
    auto x = uint32_t(lanes[i]->given[0]);
    switch (first ? -1 : operation) {
      case -1: total = x; break;
      case sum: total += x; break;
      case least_signed: total = uint32_t(std::min(int32_t(total), int32_t(x))); break;
      case most_signed: total = uint32_t(std::max(int32_t(total), int32_t(x))); break;
      case least: total = std::min(total, x); break;
      case most: total = std::max(total, x); break;
      case bits_and: total &= x; break;
      case bits_or: total |= x; break;
      case bits_xor: total ^= x; break;
    }
    first = false;
  }
  for (int i = 0; i < 32; i++) if (lanes[i]) lanes[i]->results[0] = total;
}

void load_matrices(bool turned, Lanes lanes) {
  int count = int(lanes[0]->given[1]);
  for (int m = 0; m < count; m++) {
    uint16_t rows[8][8];
    for (int row = 0; row < 8; row++)
      memcpy(rows[row], reinterpret_cast<const void*>(lanes[8 * m + row]->given[0]), 16);
    for (int i = 0; i < 32; i++) {
      int group = i / 4, first = i % 4 * 2;
      uint16_t low = turned ? rows[first][group] : rows[group][first];
      uint16_t high = turned ? rows[first + 1][group] : rows[group][first + 1];
      lanes[i]->results[m] = low | uint32_t(high) << 16;
    }
  }
}

double single(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

double half(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double size = exponent == 31 ? (mantissa ? NAN : INFINITY)
              : exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24);
  return bits >> 15 ? -size : size;
}

enum class Element { tf32, half, bfloat16 };

// Element number `part` of those that a register holds.
double element(Element kind, uint64_t bits, int part) {
  if (kind == Element::tf32) return single(uint32_t(bits) & 0xFFFFE000);
  auto word = uint16_t(bits >> 16 * part);
  return kind == Element::half ? half(word) : single(uint32_t(word) << 16);
}

// d[16, 8] = a[16, deep] b[deep, 8] + c, by the fragments of PTX: given are the registers of a, b and c.
void multiply(Element kind, int deep, Lanes lanes) {
  int width = kind == Element::tf32 ? 1 : 2, steps = deep / (4 * width);
  double a[16][16], b[16][8];
  for (int i = 0; i < 32; i++) {
    int group = i / 4, quad = i % 4;
    const uint64_t* given = lanes[i]->given;
    for (int step = 0; step < steps; step++)
      for (int part = 0; part < width; part++) {
        int k = 4 * width * step + width * quad + part;
        a[group][k] = element(kind, given[2 * step], part);
        a[group + 8][k] = element(kind, given[2 * step + 1], part);
        b[k][group] = element(kind, given[2 * steps + step], part);
      }
  }
  for (int i = 0; i < 32; i++)
    for (int r = 0; r < 4; r++) {
      int row = i / 4 + r / 2 * 8, column = i % 4 * 2 + r % 2;
      double total = single(uint32_t(lanes[i]->given[3 * steps + r]));
      for (int k = 0; k < deep; k++) total += a[row][k] * b[k][column];
      auto rounded = float(total);
      uint32_t bits;
      memcpy(&bits, &rounded, 4);
      lanes[i]->results[r] = bits;
    }
}

}  // namespace

float half_value(uint16_t bits) { return float(half(bits)); }

void run_warp(int operation, Lane* const (&lanes)[32]) {
  switch (operation) {
    case barrier: return;
    case shuffle_up: case shuffle_down: case shuffle_xor: case shuffle_index: return shuffle(operation, lanes);
    case ballot: case any: case all: case uniform: return vote(operation, lanes);
    case match_any: case match_all: return match(operation, lanes);
    case load_matrix: case load_turned: return load_matrices(operation == load_turned, lanes);
    case tf32_4: return multiply(Element::tf32, 4, lanes);
    case tf32_8: return multiply(Element::tf32, 8, lanes);
    case half_8: return multiply(Element::half, 8, lanes);
    case bfloat16_8: return multiply(Element::bfloat16, 8, lanes);
    case half_16: return multiply(Element::half, 16, lanes);
    case bfloat16_16: return multiply(Element::bfloat16, 16, lanes);
    default: return combine(operation, lanes);
  }
}

}  // namespace standin
