// Functions that a plan calls and the embedder sets (py_func), and what is done without one: Assert.
#pragma once
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device_runs.hpp"
#include "graphc.h"
#include "library.hpp"
#include "memory.hpp"
#include "plan.hpp"
#include "string_op.hpp"

namespace graphc_core {

struct HostFunction {
  graphc_host_function function = nullptr;
  void* user = nullptr;
};

// What a host function sees of the call it serves.
struct HostRequest {
  HostTable* host;
  const Library* library;
  const std::int64_t* slots;           // addresses of the SLOT records to fill
  std::int64_t count;
};

void* make_host_output(HostRequest& request, std::int64_t index, std::int32_t dtype, std::int32_t rank,
                       const std::int64_t* sizes);

// The functions of one model. Its address is the context that the runtime gives back with each call.
class HostCalls {
 public:
  HostCalls(const Library& library, HostTable& host, const Plan& plan);
  HostCalls(const HostCalls&) = delete;
  HostCalls& operator=(const HostCalls&) = delete;

  // Once the plan has been read. Throws UNIMPLEMENTED if it calls what runs in Python only.
  void open();

  // Throws NOT_FOUND if the plan calls no function of that name.
  void set(const std::string& name, HostFunction function);

  // Who does the parts of a plan that a device does.
  void set_device(DeviceRuns* device) { device_ = device; }

  // The strings of the run that this thread is in.
  static RunStrings*& strings();
  // What the last function that failed on this thread said; told to the user by the run that called it.
  static std::string& message();
  // And what status it ended with, if it threw an Error.
  static graphc_status& status();
  // What a device's part threw on this thread, for that run to throw as it is; nullptr: none did.
  static std::exception_ptr& part_failure();

 private:
  static std::int32_t call(std::int64_t context, std::int64_t host, std::int64_t record);
  void serve(const std::string& name, const std::int64_t* ask);
  void serve_strings(const StringOp& op, const std::int64_t* ask);
  void serve_part(const std::string& name, const std::vector<graphc_tensor>& inputs, HostRequest& request);

  const Library& library_;
  HostTable& host_;
  const Plan& plan_;
  std::map<std::string, HostFunction> functions_;
  std::map<std::string, std::unique_ptr<StringOp>> string_ops_;
  DeviceRuns* device_ = nullptr;
};

}  // namespace graphc_core
