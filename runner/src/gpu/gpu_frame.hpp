// A recorded run on a GPU: its memory there, and its work as graphs of the driver's.
#pragma once
#include <memory>
#include <vector>

#include "gpu_code.hpp"
#include "gpu_driver.hpp"

namespace graphc_core {

// The kernels of a file, each module loaded when it is first needed.
class GpuModules {
 public:
  GpuModules(Gpu& gpu, const std::vector<std::string>& texts) : gpu_(gpu), texts_(texts), modules_(texts.size(), nullptr) {}
  GpuModules(const GpuModules&) = delete;
  GpuModules& operator=(const GpuModules&) = delete;
  ~GpuModules();

  // Throws DATA_LOSS if there is no such kernel.
  void* kernel(const GpuTask& launch);

 private:
  Gpu& gpu_;
  const std::vector<std::string>& texts_;
  std::vector<void*> modules_;
};

// To be made, run and freed by who holds the GPU's mutex and has entered it.
class GpuFrame {
 public:
  // lasting: addresses of the run's blocks that are constants and variables, by their numbers in run.memory; 0: others. The
  // run was checked.
  GpuFrame(Gpu& gpu, const GpuRun& run, GpuModules& modules, const std::vector<DeviceAddress>& lasting,
           const std::shared_ptr<HostTable>& host);
  GpuFrame(const GpuFrame&) = delete;
  GpuFrame& operator=(const GpuFrame&) = delete;
  ~GpuFrame();

  // The host's memory that is copied up before a run, and down behind it.
  char* pinned() const { return pinned_.data(); }

  bool has_second() const { return second_ != nullptr; }
  bool has_undo() const { return undo_ != nullptr; }
  // Done when they return; the first, if `waits` is false, when the stream is waited for.
  void do_first(bool waits) const { waits ? do_graph(first_) : gpu_.launch(first_); }
  void do_second() const { do_graph(second_); }
  void undo() const { do_graph(undo_); }

 private:
  void* graph_of(const std::vector<GpuTask>& tasks, GpuModules& modules);
  void submit(const GpuTask& task, void* kernel) const;
  void launch(const GpuTask& task, void* kernel) const;
  void do_graph(void* graph) const;
  DeviceAddress at(std::int32_t memory, std::int64_t offset) const {
    return addresses_[static_cast<std::size_t>(memory)] + static_cast<DeviceAddress>(offset);
  }

  Gpu& gpu_;
  Charge charge_;                      // for the pinned memory
  PinnedBlock pinned_;
  std::vector<GpuBlock> blocks_;
  std::vector<DeviceAddress> addresses_;
  void *first_ = nullptr, *second_ = nullptr, *undo_ = nullptr;
};

}  // namespace graphc_core
