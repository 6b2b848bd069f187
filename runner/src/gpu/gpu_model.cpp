#include "gpu_model.hpp"

#include <algorithm>
#include <cstring>

#include "dtypes.hpp"
#include "error.hpp"
#include "message.hpp"
#include "read_file.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t MOST_LISTED = 8;      // sets of sizes, in an error

GpuCode read_code(const DeviceRequest& request, Charge& charge) {
  const Block file = read_file(request.code, request.host);
  return in_file(request.code, [&] {
    try {
      return read_gpu_code({file.data(), file.bytes()}, request.saved, charge);
    } catch (const Error& error) {
      if (error.code == GRAPHC_DATA_LOSS) throw;
      throw_error(error.code, request.code + ": " + error.what());
    }
  });
}

}  // namespace

void GpuVariable::bring_home(char* target) {
  const std::lock_guard<std::mutex> guard(gpu_.mutex);
  gpu_.enter();
  gpu_.download(target, block_.address(), bytes_);
  gpu_.wait();
}

bool GpuVariable::refresh(const Variable& variable) {
  if (version == variable.version()) return false;
  gpu_.upload(block_.address(), variable.value.data(), bytes_);
  version = variable.version();
  return true;
}

GpuModel::GpuModel(const DeviceRequest& request)
    : host_(request.host), path_(request.code), number_(request.number), charge_(request.host), code_(read_code(request, charge_)),
      saved_(code_.walk.empty() ? Plan() : read_plan(request.saved.plan, charge_)) {}

void GpuModel::open(const Plan& plan, const std::vector<Word>& constants, const std::shared_ptr<Values>& values) {
  plan_ = &plan;
  constants_ = &constants;
  values_ = values;
  in_file(path_, [&] { check_code(code_, plan, code_.walk.empty() ? plan : saved_); });
  Gpu& gpu = Gpu::open(number_);
  if (code_.compute > gpu.compute())
    throw_error(GRAPHC_UNIMPLEMENTED, path_ + " needs a GPU of compute capability " + decimal(code_.compute) +
                                          " at least; " + gpu.name() + " has " + decimal(gpu.compute()) +
                                          ": make it with `graphc gpu --compute " + decimal(gpu.compute()) + "`");
  modules_ = std::make_unique<GpuModules>(gpu, code_.modules);
  gpu_ = &gpu;
  const std::lock_guard<std::mutex> guard(gpu.mutex);
  gpu.enter();
  for (const Tensor& state : plan.states) {
    Variable& variable = values_->variable(state, host_);
    variables_.push_back(&variable);
    copies_.push_back(std::static_pointer_cast<GpuVariable>(values_->copy_on(variable, number_, [&] {
      return std::make_shared<GpuVariable>(gpu, variable.value.bytes());
    })));
  }
}

std::size_t GpuModel::find_sizes(const std::vector<Word>& sizes) const {
  std::vector<Word> given;
  for (std::size_t i = 0; i < plan_->inputs.size(); ++i)
    given.insert(given.end(), &sizes[8 * i], &sizes[8 * i] + rank_of(plan_->inputs[i]));
  for (std::size_t number = 0; number < code_.sizes.size(); ++number)
    if (code_.sizes[number] == given) return number;
  refuse_sizes(given);
}

void GpuModel::refuse_sizes(const std::vector<Word>& sizes) const {
  std::string there;
  for (std::size_t i = 0; i < code_.sizes.size() && i < MOST_LISTED; ++i) there += "\n  " + sizes_text(code_.sizes[i]);
  if (code_.sizes.size() > MOST_LISTED) there += "\n  and " + decimal(code_.sizes.size() - MOST_LISTED) + " more";
  throw_error(GRAPHC_INVALID_ARGUMENT, "the GPU's code was not made for inputs of these sizes: " + sizes_text(sizes) +
                                           "\nit was made for" + (there.empty() ? " none" : there) +
                                           "\n`graphc gpu --shapes` makes it for others");
}

std::string GpuModel::sizes_text(const std::vector<Word>& sizes) const {
  std::string text;
  std::size_t at = 0;
  for (const Port& input : plan_->inputs) {
    text += (text.empty() ? "" : ", ") + input.name + " " + shape_text(sizes.data() + at, rank_of(input));
    at += rank_of(input);
  }
  return text.empty() ? "no inputs" : text;
}

Ids GpuModel::variables_of(const GpuRun& run) const {
  Ids found;
  for (const GpuMemory& memory : run.memory) {
    if (memory.kind != GpuMemoryKind::STATE) continue;
    found.push_back(memory.index);
    if (copy(memory.index).version != variable(memory.index).version()) values_->bring_home(variable(memory.index));
  }
  return found;
}

DeviceAddress GpuModel::lasting_address(const GpuMemory& memory) {
  if (memory.kind == GpuMemoryKind::STATE) return copy(memory.index).address();
  if (memory.kind != GpuMemoryKind::CONSTANT) return 0;
  const auto found = constant_blocks_.find(memory.index);
  if (found != constant_blocks_.end()) return found->second.address();
  const auto bytes = static_cast<std::size_t>(memory_bytes(memory, *plan_));
  GpuBlock block(*gpu_, bytes);
  gpu_->upload(block.address(), reinterpret_cast<const void*>((*constants_)[static_cast<std::size_t>(memory.index)]), bytes);
  gpu_->wait();
  return constant_blocks_.emplace(memory.index, std::move(block)).first->second.address();
}

void GpuModel::do_graphs(const GpuRun& run, const GpuFrame& frame, bool waits) const {
  frame.do_first(waits || !run.checks.empty());
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
}

void GpuModel::look_at_checks(const GpuRun& run, const GpuFrame& frame, std::size_t count) const {
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

void GpuModel::written(std::int32_t state) {
  values_->written_elsewhere(variable(state), copies_[static_cast<std::size_t>(state)]);
  copy(state).version = variable(state).version();
}

// words: those of a check; nullptr: none.
void GpuModel::fail(Word status, Word body, Word step, const Word* words) const {
  Word record[L::ERROR_WORDS] = {};
  record[L::ERROR_CODE] = status;
  record[L::ERROR_BODY] = body;
  record[L::ERROR_STEP] = step;
  if (words) {
    record[L::ERROR_A] = words[1];
    record[L::ERROR_B] = words[2];
    std::copy(words + 3, words + GPU_CHECK_WORDS, record + L::ERROR_DETAIL);
  }
  throw run_error(code_.walk.empty() ? *plan_ : saved_, record, "", host_->state());
}

}  // namespace graphc_core
