// What the verifier of the runtime does not see of a plan: the names and dtypes of what goes in and out.
#pragma once
#include "plan.hpp"

namespace graphc_core {

// Throws DATA_LOSS if the inputs and outputs are not those of body 0, UNIMPLEMENTED for what cannot be fed or fetched here.
void check_ports(const Plan& plan);

// Whether an input, output or constant holds strings. Throws UNIMPLEMENTED if a variable does.
bool has_strings(const Plan& plan);

}  // namespace graphc_core
