// Out of line: some two hundred places throw, and none of them is in a hurry.
#include "error.hpp"

namespace graphc_core {

Error::Error(graphc_status code, const std::string& message) : std::runtime_error(message), code(code) {}

Error::Error(graphc_status code, const char* message) : std::runtime_error(message), code(code) {}

void damaged(const char* what) { throw Error(GRAPHC_DATA_LOSS, std::string("damaged model: ") + what); }

void damaged(const std::string& what) { damaged(what.c_str()); }

void damaged_file(const std::string& path, const std::string& what) {
  throw Error(GRAPHC_DATA_LOSS, path + " is damaged: " + what);
}

}  // namespace graphc_core
