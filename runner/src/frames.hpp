// Frames of a model: what one run at a time works in, bound for the sizes of its inputs. Those used last are kept.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "graphc.h"
#include "library.hpp"
#include "memory.hpp"
#include "plan.hpp"

namespace graphc_core {

// A frame of the runtime, the input sizes that it is bound for, and what follows from these alone: the shapes of the
// outputs (rank -1: known only when it has run). The runtime's own table of outputs says of the others what the last run made.
struct Frame {
  std::int64_t handle = 0;
  bool bound = false;
  std::vector<std::int64_t> sizes;
  std::vector<graphc_tensor> outputs;
};

class Frames {
 public:
  Frames(const Library& library, std::shared_ptr<HostTable> host, const Plan& plan);
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  // An idle frame that is bound for these sizes, else one that is bound again. Throws Error.
  Frame take(std::int64_t model, const std::vector<std::int64_t>& sizes);
  void give_back(Frame frame);
  void close(const Frame& frame) const { library_.gc_frame_close(frame.handle); }
  // Before the model is closed.
  void close_all();
  // Once the model is open: what it has taken until now is not the frames'.
  void begin() { bytes_before_ = host_->used(); }

 private:
  std::int64_t bytes(std::int64_t model) const;
  Frame idle_or_none(std::int64_t model, const std::vector<std::int64_t>& sizes);
  void note_outputs(Frame& frame) const;

  const Library& library_;
  std::shared_ptr<HostTable> host_;
  const Plan& plan_;
  std::int64_t bytes_before_ = 0;
  std::mutex mutex_;
  std::vector<Frame> idle_;            // most recently used last
};

}  // namespace graphc_core
