// What the runs and the parts of a signature on a GPU have in common: its code, checked, and constants and variables there.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "device_runs.hpp"
#include "gpu_frame.hpp"
#include "values.hpp"

namespace graphc_core {

class GpuVariable final : public VariableCopy {
 public:
  GpuVariable(Gpu& gpu, std::size_t bytes) : gpu_(gpu), bytes_(bytes), block_(gpu, bytes) {}

  void bring_home(char* target) override;
  // Under the GPU's mutex: brings the host's value there, unless it is there. Whether it did: the host may not change it before the
  // GPU was waited for.
  bool refresh(const Variable& variable);
  DeviceAddress address() const { return block_.address(); }

  std::atomic<std::int64_t> version{-1};    // of the value that is there

 private:
  Gpu& gpu_;
  std::size_t bytes_;
  GpuBlock block_;
};

class GpuModel {
 public:
  // Reads the code.
  explicit GpuModel(const DeviceRequest& request);
  // Checks it, then opens the GPU. plan: the model's, with the addresses of its constants.
  void open(const Plan& plan, const std::vector<std::int64_t>& constants, const std::shared_ptr<Values>& values);

  // The number of the sizes of all inputs, 8 words for each, among those for which there is code. Throws INVALID_ARGUMENT.
  std::size_t find_sizes(const std::vector<std::int64_t>& sizes) const;
  // The variables that a run uses, by their numbers; they come home from other devices.
  Ids variables_of(const GpuRun& run) const;
  // Where a constant or a variable is; 0 for other memory. Under the GPU's mutex.
  DeviceAddress lasting_address(const GpuMemory& memory);
  // The run's graphs, with what it needs in place. Throws what its checks refuse; then no variable has changed. waits: whether they
  // are done then; with checks they are.
  void do_graphs(const GpuRun& run, const GpuFrame& frame, bool waits) const;
  // A variable's newest value is on the GPU.
  void written(std::int32_t state);
  [[noreturn]] void fail(std::int64_t status, std::int64_t body, std::int64_t step, const std::int64_t* words) const;

  const GpuCode& code() const { return code_; }
  bool is_open() const { return gpu_ != nullptr; }
  Gpu& gpu() const { return *gpu_; }
  GpuModules& modules() const { return *modules_; }
  Variable& variable(std::int32_t state) const { return *variables_[static_cast<std::size_t>(state)]; }
  GpuVariable& copy(std::int32_t state) const { return *copies_[static_cast<std::size_t>(state)]; }
  const Plan& plan() const { return *plan_; }
  Values& values() const { return *values_; }
  const std::shared_ptr<HostTable>& host() const { return host_; }

 private:
  [[noreturn]] void refuse_sizes(const std::vector<std::int64_t>& sizes) const;
  std::string sizes_text(const std::vector<std::int64_t>& sizes) const;
  void look_at_checks(const GpuRun& run, const GpuFrame& frame, std::size_t count) const;

  const std::shared_ptr<HostTable> host_;
  const std::string path_;
  const int number_;
  Charge charge_;                            // for the code
  const GpuCode code_;
  const Plan saved_;                         // the file's, of which the GPU does parts
  Gpu* gpu_ = nullptr;
  std::unique_ptr<GpuModules> modules_;
  const Plan* plan_ = nullptr;
  const std::vector<std::int64_t>* constants_ = nullptr;
  std::shared_ptr<Values> values_;
  std::vector<Variable*> variables_;         // of the plan's states
  std::vector<std::shared_ptr<GpuVariable>> copies_;
  std::map<std::int32_t, GpuBlock> constant_blocks_;
};

}  // namespace graphc_core
