// The kernel library linked into this program: the functions of one instruction set, chosen at start.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "graphc_layout.h"
#include "image.hpp"

namespace graphc_core {

// The runtime's entry points under their names: gc_verify, gc_model_open, gc_run, ...
struct Library {
  const char* isa;
  const std::int64_t* functions;     // bind, run, pack of each kernel, then the primitives
#define GRAPHC_MEMBER(result, name, parameters) result(*name) parameters;
  GRAPHC_ENTRIES(GRAPHC_MEMBER)
#undef GRAPHC_MEMBER
};

// isa: "x86-64-v3", or empty: GRAPHC_ISA of the environment, else the best this machine can run. Throws UNIMPLEMENTED if the
// library or the machine lacks it.
const Library& choose_library(const std::string& isa);

// Names of the instruction sets in the library, best first; in brackets what this machine cannot run.
std::string isa_list();

// The registry (kernels/layout.py), the same for every instruction set.
const std::int64_t* registry();

// Names of kernels and primitives, the same for every instruction set.
const Names& registry_names();
const std::vector<std::string>& function_names();   // by number: kernels, then primitives

}  // namespace graphc_core
