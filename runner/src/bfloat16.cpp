#include "bfloat16.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "error.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;
enum : Word { NOTHING, WEIGHTS, DOTS, TILES };

#if defined(__x86_64__)
// Linux gives a process the tile registers if it asks; a system that refuses is a machine without, and since processors with
// AMX are slow at AVX512-BF16, only weights are rounded then.
Word machine_bfloat16() {
  constexpr unsigned AMX = 1u << 22 | 1u << 24, AVX512_BF16 = 1u << 5;      // AMX-BF16 and AMX-TILE
  constexpr long ASK_FOR = 0x1023, TILE_DATA = 18;                          // ARCH_REQ_XCOMP_PERM
  unsigned a, b, c, d, tiles = 0, dots = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) tiles = d;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) dots = a;
  if (!(dots & AVX512_BF16)) return WEIGHTS;
  if ((tiles & AMX) != AMX) return DOTS;
  return syscall(SYS_arch_prctl, ASK_FOR, TILE_DATA) == 0 ? TILES : WEIGHTS;
}
#else
Word machine_bfloat16() { return WEIGHTS; }
#endif

}  // namespace

std::int64_t wanted_bfloat16(const char* isa) {
  const char* given = std::getenv("GRAPHC_WEIGHTS");
  const std::string_view word = given ? given : "";
  if (!word.empty() && word != "float32" && word != "bfloat16")
    throw Error(GRAPHC_INVALID_ARGUMENT,
                "GRAPHC_WEIGHTS must be \"float32\" or \"bfloat16\", but is \"" + std::string(word) + "\"");
  if (word != "bfloat16") return NOTHING;
  return isa == std::string_view("x86-64-v4") ? machine_bfloat16() : WEIGHTS;
}

}  // namespace graphc_core
