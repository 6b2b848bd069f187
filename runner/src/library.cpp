#include "library.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "error.hpp"

namespace graphc_core {
namespace {

struct Entry {
  Library library;
  bool runs_here;
};

bool machine_runs(const std::string& isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (isa == "x86-64-v4") return __builtin_cpu_supports("x86-64-v4");
  if (isa == "x86-64-v3") return __builtin_cpu_supports("x86-64-v3");
  return false;
#elif defined(__aarch64__)
  return isa == "aarch64";
#else
#error "graphc's runner supports Linux on x86-64 and aarch64; other machines have not been tested"
#endif
}

const std::vector<Entry>& libraries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> found;
    for (const gc_isa* isa = gc_isas; isa->name; ++isa) {
      const Library library = {isa->name, reinterpret_cast<const std::int64_t*>(isa->functions),
#define GRAPHC_MEMBER(result, name, parameters) GRAPHC_SYMBOL(name),
                               GRAPHC_ENTRIES(GRAPHC_MEMBER)
#undef GRAPHC_MEMBER
      };
      found.push_back({library, machine_runs(isa->name)});
    }
    return found;
  }();
  return all;
}

}  // namespace

const Library& choose_library(const std::string& isa) {
  const char* environment = std::getenv("GRAPHC_ISA");
  const std::string wanted = !isa.empty() ? isa : environment ? environment : "";
  for (const Entry& entry : libraries())
    if (wanted.empty() ? entry.runs_here : wanted == entry.library.isa) {
      if (entry.runs_here) return entry.library;
      throw Error(GRAPHC_UNIMPLEMENTED, "this machine cannot run " + wanted + "; the library has " + isa_list());
    }
  throw Error(GRAPHC_UNIMPLEMENTED, wanted.empty()
                                        ? "this machine can run none of the library's instruction sets: " + isa_list()
                                        : "the library has no code for " + wanted + "; it has " + isa_list());
}

std::string isa_list() {
  std::string text;
  for (const Entry& entry : libraries()) {
    const std::string name = entry.library.isa;
    text += (text.empty() ? "" : ", ") + (entry.runs_here ? name : "(" + name + ")");
  }
  return text;
}

const std::int64_t* registry() {
  static const std::vector<std::int64_t> words = [] {
    std::vector<std::int64_t> made;
    std::uint64_t value = 0;
    int shift = 0;
    for (std::int64_t i = 0; i < gc_packed_registry_bytes; ++i) {        // kernels/toolchain/tables.py packs it
      const unsigned char byte = gc_packed_registry[i];
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      shift += 7;
      if (byte & 128) continue;
      made.push_back(static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1))));
      value = 0;
      shift = 0;
    }
    return made;
  }();
  return words.data();
}

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const char* at = gc_names; at < gc_names + gc_names_bytes; at += names.back().size() + 1) names.emplace_back(at);
    return names;
  }();
  return all;
}

const Names& registry_names() {
  static const Names names = [] {
    Names made;
    const std::int64_t kernels = registry()[1];
    std::int64_t number = 0;
    for (const std::string& name : function_names()) {
      if (number < kernels) made.kernels.emplace(name, number);
      else made.primitives.emplace(name, number - kernels);
      ++number;
    }
    return made;
  }();
  return names;
}

}  // namespace graphc_core
