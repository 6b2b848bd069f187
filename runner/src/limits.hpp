// How much memory a model may take when nobody says so.
#pragma once
#include <cstdint>
#include <string>

namespace graphc_core {

// Loading a file whose size is n may take LOAD_BASE + LOAD_FACTOR * n bytes, unless the caller gives a limit of his own, and so
// may the tables of one run. What real files take is well below it; a damaged or hostile one could ask for any number.
constexpr std::int64_t LOAD_BASE = std::int64_t{64} << 20;
constexpr std::int64_t LOAD_FACTOR = 64;

// The default of graphc_options.memory_limit: three quarters of the smallest of the machine's memory and the limits of the
// process' control group and of those around it. The same rule holds in Python. `root`: where /proc and /sys are, for tests.
std::int64_t default_memory_limit(const std::string& root = "");

}  // namespace graphc_core
