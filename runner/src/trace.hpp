// GRAPHC_TRACE=1: everything that a run calls is printed on stderr, in the words of graphc/session/trace.py.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "plan.hpp"

namespace graphc_core {

// Room for the events of one run (kernels/runtime/tables.py: TRACE); none if GRAPHC_TRACE is not set.
class Trace {
 public:
  Trace();
  std::int64_t address() const { return reinterpret_cast<std::int64_t>(words_.get()); }   // 0: nobody wants to know
  void print(const Plan& plan) const;

 private:
  std::unique_ptr<std::int64_t[]> words_;
};

}  // namespace graphc_core

// A part (parts.hpp): prints the events that a run noted.
extern "C" void gc_print_trace(const graphc_core::Plan& plan, const std::int64_t* words);
