// A part (parts.hpp): what runs steps that are neither maps nor calls of kernels.
#include <cstdint>

#include "graphc_layout.h"

extern "C" std::int32_t gc_run_other_step(std::int64_t frame, std::int64_t row, std::int64_t step) {
  return GRAPHC_SYMBOL(gc_run_other)(frame, row, step);
}
