// Which way kernels go for sizes for which that was measured (`graphc tune`); graphc/exec/ways.py describes the file.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "memory.hpp"

// The runtime's table (tables.py: WAYS) of a file, a part of the library (parts.hpp). Calls of kernels that the library lacks are left
// out. Throws NOT_FOUND, or DATA_LOSS if it is no such file.
extern "C" void gc_read_ways(const char* path, const std::shared_ptr<graphc_core::HostTable>& host,
                             std::vector<std::int64_t>& table);
