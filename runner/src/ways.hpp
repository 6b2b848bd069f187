// Which way kernels go for sizes for which that was measured (`graphc tune`); graphc/exec/ways.py describes the file.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "memory.hpp"

namespace graphc_core {

// The runtime's table (tables.py: WAYS) of the file that GRAPHC_TUNED of the environment names; empty without one, or if it is
// "0". Calls of kernels that the library lacks are left out. Throws NOT_FOUND, or DATA_LOSS if it is no such file.
std::vector<std::int64_t> tuned_ways(const std::shared_ptr<HostTable>& host);

}  // namespace graphc_core
