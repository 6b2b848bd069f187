// From the runtime's ERROR record to what a user reads: which op, its type, the user's file and line, the values at odds.
#pragma once
#include <cstdint>

#include "error.hpp"
#include "plan.hpp"

namespace graphc_core {

Error run_error(const Plan& plan, const std::int64_t* record, const std::string& host_message, const std::string& memory);

// For a model that calls `function` in this step, which is a library of Python's.
Error host_error(const Plan& plan, const Step& step, const std::string& function);

}  // namespace graphc_core
