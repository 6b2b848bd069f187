// A file of code for a GPU, as read (proto/gpu_code.proto). What it says of memory is checked against a plan by `check_run`.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"
#include "plan.hpp"

namespace graphc_core {

constexpr std::size_t GPU_CHECK_WORDS = 3 + layout::DETAIL_WORDS;      // of each check, in block 0

enum class GpuMemoryKind : std::int32_t { BLOCK, ROOM, FACTS, CONSTANT, STATE, GIVEN, MADE };
enum class GpuTaskKind : std::int32_t { LAUNCH, COPY, CLEAR, UPLOAD, DOWNLOAD };

struct GpuMemory {
  GpuMemoryKind kind = GpuMemoryKind::BLOCK;
  std::int64_t size = 0;
  std::int32_t index = 0;
  std::string facts;
};

struct GpuTask {
  GpuTaskKind kind = GpuTaskKind::LAUNCH;
  std::int32_t module = 0;
  std::string kernel;
  std::vector<std::int64_t> grid, block, words;
  Ids places;
  std::int32_t target = 0, source = 0;
  std::int64_t target_offset = 0, source_offset = 0, count = 0;
};

struct GpuCheck {
  std::int32_t status = 0, body = 0, step = 0;
  bool range = false;
  std::int64_t size = 0;
};

struct GpuNeed { std::int32_t state = 0, body = 0, step = 0; };

struct GpuRun {
  std::vector<std::int64_t> sizes, uploads, downloads;
  std::vector<GpuMemory> memory;
  std::vector<GpuTask> first, second, undo;
  std::vector<GpuCheck> checks;
  std::int32_t early = 0;
  std::int64_t check_place = 0;
  bool counter = false;
  std::vector<GpuNeed> needs;
  Ids writes;
  std::vector<Shape> uploaded, given, made, downloaded;      // of a part
};

struct GpuPart {
  bool told = false, repeats = false;
  std::vector<GpuRun> runs;
};

// Of one signature, whose plan the GPU does alone (runs), or of which it does parts.
struct GpuCode {
  std::int32_t compute = 0;
  std::vector<std::string> modules;
  std::vector<GpuRun> runs;
  std::string walk;                    // the plan for the host, to be read by read_plan; "": there is none
  std::vector<GpuPart> parts;
  Ids here;
  std::vector<std::vector<std::int64_t>> sizes;              // of the inputs: those for which there is code
};

// What the file has for a signature's plan. saved: the plan in the model, whose hash must be the file's. Counts what it takes.
// Throws DATA_LOSS, NOT_FOUND if the signature is not in the file, FAILED_PRECONDITION if it was made of another model.
GpuCode read_gpu_code(std::string_view file, const SavedPlan& saved, Charge& charge);

// Throws DATA_LOSS if something in a run is not there, or reaches out of the memory that it is in; what kernels do with what they
// are given is their own. What goes into a part and comes out is checked when it is called.
// plan: what the model runs; whole: the file's, whose steps the checks are of.
void check_code(const GpuCode& code, const Plan& plan, const Plan& whole);

// The bytes of a block of memory.
std::int64_t memory_bytes(const GpuMemory& memory, const Plan& plan);

// How many sizes of the run's are those of an input.
inline std::size_t rank_of(const Port& input) { return input.shape.size(); }

}  // namespace graphc_core
