#include "frames.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "dtypes.hpp"
#include "host_calls.hpp"
#include "message.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t MOST_IDLE_FRAMES = 16;
constexpr Word MOST_FRAME_BYTES = 256 << 20;   // of all frames, for one to be made that is not needed: binding is quicker than running

}  // namespace

Frames::Frames(const Library& library, std::shared_ptr<HostTable> host, const Plan& plan)
    : library_(library), host_(std::move(host)), plan_(plan) {}

void Frames::close_all() {
  for (const Frame& frame : idle_) close(frame);
  idle_.clear();
}

// What the runtime has allocated for frames: all but packed copies, and what there was before the first frame.
Word Frames::bytes(Word model) const {
  return host_->used() - bytes_before_ - words_at(words_at(model)[L::MODEL_STORE])[L::STORE_TAKEN];
}

// The idle frame of these sizes; if there are many of others, or large ones, the one used longest ago.
Frame Frames::idle_or_none(Word model, const std::vector<Word>& sizes) {
  Frame frame;
  const std::lock_guard<std::mutex> guard(mutex_);
  auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Frame& f) { return f.bound && f.sizes == sizes; });
  const bool enough = idle_.size() >= MOST_IDLE_FRAMES || (!idle_.empty() && bytes(model) > MOST_FRAME_BYTES);
  if (found == idle_.rend() && enough) found = std::prev(idle_.rend());
  if (found != idle_.rend()) {
    frame = std::move(*found);
    idle_.erase(std::next(found).base());
  }
  return frame;
}

Frame Frames::take(Word model, const std::vector<Word>& sizes) {
  Frame frame = idle_or_none(model, sizes);
  Word error[L::ERROR_WORDS] = {};
  if (!frame.handle) frame.handle = library_.gc_frame_open(model, address_of(error));
  if (!frame.handle) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for a run: " + host_->state());
  if (frame.bound && frame.sizes == sizes) return frame;
  if (library_.gc_frame_size(frame.handle, address_of(sizes.data()), address_of(error))) {
    close(frame);
    throw run_error(plan_, error, HostCalls::message(), host_->state());
  }
  frame.sizes = sizes;
  frame.bound = true;
  note_outputs(frame);
  return frame;
}

// Shapes of the outputs as gc_frame_size left them: a run writes the shapes that it makes into the same table.
void Frames::note_outputs(Frame& frame) const {
  frame.outputs.clear();
  const Word* slot = words_at(words_at(frame.handle)[L::FRAME_OUTPUTS]);
  for (std::size_t i = 0; i < plan_.outputs.size(); ++i, slot += L::SLOT_RECORD) {
    graphc_tensor output{};
    output.rank = -1;
    if (slot[L::SLOT_RANK] >= 0) output = slot_tensor(slot);
    output.dtype = in_memory(plan_.outputs[i].dtype);
    output.data = nullptr;
    frame.outputs.push_back(output);
  }
}

void Frames::give_back(Frame frame) {
  Frame oldest;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    idle_.push_back(std::move(frame));
    if (idle_.size() > MOST_IDLE_FRAMES) {
      oldest = std::move(idle_.front());
      idle_.erase(idle_.begin());
    }
  }
  if (oldest.handle) close(oldest);
}

}  // namespace graphc_core
