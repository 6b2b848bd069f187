// A run of a model: what every run goes through, compiled for speed.
#include <cstring>
#include <exception>
#include <utility>

#include "dtypes.hpp"
#include "inputs.hpp"
#include "model.hpp"
#include "tensors.hpp"
#include "trace.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

// While it lives, this thread is in a run with these strings: a function that the run calls may run another model.
class InStrings {
 public:
  explicit InStrings(RunStrings* strings) : outer_(std::exchange(HostCalls::strings(), strings)) {}
  InStrings(const InStrings&) = delete;
  InStrings& operator=(const InStrings&) = delete;
  ~InStrings() { HostCalls::strings() = outer_; }

 private:
  RunStrings* outer_;
};

}  // namespace

std::unique_ptr<Result> Model::run(const graphc_tensor* inputs, std::size_t count) {
  Inside::refuse(values_.get());
  const Inside inside(values_.get());
  const Running running(runs_);
  const std::vector<Word> sizes = checked_sizes(plan_, inputs, count);
  const std::unique_ptr<RunStrings> strings = strings_ ? strings_->begin(host_) : nullptr;
  const InStrings in_strings(strings.get());
  const Inputs given(inputs, count, host_, strings.get());
  auto result = std::make_unique<Result>();
  std::unique_lock<std::shared_mutex> exclusive(values_->mutex, std::defer_lock);
  std::shared_lock<std::shared_mutex> shared(values_->mutex, std::defer_lock);
  if (writes_states_) exclusive.lock();
  else shared.lock();
  const Word number = values_->runs.fetch_add(1);        // a run that fails counts, as in a Session
  Frame frame = frames_.take(model_, sizes);
  try {
    make_outputs(frame, *result);
    if (device_) {
      run_with_device(frame, number, running, sizes, given.addresses(), *result);
    } else {
      values_->bring_all_home();
      run_frame(frame, number, running, given.addresses(), *result);
      copy_outputs(frame, *result);
    }
  } catch (...) {
    frames_.close(frame);                      // a frame whose run failed is not used again
    throw;
  }
  frames_.give_back(std::move(frame));
  if (strings) name_strings(*strings, *result);
  return result;
}

void Model::run_with_device(Frame& frame, Word number, const Running& running, const std::vector<Word>& sizes,
                            const std::vector<Word>& addresses, Result& result) {
  if (device_->plan().empty()) return device_->run(sizes, number, running, addresses, result.outputs);
  const std::unique_ptr<DeviceWalk> walk = device_->begin(sizes);
  run_frame(frame, number, running, addresses, result);
  copy_outputs(frame, result);
  walk->succeeded();
}

// Memory for the outputs whose sizes are known before the run.
void Model::make_outputs(const Frame& frame, Result& result) {
  for (graphc_tensor output : frame.outputs) {
    Block memory;
    if (output.rank >= 0) memory = Block(host_, bytes_of(output));
    output.data = memory.data();
    result.outputs.push_back(output);
    result.memory.push_back(std::move(memory));
  }
}

void Model::run_frame(Frame& frame, Word number, const Running& running, const std::vector<Word>& addresses, Result& result) {
  Word error[L::ERROR_WORDS] = {};
  std::vector<Word> call(L::CALL_WORDS, 0);
  call[L::CALL_FRAME] = frame.handle;
  call[L::CALL_RUN] = number;
  call[L::CALL_CANCEL] = address_of(running.flag());
  call[L::CALL_ERROR] = address_of(error);
  call.insert(call.end(), addresses.begin(), addresses.end());
  for (const graphc_tensor& output : result.outputs) call.push_back(address_of(output.data));
  const Trace trace;
  call[L::CALL_TRACE] = trace.address();
  HostCalls::message().clear();
  HostCalls::part_failure() = nullptr;
  const std::int32_t status = library_.gc_run(address_of(call.data()));
  trace.print(plan_);
  if (status && HostCalls::part_failure()) std::rethrow_exception(std::exchange(HostCalls::part_failure(), nullptr));
  if (status) fail(error);
}

// Outputs whose sizes came out of the run lie in memory of the runtime's.
void Model::copy_outputs(const Frame& frame, Result& result) {
  const Word* slot = words_at(words_at(frame.handle)[L::FRAME_OUTPUTS]);
  for (std::size_t i = 0; i < result.outputs.size(); ++i, slot += L::SLOT_RECORD) {
    graphc_tensor& output = result.outputs[i];
    if (output.data) continue;
    output = slot_tensor(slot);
    output.dtype = in_memory(plan_.outputs[i].dtype);
    const std::size_t bytes = bytes_of(output);
    result.memory[i] = Block(host_, bytes);
    if (bytes) std::memcpy(result.memory[i].data(), output.data, bytes);
    output.data = result.memory[i].data();
  }
}

void Model::name_strings(RunStrings& strings, Result& result) const {
  for (std::size_t i = 0; i < result.outputs.size(); ++i)
    if (plan_.outputs[i].dtype == STRING) strings.name(result.outputs[i], result.memory[i]);
}

}  // namespace graphc_core
