// What the verifier of the runtime does not see of a plan: the names and dtypes of what goes in and out.
#pragma once
#include "plan.hpp"

namespace graphc_core {

// Throws DATA_LOSS if the inputs and outputs are not those of body 0, UNIMPLEMENTED for what cannot be fed or fetched here.
void check_ports(const Plan& plan);

// Throws UNIMPLEMENTED if an input, output, constant or variable holds strings.
void check_strings(const Plan& plan);

}  // namespace graphc_core
