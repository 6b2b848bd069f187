#include "library.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "error.hpp"

namespace graphc_core {
namespace {

struct Entry {
  Library library;
  bool runs_here;
  std::vector<std::int64_t> addresses;     // library.functions
};

#if defined(__x86_64__)
// The levels of x86-64 (its psABI), of the processor and of the system, which has to keep the registers: bits of cpuid and of
// xgetbv. __builtin_cpu_supports would know them as well, in twenty times the code.
int x86_64_level() {
  constexpr unsigned V2_C = bit_CMPXCHG16B | bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT;
  constexpr unsigned V3_C = bit_AVX | bit_F16C | bit_FMA | bit_MOVBE | bit_OSXSAVE;
  constexpr unsigned V3_B = bit_AVX2 | bit_BMI | bit_BMI2;
  constexpr unsigned V4_B = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
  constexpr unsigned YMM = 0x6, ZMM = 0xe6;
  unsigned a, b, c, d, features = 0, more = 0;
  if (__get_cpuid(1, &a, &b, &c, &d)) features = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) more = b;
  const bool has_extended = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT) && (c & bit_LAHF_LM);
  if ((features & V2_C) != V2_C || (features & V3_C) != V3_C || (more & V3_B) != V3_B || !has_extended) return 2;
  unsigned kept, high;
  __asm__ volatile("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
  if ((kept & YMM) != YMM) return 2;
  return (more & V4_B) == V4_B && (kept & ZMM) == ZMM ? 4 : 3;
}
#endif

bool machine_runs(const std::string& isa) {
#if defined(__x86_64__)
  return isa.rfind("x86-64-v", 0) == 0 && isa.size() == 9 && isa[8] - '0' <= x86_64_level();
#elif defined(__aarch64__)
  return isa == "aarch64";
#else
#error "graphc's runner supports Linux on x86-64 and aarch64; other machines have not been tested"
#endif
}

std::vector<std::int64_t> addresses_of(const std::int32_t* functions) {
  std::vector<std::int64_t> found(static_cast<std::size_t>(3 * registry()[1] + registry()[2]));
  for (std::size_t i = 0; i < found.size(); ++i)
    if (functions[i]) found[i] = reinterpret_cast<std::int64_t>(functions + i) + functions[i];
  return found;
}

const std::vector<Entry>& libraries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> found;
    for (const gc_isa* isa = gc_isas; isa->name; ++isa) {
      std::vector<std::int64_t> addresses = addresses_of(isa->functions);
      const Library library = {isa->name, addresses.data(),
#define GRAPHC_MEMBER(result, name, parameters) GRAPHC_SYMBOL(name),
                               GRAPHC_ENTRIES(GRAPHC_MEMBER)
#undef GRAPHC_MEMBER
      };
      found.push_back({library, machine_runs(isa->name), std::move(addresses)});
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
      throw_error(GRAPHC_UNIMPLEMENTED, "this machine cannot run " + wanted + "; the library has " + isa_list());
    }
  throw_error(GRAPHC_UNIMPLEMENTED, wanted.empty()
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
