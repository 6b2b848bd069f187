// The worker threads: one pool a process and instruction set, made by the first model that wants more than one thread.
#pragma once
#include <cstdint>

#include "library.hpp"

namespace graphc_core {

// The address of the pool for `library`, with `threads` - 1 workers when it is made (0: one thread a core); 0 if it has none.
std::int64_t shared_pool(const Library& library, int threads);

// How many cores this process may use.
int core_count();

}  // namespace graphc_core
