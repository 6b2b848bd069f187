// Element types, by TensorFlow's numbers (kernels/contracts/dtypes.py).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "graphc_layout.h"
#include "texts.hpp"

namespace graphc_core {

// The dtype of ports, constants and variables that are strings; in memory they are numbers, int64 (docs/adr/0022).
constexpr std::int32_t STRING = 7, STRING_IN_MEMORY = 9;

inline std::int32_t in_memory(std::int32_t dtype) { return dtype == STRING ? STRING_IN_MEMORY : dtype; }

constexpr std::int32_t BOOL = 10;

// Only 0 and 1 are bools; anything else would be another value each time.
inline void normalise_bools(char* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = values[i] != 0;
}

// The texts stand in it: for each pointer in a table a loader needs 24 bytes more.
struct DType {
  std::int16_t number;
  std::int16_t size;       // bytes of an element; 0: cannot be fed, fetched or stored
  char short_name[12];     // as in names of kernels
  char name[12];           // TensorFlow's
  char numpy[6];           // NumPy's, as in .npy files
};

// nullptr if there is no such dtype.
inline const DType* find_dtype(std::int64_t number) {
  static constexpr DType all[] = {
#define GRAPHC_ROW(number, size, short_name, name, numpy) {number, size, short_name, name, numpy},
      GRAPHC_DTYPES(GRAPHC_ROW)
#undef GRAPHC_ROW
  };
  for (const DType& dtype : all)
    if (dtype.number == number) return &dtype;
  return nullptr;
}

[[gnu::cold]] inline std::string dtype_name(std::int64_t number) {
  const DType* dtype = find_dtype(number);
  return dtype ? dtype->name : "dtype " + decimal(number);
}

}  // namespace graphc_core
