// Parts of a plan on a GPU, which the host's plan calls as its functions (gpu_code.hpp: GpuPart). As graphc/exec/cuda/mixed.py.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "device_runs.hpp"
#include "gpu_model.hpp"

namespace graphc_core {

constexpr std::size_t GPU_FRAMES = 8;      // that are kept of a part: for its sizes and the places of what other parts made

// One run at a time goes through the host's plan: what parts make for others lies in memory that is the model's.
class GpuParts {
 public:
  explicit GpuParts(GpuModel& model) : model_(model) {}

  std::unique_ptr<DeviceWalk> begin(const std::vector<std::int64_t>& sizes);
  void call(std::size_t number, const std::vector<graphc_tensor>& given, HostRequest& request);
  // Under the GPU's mutex.
  void clear() { bound_.reset(); }

 private:
  friend class GpuWalk;
  using Key = std::vector<std::int64_t>;               // of a frame: its run, the turn, and the addresses of what it is given

  // What a part has on the GPU. What it makes in a loop lies in two sets of blocks in turn, so that the addresses of what goes round
  // come back, and with them the graphs.
  struct Bound {
    struct Kept {
      Key key;
      std::unique_ptr<GpuFrame> frame;
      std::int64_t used = 0;                           // at which of the part's calls
    };
    bool turn = false;
    std::int64_t calls = 0;
    std::vector<GpuBlock> made[2];
    Kept frames[GPU_FRAMES];
  };

  Bound& bound(std::size_t number);
  GpuFrame& frame_of(Bound& bound, const GpuRun& run, Key key);
  std::int64_t room_at(std::int64_t address) const;
  void fill(const GpuRun& run, const GpuFrame& frame, const graphc_tensor* values) const;
  static void give(const GpuRun& run, const GpuFrame& frame, const std::vector<GpuBlock>& made, HostRequest& request);

  GpuModel& model_;
  std::mutex walking_;                                 // held by a run
  Ids written_;                                        // variables whose newest value is this run's
  std::unique_ptr<Bound[]> bound_;                     // of each part; nullptr before the first run
  std::vector<std::int64_t> blocks_;                   // address and bytes of each block of what is made
};

}  // namespace graphc_core
