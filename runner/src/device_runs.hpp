// Runs of a model on another device than the CPU. What does them is a part (parts.hpp) that runners may lack; models and
// variables know it by these faces alone.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph_reader.hpp"
#include "graphc.h"
#include "memory.hpp"
#include "plan.hpp"

namespace graphc_core {

class Running;
class Values;
struct Variable;

// A variable's memory on a device.
class VariableCopy {
 public:
  virtual ~VariableCopy() = default;
  // Copies the value into the host's memory, under the lock of the variables.
  virtual void bring_home(char* target) = 0;
};

struct DeviceRequest {
  const Plan& plan;
  const SavedPlan& saved;
  const std::vector<std::int64_t>& constants;          // addresses
  std::shared_ptr<Values> values;
  std::shared_ptr<HostTable> host;
  std::string code;                                    // path of the file with the device's code
  int number;                                          // of the device
};

class DeviceRuns {
 public:
  virtual ~DeviceRuns() = default;
  // A run, under the lock of the variables. sizes: 8 words for each input; inputs: addresses; outputs: with memory. Throws Error;
  // no variable has changed then.
  virtual void run(const std::vector<std::int64_t>& sizes, std::int64_t number, const Running& running,
                   const std::vector<std::int64_t>& inputs, const std::vector<graphc_tensor>& outputs) = 0;
};

}  // namespace graphc_core

extern "C" {

// A GPU's; a part. Throws Error.
void gc_open_gpu(const graphc_core::DeviceRequest& request, std::unique_ptr<graphc_core::DeviceRuns>& made);

}  // extern "C"
