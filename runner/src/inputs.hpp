// What a caller gives a run: checked against the plan's inputs, and brought into a form that kernels can read.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "graphc.h"
#include "memory.hpp"
#include "plan.hpp"
#include "strings.hpp"

namespace graphc_core {

// The sizes of the inputs, 8 words each. Throws INVALID_ARGUMENT if their number, a dtype or a shape is not the plan's.
std::vector<std::int64_t> checked_sizes(const Plan& plan, const graphc_tensor* inputs, std::size_t count);

// Addresses of checked inputs: their own, or of copies of those that cannot be used in place (misaligned ones, and bools that
// are neither 0 nor 1), or of numbers of strings.
class Inputs {
 public:
  // strings: of the run, which makes numbers of strings; nullptr: no input has any.
  Inputs(const graphc_tensor* given, std::size_t count, std::shared_ptr<HostTable> host, RunStrings* strings);
  const std::vector<std::int64_t>& addresses() const { return addresses_; }

 private:
  std::int64_t usable(const graphc_tensor& tensor);

  std::shared_ptr<HostTable> host_;
  RunStrings* strings_;
  std::vector<std::int64_t> addresses_;
  std::vector<Block> copies_;
};

}  // namespace graphc_core
