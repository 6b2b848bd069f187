// A part (parts.hpp): runs of a model on a GPU, with the code that `graphc gpu` made (gpu_code.hpp). Constants are there once,
// variables until somebody wants them on the host; what a run needs besides is made at the first run of its sizes and kept.
#include <atomic>
#include <cstring>
#include <map>
#include <utility>

#include "device_runs.hpp"
#include "dtypes.hpp"
#include "error.hpp"
#include "gpu_frame.hpp"
#include "message.hpp"
#include "read_file.hpp"
#include "running.hpp"
#include "tensors.hpp"
#include "values.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t MOST_LISTED = 8;      // sets of sizes, in an error

class GpuVariable final : public VariableCopy {
 public:
  GpuVariable(Gpu& gpu, std::size_t bytes) : gpu_(gpu), bytes_(bytes), block_(gpu, bytes) {}

  void bring_home(char* target) override {
    const std::lock_guard<std::mutex> guard(gpu_.mutex);
    gpu_.enter();
    gpu_.download(target, block_.address(), bytes_);
    gpu_.wait();
  }

  // Under the GPU's mutex: brings the host's value there, unless it is there. `wait` comes before the host may change it.
  void refresh(const Variable& variable) {
    if (version == variable.version()) return;
    gpu_.upload(block_.address(), variable.value.data(), bytes_);
    version = variable.version();
  }

  DeviceAddress address() const { return block_.address(); }

  std::atomic<Word> version{-1};            // of the value that is there

 private:
  Gpu& gpu_;
  std::size_t bytes_;
  GpuBlock block_;
};

class GpuRuns final : public DeviceRuns {
 public:
  explicit GpuRuns(const DeviceRequest& request);
  ~GpuRuns() override;
  void run(const std::vector<Word>& sizes, Word number, const Running& running, const std::vector<Word>& inputs,
           const std::vector<graphc_tensor>& outputs) override;

 private:
  std::size_t find_run(const std::vector<Word>& sizes) const;
  [[noreturn]] void refuse_sizes(const std::vector<Word>& sizes) const;
  std::string sizes_text(const std::vector<Word>& sizes) const;
  GpuFrame& frame_of(std::size_t number);
  DeviceAddress lasting_address(const GpuMemory& memory);
  std::vector<std::pair<Variable*, GpuVariable*>> variables_of(const GpuRun& run) const;
  void fill(const GpuRun& run, const GpuFrame& frame, Word number, const std::vector<Word>& inputs) const;
  void look_at_checks(const GpuRun& run, const GpuFrame& frame, std::size_t count) const;
  void copy_outputs(const GpuRun& run, const GpuFrame& frame, const std::vector<graphc_tensor>& outputs) const;
  [[noreturn]] void fail(Word status, Word body, Word step, const Word* words) const;

  const Plan& plan_;
  std::shared_ptr<HostTable> host_;
  std::shared_ptr<Values> values_;
  const std::vector<Word>& constants_;
  Charge charge_;                          // for the code
  GpuCode code_;
  Gpu& gpu_;
  std::vector<Variable*> variables_;       // of the plan's states
  std::vector<std::shared_ptr<GpuVariable>> copies_;
  std::map<std::int32_t, GpuBlock> constant_blocks_;
  GpuModules modules_;
  std::map<std::size_t, std::unique_ptr<GpuFrame>> frames_;        // by the run's number
};

GpuCode read_code(const DeviceRequest& request, Charge& charge) {
  const Block file = read_file(request.code, request.host);
  return in_file(request.code, [&] {
    try {
      GpuCode code = read_gpu_code({file.data(), file.bytes()}, request.saved, charge);
      for (const GpuRun& run : code.runs) check_run(code, run, request.plan);
      return code;
    } catch (const Error& error) {
      if (error.code == GRAPHC_DATA_LOSS) throw;
      throw_error(error.code, request.code + ": " + error.what());
    }
  });
}

GpuRuns::GpuRuns(const DeviceRequest& request)
    : plan_(request.plan), host_(request.host), values_(request.values), constants_(request.constants), charge_(request.host),
      code_(read_code(request, charge_)), gpu_(Gpu::open(request.number)), modules_(gpu_, code_.modules) {
  if (code_.compute > gpu_.compute())
    throw_error(GRAPHC_UNIMPLEMENTED, request.code + " needs a GPU of compute capability " + std::to_string(code_.compute) +
                                          " at least; " + gpu_.name() + " has " + std::to_string(gpu_.compute()) +
                                          ": make it with `graphc gpu --compute " + std::to_string(gpu_.compute()) + "`");
  const std::lock_guard<std::mutex> guard(gpu_.mutex);
  gpu_.enter();
  for (const Tensor& state : plan_.states) {
    Variable& variable = values_->variable(state, host_);
    variables_.push_back(&variable);
    copies_.push_back(std::static_pointer_cast<GpuVariable>(values_->copy_on(variable, request.number, [&] {
      return std::make_shared<GpuVariable>(gpu_, variable.value.bytes());
    })));
  }
}

GpuRuns::~GpuRuns() {
  const std::lock_guard<std::mutex> guard(gpu_.mutex);
  frames_.clear();
}

void GpuRuns::run(const std::vector<Word>& sizes, Word number, const Running& running, const std::vector<Word>& inputs,
                  const std::vector<graphc_tensor>& outputs) {
  const std::size_t which = find_run(sizes);
  const GpuRun& run = code_.runs[which];
  for (const GpuNeed& one : run.needs)
    if (!variables_[static_cast<std::size_t>(one.state)]->has_value()) fail(L::Status::UNINITIALISED, one.body, one.step, nullptr);
  const auto variables = variables_of(run);
  for (const auto& [variable, copy] : variables)
    if (copy->version != variable->version()) values_->bring_home(*variable);
  const std::lock_guard<std::mutex> guard(gpu_.mutex);
  if (running.flag()->load()) throw_error(GRAPHC_CANCELLED, "the run was cancelled");
  gpu_.enter();
  const GpuFrame& frame = frame_of(which);
  for (const auto& [variable, copy] : variables) copy->refresh(*variable);
  fill(run, frame, number, inputs);
  frame.do_first();
  if (frame.has_second()) {
    look_at_checks(run, frame, static_cast<std::size_t>(run.early));
    frame.do_second();
  }
  try {
    look_at_checks(run, frame, run.checks.size());
  } catch (const Error&) {
    if (frame.has_undo()) frame.undo();
    throw;
  }
  copy_outputs(run, frame, outputs);
  for (const std::int32_t state : run.writes) {
    const auto at = static_cast<std::size_t>(state);
    values_->written_elsewhere(*variables_[at], copies_[at]);
    copies_[at]->version = variables_[at]->version();
  }
}

// sizes: 8 words for each input, of which the run has as many as the input has axes.
std::size_t GpuRuns::find_run(const std::vector<Word>& sizes) const {
  for (std::size_t number = 0; number < code_.runs.size(); ++number) {
    const std::vector<Word>& recorded = code_.runs[number].sizes;
    bool same = true;
    std::size_t at = 0;
    for (std::size_t i = 0; i < plan_.inputs.size(); ++i)
      for (std::size_t axis = 0; axis < rank_of(plan_.inputs[i]); ++axis) same = recorded[at++] == sizes[8 * i + axis] && same;
    if (same) return number;
  }
  std::vector<Word> given;
  for (std::size_t i = 0; i < plan_.inputs.size(); ++i)
    given.insert(given.end(), &sizes[8 * i], &sizes[8 * i] + rank_of(plan_.inputs[i]));
  refuse_sizes(given);
}

void GpuRuns::refuse_sizes(const std::vector<Word>& sizes) const {
  std::string there;
  for (std::size_t i = 0; i < code_.runs.size() && i < MOST_LISTED; ++i) there += "\n  " + sizes_text(code_.runs[i].sizes);
  if (code_.runs.size() > MOST_LISTED) there += "\n  and " + std::to_string(code_.runs.size() - MOST_LISTED) + " more";
  throw_error(GRAPHC_INVALID_ARGUMENT, "the GPU's code was not made for inputs of these sizes: " + sizes_text(sizes) +
                                           "\nit was made for" + (there.empty() ? " none" : there) +
                                           "\n`graphc gpu --shapes` makes it for others");
}

std::string GpuRuns::sizes_text(const std::vector<Word>& sizes) const {
  std::string text;
  std::size_t at = 0;
  for (const Port& input : plan_.inputs) {
    text += (text.empty() ? "" : ", ") + input.name + " " + shape_text(sizes.data() + at, rank_of(input));
    at += rank_of(input);
  }
  return text.empty() ? "no inputs" : text;
}

GpuFrame& GpuRuns::frame_of(std::size_t number) {
  std::unique_ptr<GpuFrame>& found = frames_[number];
  if (!found) {
    const GpuRun& run = code_.runs[number];
    std::vector<DeviceAddress> lasting;
    for (const GpuMemory& memory : run.memory) lasting.push_back(lasting_address(memory));
    found = std::make_unique<GpuFrame>(gpu_, run, modules_, lasting, host_);
  }
  return *found;
}

DeviceAddress GpuRuns::lasting_address(const GpuMemory& memory) {
  const auto index = static_cast<std::size_t>(memory.index);
  if (memory.kind == GpuMemoryKind::STATE) return copies_[index]->address();
  if (memory.kind != GpuMemoryKind::CONSTANT) return 0;
  const auto found = constant_blocks_.find(memory.index);
  if (found != constant_blocks_.end()) return found->second.address();
  const auto bytes = static_cast<std::size_t>(memory_bytes(memory, plan_));
  GpuBlock block(gpu_, bytes);
  gpu_.upload(block.address(), reinterpret_cast<const void*>(constants_[index]), bytes);
  gpu_.wait();
  return constant_blocks_.emplace(memory.index, std::move(block)).first->second.address();
}

std::vector<std::pair<Variable*, GpuVariable*>> GpuRuns::variables_of(const GpuRun& run) const {
  std::vector<std::pair<Variable*, GpuVariable*>> found;
  for (const GpuMemory& memory : run.memory) {
    if (memory.kind != GpuMemoryKind::STATE) continue;
    const auto at = static_cast<std::size_t>(memory.index);
    found.emplace_back(variables_[at], copies_[at].get());
  }
  return found;
}

void GpuRuns::fill(const GpuRun& run, const GpuFrame& frame, Word number, const std::vector<Word>& inputs) const {
  if (run.counter) {
    const Word counter[2] = {number, 0};
    std::memcpy(frame.pinned() + run.uploads[0], counter, sizeof counter);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::size_t bytes = static_cast<std::size_t>(find_dtype(plan_.inputs[i].dtype)->size);
    for (std::size_t axis = 0; axis < rank_of(plan_.inputs[i]); ++axis) bytes *= static_cast<std::size_t>(run.sizes[at++]);
    if (bytes) std::memcpy(frame.pinned() + run.uploads[i + run.counter], reinterpret_cast<const void*>(inputs[i]), bytes);
  }
}

void GpuRuns::look_at_checks(const GpuRun& run, const GpuFrame& frame, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i) {
    const GpuCheck& check = run.checks[i];
    Word words[GPU_CHECK_WORDS];
    std::memcpy(words, frame.pinned() + run.check_place + static_cast<Word>(i * sizeof words), sizeof words);
    if (check.range) {
      if (words[0] >= 0 && words[1] < check.size) continue;
      const Word told[GPU_CHECK_WORDS] = {1, words[0] < 0 ? words[0] : words[1], check.size};
      fail(check.status, check.body, check.step, told);
    }
    if (words[0]) fail(check.status, check.body, check.step, words);
  }
}

void GpuRuns::copy_outputs(const GpuRun& run, const GpuFrame& frame, const std::vector<graphc_tensor>& outputs) const {
  const auto room = static_cast<std::size_t>(run.memory[0].size);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::size_t bytes = bytes_of(outputs[i]), from = static_cast<std::size_t>(run.downloads[i]);
    if (outputs[i].rank < 0 || bytes > room - from) damaged("an output is larger than what comes from the GPU");
    if (bytes) std::memcpy(outputs[i].data, frame.pinned() + from, bytes);
  }
}

// words: those of a check; nullptr: none.
void GpuRuns::fail(Word status, Word body, Word step, const Word* words) const {
  Word record[L::ERROR_WORDS] = {};
  record[L::ERROR_CODE] = status;
  record[L::ERROR_BODY] = body;
  record[L::ERROR_STEP] = step;
  if (words) {
    record[L::ERROR_A] = words[1];
    record[L::ERROR_B] = words[2];
    std::copy(words + 3, words + GPU_CHECK_WORDS, record + L::ERROR_DETAIL);
  }
  throw run_error(plan_, record, "", host_->state());
}

}  // namespace
}  // namespace graphc_core

void gc_open_gpu(const graphc_core::DeviceRequest& request, std::unique_ptr<graphc_core::DeviceRuns>& made) {
  made = std::make_unique<graphc_core::GpuRuns>(request);
}
