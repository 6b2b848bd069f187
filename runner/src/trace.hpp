// GRAPHC_TRACE=1: every kernel that a run calls is printed on stderr, and how often it called each scalar primitive.
#pragma once
#include <cstdint>

#include "library.hpp"

namespace graphc {

// The library's table of functions or, if GRAPHC_TRACE is set, one whose functions report that they were called.
const std::int64_t* traced_functions(const Library& library);

// Prints what maps called since the last time.
void trace_end_of_run();

}  // namespace graphc
