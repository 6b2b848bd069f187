// Runs of a model on another device than the CPU. What does them is a part (parts.hpp) that runners may lack; models and
// variables know it by these faces alone.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph_reader.hpp"
#include "graphc.h"
#include "memory.hpp"
#include "plan.hpp"

namespace graphc_core {

class Running;
class Values;
struct HostRequest;
struct Variable;

// A variable's memory on a device.
class VariableCopy {
 public:
  virtual ~VariableCopy() = default;
  // Copies the value into the host's memory, under the lock of the variables.
  virtual void bring_home(char* target) = 0;
};

struct DeviceRequest {
  const SavedPlan& saved;
  std::shared_ptr<HostTable> host;
  std::string code;                                    // path of the file with the device's code
  int number;                                          // of the device
};

// What host functions of this name are: parts of a plan that a device does, "gpu_part:0" the first.
constexpr const char* DEVICE_PART = "gpu_part:";

// A run of the plan that is left for the host, while it lasts.
class DeviceWalk {
 public:
  virtual ~DeviceWalk() = default;                     // of a run that failed: no variable has changed
  virtual void succeeded() = 0;
};

class DeviceRuns {
 public:
  virtual ~DeviceRuns() = default;

  // The plan for the host, to be read by read_plan; "": there is none, the device does all.
  virtual std::string_view plan() const = 0;
  // To be called once, with the plan of the model and the addresses of its constants.
  virtual void open(const Plan& plan, const std::vector<std::int64_t>& constants, const std::shared_ptr<Values>& values) = 0;

  // With a plan for the host: a run begins, under the lock of the variables. sizes: 8 words for each input. Throws Error.
  virtual std::unique_ptr<DeviceWalk> begin(const std::vector<std::int64_t>& sizes) = 0;
  // Does a part for that run. Throws Error.
  virtual void call(std::size_t part, const std::vector<graphc_tensor>& given, HostRequest& request) = 0;

  // Without: a run, under the lock of the variables. sizes: 8 words for each input; inputs: addresses; outputs: with memory. Throws Error;
  // no variable has changed then.
  virtual void run(const std::vector<std::int64_t>& sizes, std::int64_t number, const Running& running,
                   const std::vector<std::int64_t>& inputs, const std::vector<graphc_tensor>& outputs) = 0;
};

}  // namespace graphc_core

extern "C" {

// A GPU's, to be opened; a part. Throws Error.
void gc_open_gpu(const graphc_core::DeviceRequest& request, std::unique_ptr<graphc_core::DeviceRuns>& made);

}  // extern "C"
