// What a recorded run may be, given the plan that it is of: numbers name things that are there, and what is copied, cleared or
// given to a kernel begins inside its block of memory and, but for what a kernel does with it, stays there.
#include <algorithm>

#include "dtypes.hpp"
#include "error.hpp"
#include "graph_reader.hpp"
#include "gpu_code.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;

constexpr Word LARGEST = Word{1} << 46;                     // bytes of a block
constexpr Word MOST_THREADS = 1024, MOST_THREADS_DEEP = 64;  // of a block, and along its third axis
constexpr Word MOST_BLOCKS = INT32_MAX, MOST_BLOCKS_DEEP = 65535;
constexpr std::size_t MOST_WORDS = 512;                     // 4096 bytes of parameters

void need(bool condition, const char* what) {
  if (!condition) damaged(what);
}

template <class List>
bool has(const List& list, Word number) { return number >= 0 && static_cast<std::size_t>(number) < list.size(); }

class Checker {
 public:
  Checker(const GpuCode& code, const GpuRun& run, const Plan& plan, const Plan& whole)
      : code_(code), run_(run), plan_(plan), whole_(whole) {}

  void check(bool is_part) {
    need(!run_.memory.empty() && run_.memory[0].kind == GpuMemoryKind::BLOCK, "a run's first block of memory is of another kind");
    for (std::size_t i = 0; i < run_.memory.size(); ++i) check_memory(run_.memory[i], i);
    for (const auto* tasks : {&run_.first, &run_.second, &run_.undo})
      for (const GpuTask& task : *tasks) task.kind == GpuTaskKind::LAUNCH ? check_launch(task) : check_copy(task);
    is_part ? check_values() : check_ports();
    check_checks();
  }

 private:
  void check_memory(const GpuMemory& memory, std::size_t number) {
    need((memory.kind == GpuMemoryKind::BLOCK) == (number == 0), "a run has two blocks for the host");
    need(memory.size >= 0 && memory.size <= LARGEST, "the size of a block of memory");
    if (memory.kind == GpuMemoryKind::CONSTANT) need(has(plan_.constants, memory.index), "a constant that the plan does not have");
    if (memory.kind == GpuMemoryKind::STATE) need(has(plan_.states, memory.index), "a variable that the plan does not have");
    if (memory.kind == GpuMemoryKind::GIVEN) need(has(run_.given, memory.index), "a value that the part does not get");
    if (memory.kind == GpuMemoryKind::MADE) need(has(run_.made, memory.index), "a value that the part does not make");
    sizes_.push_back(memory_bytes(memory, plan_));
  }

  // Whether `count` bytes from there on are inside.
  void check_place(Word memory, Word offset, Word count) const {
    need(has(sizes_, memory), "a block of memory that the run does not have");
    const Word size = sizes_[static_cast<std::size_t>(memory)];
    need(offset >= 0 && offset <= size && count >= 0 && count <= size - offset, "a place outside its block of memory");
  }

  void check_written(Word memory) const {
    need(run_.memory[static_cast<std::size_t>(memory)].kind != GpuMemoryKind::CONSTANT, "a constant is written");
  }

  void check_copy(const GpuTask& task) const {
    const bool crosses = task.kind == GpuTaskKind::UPLOAD || task.kind == GpuTaskKind::DOWNLOAD;
    if (task.kind != GpuTaskKind::DOWNLOAD) {
      check_place(task.target, task.target_offset, task.count);
      check_written(task.target);
      need(!crosses || task.target == 0, "an upload to another block than the host's");
    }
    if (task.kind == GpuTaskKind::COPY || task.kind == GpuTaskKind::DOWNLOAD) {
      check_place(task.source, task.source_offset, task.count);
      need(!crosses || task.source == 0, "a download from another block than the host's");
    }
  }

  void check_launch(const GpuTask& task) const {
    need(has(code_.modules, task.module), "a module that the file does not have");
    need(!task.kernel.empty() && task.kernel.find('\0') == std::string::npos, "the name of a kernel");
    check_extents(task.grid, MOST_BLOCKS, MOST_BLOCKS_DEEP, MOST_BLOCKS_DEEP);
    check_extents(task.block, MOST_THREADS, MOST_THREADS, MOST_THREADS_DEEP);
    Word threads = 1;
    for (const Word extent : task.block) threads *= extent;
    need(threads <= MOST_THREADS, "more threads in a block than a GPU has");
    need(task.words.size() <= MOST_WORDS && task.words.size() == task.places.size(), "the parameters of a kernel");
    for (std::size_t i = 0; i < task.words.size(); ++i)
      if (task.places[i] != 0) check_place(Word{task.places[i]} - 1, task.words[i], 0);
  }

  static void check_extents(const std::vector<Word>& extents, Word first, Word second, Word third) {
    need(!extents.empty() && extents.size() <= 3, "a grid of more than three axes");
    const Word most[] = {first, second, third};
    for (std::size_t i = 0; i < extents.size(); ++i)
      need(extents[i] >= 1 && extents[i] <= most[i], "the size of a kernel's grid");
  }

  // Of the outputs only the run knows how many bytes they have.
  void check_ports() const {
    std::size_t axes = 0;
    for (const Port& input : plan_.inputs) axes += rank_of(input);
    need(run_.sizes.size() == axes, "it has another number of sizes than the inputs");
    need(run_.uploads.size() == plan_.inputs.size() + run_.counter, "it has another number of inputs than the plan");
    need(run_.downloads.size() == plan_.outputs.size(), "it has another number of outputs than the plan");
    if (run_.counter) check_place(0, run_.uploads[0], 2 * sizeof(Word));
    std::size_t at = 0;
    for (std::size_t i = 0; i < plan_.inputs.size(); ++i) {
      Tensor input{plan_.inputs[i].name, plan_.inputs[i].dtype, {}};
      for (std::size_t axis = 0; axis < rank_of(plan_.inputs[i]); ++axis) input.shape.push_back(run_.sizes[at++]);
      check_place(0, run_.uploads[i + run_.counter], static_cast<Word>(tensor_bytes(input)));
    }
    for (const Word offset : run_.downloads) check_place(0, offset, 0);
  }

  // How many bytes they have is known when the part is called.
  void check_values() const {
    need(run_.uploads.size() == run_.uploaded.size() && run_.downloads.size() == run_.downloaded.size() && !run_.counter,
         "it has another number of places than of values");
    for (const auto* offsets : {&run_.uploads, &run_.downloads})
      for (const Word offset : *offsets) check_place(0, offset, 0);
    for (const auto* shapes : {&run_.uploaded, &run_.given, &run_.made, &run_.downloaded})
      for (const Shape& shape : *shapes) {
        need(shape.size() <= static_cast<std::size_t>(layout::MAX_RANK), "a value of too many axes");
        for (const Word size : shape) need(size >= 0, "a value of a size below 0");
      }
  }

  void check_checks() const {
    const Word count = static_cast<Word>(run_.checks.size());
    need(run_.early >= 0 && run_.early <= count, "more early checks than checks");
    need(count <= LARGEST / 1024, "the number of checks");
    check_place(0, run_.check_place, count * static_cast<Word>(GPU_CHECK_WORDS * sizeof(Word)));
    need(run_.check_place % static_cast<Word>(sizeof(Word)) == 0, "checks that are not aligned");
    for (const GpuCheck& check : run_.checks) check_step(check.body, check.step);
    for (const GpuNeed& one : run_.needs) {
      check_step(one.body, one.step);
      need(has(plan_.states, one.state), "a variable that the plan does not have");
    }
    for (const std::int32_t state : run_.writes) need(has(plan_.states, state), "a variable that the plan does not have");
  }

  void check_step(Word body, Word step) const {
    need(has(whole_.bodies, body) && has(whole_.bodies[static_cast<std::size_t>(body)].steps, step),
         "a step that the plan does not have");
  }

  const GpuCode& code_;
  const GpuRun& run_;
  const Plan &plan_, &whole_;
  std::vector<Word> sizes_;
};

}  // namespace

Word memory_bytes(const GpuMemory& memory, const Plan& plan) {
  const auto index = static_cast<std::size_t>(memory.index);
  switch (memory.kind) {
    case GpuMemoryKind::CONSTANT: return static_cast<Word>(tensor_bytes(plan.constants[index]));
    case GpuMemoryKind::STATE: return static_cast<Word>(tensor_bytes(plan.states[index]));
    case GpuMemoryKind::FACTS: return static_cast<Word>(memory.facts.size());
    default: return memory.size;
  }
}

void check_code(const GpuCode& code, const Plan& plan, const Plan& whole) {
  for (const GpuRun& run : code.runs) Checker(code, run, plan, whole).check(false);
  for (const GpuPart& part : code.parts)
    for (const GpuRun& run : part.runs) Checker(code, run, plan, whole).check(true);
  std::size_t axes = 0;
  for (const Port& input : plan.inputs) axes += rank_of(input);
  for (const auto& sizes : code.sizes) need(sizes.size() == axes, "it has another number of sizes than the inputs");
  for (const std::int32_t state : code.here) need(has(plan.states, state), "a variable that the plan does not have");
}

}  // namespace graphc_core
