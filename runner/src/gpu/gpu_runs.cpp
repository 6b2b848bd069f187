// A part (parts.hpp): runs of a model on a GPU, with the code that `graphc gpu` made (gpu_code.hpp). Constants are there once,
// variables until somebody wants them on the host; what a run needs besides is made at the first run of its sizes and kept.
#include <cstring>
#include <map>

#include "device_runs.hpp"
#include "dtypes.hpp"
#include "error.hpp"
#include "gpu_model.hpp"
#include "gpu_parts.hpp"
#include "running.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

class GpuRuns final : public DeviceRuns {
 public:
  explicit GpuRuns(const DeviceRequest& request) : model_(request), parts_(model_) {}
  ~GpuRuns() override;

  std::string_view plan() const override { return model_.code().walk; }
  void open(const Plan& plan, const std::vector<Word>& constants, const std::shared_ptr<Values>& values) override {
    model_.open(plan, constants, values);
  }
  std::unique_ptr<DeviceWalk> begin(const std::vector<Word>& sizes) override { return parts_.begin(sizes); }
  void call(std::size_t part, const std::vector<graphc_tensor>& given, HostRequest& request) override {
    parts_.call(part, given, request);
  }
  void run(const std::vector<Word>& sizes, Word number, const Running& running, const std::vector<Word>& inputs,
           const std::vector<graphc_tensor>& outputs) override;

 private:
  GpuFrame& frame_of(std::size_t number);
  void fill(const GpuRun& run, const GpuFrame& frame, Word number, const std::vector<Word>& inputs) const;
  static void copy_outputs(const GpuRun& run, const GpuFrame& frame, const std::vector<graphc_tensor>& outputs);

  GpuModel model_;
  GpuParts parts_;
  std::map<std::size_t, std::unique_ptr<GpuFrame>> frames_;        // by the run's number
};

GpuRuns::~GpuRuns() {
  if (!model_.is_open()) return;
  const std::lock_guard<std::mutex> guard(model_.gpu().mutex);
  frames_.clear();
  parts_.clear();
}

void GpuRuns::run(const std::vector<Word>& sizes, Word number, const Running& running, const std::vector<Word>& inputs,
                  const std::vector<graphc_tensor>& outputs) {
  const std::size_t which = model_.find_sizes(sizes);
  const GpuRun& run = model_.code().runs[which];
  for (const GpuNeed& one : run.needs)
    if (!model_.variable(one.state).has_value()) model_.fail(L::Status::UNINITIALISED, one.body, one.step, nullptr);
  const Ids variables = model_.variables_of(run);
  const std::lock_guard<std::mutex> guard(model_.gpu().mutex);
  if (running.flag()->load()) throw_error(GRAPHC_CANCELLED, "the run was cancelled");
  model_.gpu().enter();
  const GpuFrame& frame = frame_of(which);
  for (const std::int32_t state : variables) model_.copy(state).refresh(model_.variable(state));
  fill(run, frame, number, inputs);
  model_.do_graphs(run, frame, true);
  copy_outputs(run, frame, outputs);
  for (const std::int32_t state : run.writes) model_.written(state);
}

GpuFrame& GpuRuns::frame_of(std::size_t number) {
  std::unique_ptr<GpuFrame>& found = frames_[number];
  if (!found) {
    const GpuRun& run = model_.code().runs[number];
    std::vector<DeviceAddress> lasting;
    for (const GpuMemory& memory : run.memory) lasting.push_back(model_.lasting_address(memory));
    found = std::make_unique<GpuFrame>(model_.gpu(), run, model_.modules(), lasting, model_.host());
  }
  return *found;
}

void GpuRuns::fill(const GpuRun& run, const GpuFrame& frame, Word number, const std::vector<Word>& inputs) const {
  if (run.counter) {
    const Word counter[2] = {number, 0};
    std::memcpy(frame.pinned() + run.uploads[0], counter, sizeof counter);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Port& input = model_.plan().inputs[i];
    std::size_t bytes = static_cast<std::size_t>(find_dtype(input.dtype)->size);
    for (std::size_t axis = 0; axis < rank_of(input); ++axis) bytes *= static_cast<std::size_t>(run.sizes[at++]);
    if (bytes) std::memcpy(frame.pinned() + run.uploads[i + run.counter], reinterpret_cast<const void*>(inputs[i]), bytes);
  }
}

void GpuRuns::copy_outputs(const GpuRun& run, const GpuFrame& frame, const std::vector<graphc_tensor>& outputs) {
  const auto room = static_cast<std::size_t>(run.memory[0].size);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::size_t bytes = bytes_of(outputs[i]), from = static_cast<std::size_t>(run.downloads[i]);
    if (outputs[i].rank < 0 || bytes > room - from) damaged("an output is larger than what comes from the GPU");
    if (bytes) std::memcpy(outputs[i].data, frame.pinned() + from, bytes);
  }
}

}  // namespace
}  // namespace graphc_core

void gc_open_gpu(const graphc_core::DeviceRequest& request, std::unique_ptr<graphc_core::DeviceRuns>& made) {
  made = std::make_unique<graphc_core::GpuRuns>(request);
}
