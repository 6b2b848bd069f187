// Parts of the library that `graphc runner` leaves out where the models that it links for have no use for them. Only
// graphc_tables.cpp refers to them, as gc_parts; numbers as in kernels/toolchain/tables.py: PARTS.
#pragma once
#include <string>
#include <utility>

namespace graphc_core {

enum Part { SAVE_CHECKPOINT, RESTORE_CHECKPOINT, CHECK_PART, PRINT_TRACE, OTHER_STEPS, GPU_RUNS, READ_WAYS, STRINGS, STRING_OPS };

// " is not in this runner, which was made for digits.pb alone; ...": what is said of a part, or of a kernel.
std::string lacking();

// what: how errors call it. Throws UNIMPLEMENTED if this runner lacks it.
void (*find_part(Part number, const char* what))();

// call_part<decltype(gc_check_part)>(CHECK_PART, "...", part, shape): the C function of that type.
template <class Function, class... Arguments>
void call_part(Part number, const char* what, Arguments&&... arguments) {
  reinterpret_cast<Function*>(find_part(number, what))(std::forward<Arguments>(arguments)...);
}

}  // namespace graphc_core
