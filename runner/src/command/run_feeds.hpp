// What graphc-run feeds: an array for each input, and for each step a row of those of --feed-each.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "graphc.h"
#include "npy.hpp"
#include "run_arguments.hpp"

namespace graphc_core {

// The input or output of that name, with or without ":0". Throws NOT_FOUND with those that there are.
std::size_t find_port(const std::vector<graphc_info>& infos, const std::string& name, const char* what);

class Feeds {
 public:
  // Throws Error for a file that cannot be read or does not fit, and for an input that is not fed.
  Feeds(const Arguments& arguments, const std::vector<graphc_info>& inputs);

  std::vector<graphc_tensor> of_step(long long step);

 private:
  void read(const graphc_info& input, std::size_t index, const std::string& file);

  std::vector<Array> arrays_;
  std::vector<bool> each_;
};

}  // namespace graphc_core
