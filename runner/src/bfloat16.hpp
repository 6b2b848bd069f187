// What of float32 products may be rounded to bfloat16: GRAPHC_WEIGHTS asks for it, the machine says how (ADR 95).
#pragma once
#include <cstdint>

namespace graphc_core {

// A number of kernels/contracts/bfloat16.py, for code of this instruction set. Throws INVALID_ARGUMENT if GRAPHC_WEIGHTS is
// none of its words.
std::int64_t wanted_bfloat16(const char* isa);

}  // namespace graphc_core
