// A Plan as one array of 64-bit words, the image (kernels/layout.py): what the runtime verifies, binds and runs. The Python
// twin is graphc/exec/image.py.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan.hpp"

namespace graphc_core {

// Numbers of kernels and primitives in the registry, by full name.
struct Names {
  std::unordered_map<std::string_view, std::int64_t> kernels, primitives;
};

// Throws if the plan names a kernel or primitive that this library does not have. Checks no id: the verifier does. What the
// image takes is counted in `charge`.
std::vector<std::int64_t> make_image(const Plan& plan, const Names& names, Charge& charge);

}  // namespace graphc_core
