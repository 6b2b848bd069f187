// The one exception of the runner: a code for programs (graphc.h) and a message for people.
#pragma once
#include <stdexcept>
#include <string>

#include "graphc.h"

namespace graphc {

class Error : public std::runtime_error {
 public:
  Error(graphc_status code, const std::string& message) : std::runtime_error(message), code(code) {}
  graphc_status code;
};

[[noreturn]] inline void damaged(const std::string& what) { throw Error(GRAPHC_DATA_LOSS, "damaged model: " + what); }

}  // namespace graphc
