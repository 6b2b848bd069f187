// The one exception of the runner: a code for programs (graphc.h) and a message for people.
//
// What is inside the library is in namespace graphc_core; graphc is that of graphc.hpp, which is compiled into users' programs,
// where another class of the same name would be taken for it.
#pragma once
#include <stdexcept>
#include <string>

#include "graphc.h"

namespace graphc_core {

class Error : public std::runtime_error {
 public:
  Error(graphc_status code, const std::string& message);
  Error(graphc_status code, const char* message);
  graphc_status code;
};

// Of the model's file; readers of other files say which one it is (damaged_file).
[[noreturn]] void damaged(const char* what);
[[noreturn]] void damaged(const std::string& what);
[[noreturn]] void damaged_file(const std::string& path, const std::string& what);

// What `read` gives; what it finds damaged is said of the file `path`.
template <class Read>
auto in_file(const std::string& path, Read read) -> decltype(read()) {
  static const std::string model = "damaged model: ";
  try {
    return read();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.compare(0, model.size(), model) == 0) damaged_file(path, what.substr(model.size()));
    throw;
  }
}

}  // namespace graphc_core
