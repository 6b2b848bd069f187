#include "gpu_parts.hpp"

#include <algorithm>
#include <cstring>

#include "dtypes.hpp"
#include "error.hpp"
#include "host_calls.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;

void need(bool condition, const char* what) {
  if (!condition) damaged(what);
}

bool is_vector(const graphc_tensor& tensor) { return tensor.dtype == GRAPHC_INT64 && tensor.rank == 1; }

const GpuRun& run_of(const GpuPart& part, const graphc_tensor* told) {
  need(!told || is_vector(*told), "a part's sizes are no vector");
  const auto* words = told ? static_cast<const Word*>(told->data) : nullptr;
  const std::vector<Word> sizes(words, words + (told ? told->sizes[0] : 0));
  for (const GpuRun& run : part.runs)
    if (run.sizes == sizes) return run;
  throw_error(GRAPHC_INVALID_ARGUMENT, "a part of the GPU's code was not made for these sizes: " +
                                           shape_text(sizes.data(), sizes.size()));
}

bool has(const Ids& numbers, std::int32_t wanted) {
  for (const std::int32_t number : numbers)
    if (number == wanted) return true;
  return false;
}

// The memory of the run's that is this value, nullptr if nothing is done there.
const GpuMemory* memory_of(const GpuRun& run, GpuMemoryKind kind, std::size_t index) {
  for (const GpuMemory& memory : run.memory)
    if (memory.kind == kind && static_cast<std::size_t>(memory.index) == index) return &memory;
  return nullptr;
}

}  // namespace

class GpuWalk final : public DeviceWalk {
 public:
  explicit GpuWalk(GpuParts& parts) : parts_(parts), walking_(parts.walking_) { parts_.written_.clear(); }

  // What a run that failed has written counts only where nothing else has the value.
  ~GpuWalk() override {
    for (const std::int32_t state : parts_.written_)
      if (parts_.model_.variable(state).newest.get() != &parts_.model_.copy(state)) parts_.model_.copy(state).version = -1;
  }

  void succeeded() override {
    for (const std::int32_t state : parts_.written_) parts_.model_.written(state);
    parts_.written_.clear();
  }

 private:
  GpuParts& parts_;
  const std::lock_guard<std::mutex> walking_;
};

std::unique_ptr<DeviceWalk> GpuParts::begin(const std::vector<Word>& sizes) {
  model_.find_sizes(sizes);
  for (const std::int32_t state : model_.code().here) model_.values().bring_home(model_.variable(state));
  return std::make_unique<GpuWalk>(*this);
}

void GpuParts::call(std::size_t number, const std::vector<graphc_tensor>& given, HostRequest& request) {
  need(number < model_.code().parts.size(), "it calls a part that the GPU's code does not have");
  const GpuPart& part = model_.code().parts[number];
  need(given.size() >= part.told, "a part is not told its sizes");
  const GpuRun& run = run_of(part, part.told ? given.data() : nullptr);
  need(given.size() == part.told + run.uploads.size() + run.given.size() &&
           request.count == static_cast<Word>(run.downloads.size() + run.made.size()),
       "a part is called with another number of values");
  const graphc_tensor *values = given.data() + part.told, *vectors = values + run.uploads.size();
  const Ids variables = model_.variables_of(run);
  const std::lock_guard<std::mutex> guard(model_.gpu().mutex);
  model_.gpu().enter();
  Bound& there = bound(number);
  there.turn = part.repeats && !there.turn;
  Key key{&run - part.runs.data(), there.turn};
  for (std::size_t i = 0; i < run.given.size(); ++i) {
    need(is_vector(vectors[i]) && vectors[i].sizes[0] == static_cast<Word>(run.given[i].size() + 1), "a value on the GPU is no vector");
    const auto* words = static_cast<const Word*>(vectors[i].data);
    if (!std::equal(run.given[i].begin(), run.given[i].end(), words))
      throw_error(GRAPHC_INVALID_ARGUMENT, "a value that goes into a part on the GPU has shape " +
                                               shape_text(words, run.given[i].size()) + ", " +
                                               shape_text(run.given[i].data(), run.given[i].size()) + " is wanted");
    key.push_back(words[run.given[i].size()]);
  }
  GpuFrame& frame = frame_of(there, run, std::move(key));
  bool waits = !run.uploads.empty() || !run.downloads.empty();
  for (const std::int32_t state : variables)
    if (!has(written_, state)) waits = model_.copy(state).refresh(model_.variable(state)) || waits;
  fill(run, frame, values);
  model_.do_graphs(run, frame, waits);
  for (const std::int32_t state : run.writes)
    if (!has(written_, state)) written_.push_back(state);
  give(run, frame, there.made[there.turn], request);
}

// Blocks for the largest of what each run makes.
GpuParts::Bound& GpuParts::bound(std::size_t number) {
  if (!bound_) bound_ = std::make_unique<Bound[]>(model_.code().parts.size());
  Bound& found = bound_[number];
  const GpuPart& part = model_.code().parts[number];
  std::size_t count = 0;
  for (const GpuRun& run : part.runs) count = std::max(count, run.made.size());
  for (int turn = 0; turn < 1 + part.repeats; ++turn)
    for (std::size_t i = found.made[turn].size(); i < count; ++i) {
      Word bytes = 0;
      for (const GpuRun& run : part.runs)
        if (const GpuMemory* memory = memory_of(run, GpuMemoryKind::MADE, i)) bytes = std::max(bytes, memory->size);
      found.made[turn].emplace_back(model_.gpu(), static_cast<std::size_t>(bytes));
      blocks_.push_back(static_cast<Word>(found.made[turn].back().address()));
      blocks_.push_back(bytes);
    }
  return found;
}

// The frame of this key, made if it is not there.
GpuFrame& GpuParts::frame_of(Bound& bound, const GpuRun& run, Key key) {
  Bound::Kept* chosen = bound.frames;
  ++bound.calls;
  for (Bound::Kept& one : bound.frames) {
    if (one.frame && one.key == key) {
      one.used = bound.calls;
      return *one.frame;
    }
    if (one.used < chosen->used) chosen = &one;
  }
  if (chosen->frame) model_.gpu().wait();
  chosen->frame.reset();
  std::vector<DeviceAddress> lasting;
  for (const GpuMemory& memory : run.memory) {
    const auto index = static_cast<std::size_t>(memory.index);
    DeviceAddress address = model_.lasting_address(memory);
    if (memory.kind == GpuMemoryKind::MADE) address = bound.made[bound.turn][index].address();
    if (memory.kind == GpuMemoryKind::GIVEN) {
      address = static_cast<DeviceAddress>(key[2 + index]);
      need(room_at(key[2 + index]) >= memory.size, "a value on the GPU that no part has made");
    }
    lasting.push_back(address);
  }
  chosen->frame = std::make_unique<GpuFrame>(model_.gpu(), run, model_.modules(), lasting, model_.host());
  chosen->key = std::move(key);
  chosen->used = bound.calls;
  return *chosen->frame;
}

// The bytes of the block at an address, -1 if no part makes anything there.
Word GpuParts::room_at(Word address) const {
  for (std::size_t i = 0; i < blocks_.size(); i += 2)
    if (blocks_[i] == address) return blocks_[i + 1];
  return -1;
}

// What the host gives goes into the memory that is copied up.
void GpuParts::fill(const GpuRun& run, const GpuFrame& frame, const graphc_tensor* values) const {
  for (std::size_t i = 0; i < run.uploads.size(); ++i) {
    const Shape& shape = run.uploaded[i];
    need(static_cast<std::size_t>(values[i].rank) == shape.size() && std::equal(shape.begin(), shape.end(), values[i].sizes) &&
             bytes_of(values[i]) <= static_cast<std::size_t>(run.memory[0].size - run.uploads[i]),
         "a value of another shape goes into a part");
    if (const std::size_t bytes = bytes_of(values[i])) std::memcpy(frame.pinned() + run.uploads[i], values[i].data, bytes);
  }
}

// What the host gets: values, and the vectors of what is made for other parts.
void GpuParts::give(const GpuRun& run, const GpuFrame& frame, const std::vector<GpuBlock>& made, HostRequest& request) {
  for (std::size_t i = 0; i < run.downloads.size(); ++i) {
    graphc_tensor value = slot_tensor(words_at(request.slots[i]));
    value.rank = static_cast<std::int32_t>(run.downloaded[i].size());
    std::copy(run.downloaded[i].begin(), run.downloaded[i].end(), value.sizes);
    const std::size_t bytes = bytes_of(value);
    need(bytes <= static_cast<std::size_t>(run.memory[0].size - run.downloads[i]), "a value is larger than what comes from the GPU");
    void* target = make_host_output(request, static_cast<Word>(i), value.dtype, value.rank, value.sizes);
    need(target, "a part gives a value of another rank");
    if (bytes) std::memcpy(target, frame.pinned() + run.downloads[i], bytes);
  }
  for (std::size_t i = 0; i < run.made.size(); ++i) {
    Shape vector = run.made[i];
    vector.push_back(static_cast<Word>(made[i].address()));
    const auto length = static_cast<Word>(vector.size());
    void* target = make_host_output(request, static_cast<Word>(run.downloads.size() + i), GRAPHC_INT64, 1, &length);
    need(target, "a part gives what the plan does not take");
    std::memcpy(target, vector.data(), vector.size() * sizeof(Word));
  }
}

}  // namespace graphc_core
