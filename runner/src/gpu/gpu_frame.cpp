#include "gpu_frame.hpp"

#include <algorithm>

#include "error.hpp"

namespace graphc_core {
namespace {

// More parameters than a kernel can have, each as large as the largest: the driver reads as many, and as much of each, as the
// kernel's text says, whatever the file gives. Those that it does not give are zeros.
constexpr std::size_t PARAMETERS = 32768;

std::size_t counted(Charge& charge, std::int64_t bytes) {
  charge.add(static_cast<std::size_t>(bytes));
  return static_cast<std::size_t>(bytes);
}

unsigned extent(const std::vector<std::int64_t>& extents, std::size_t axis) {
  return axis < extents.size() ? static_cast<unsigned>(extents[axis]) : 1u;
}

}  // namespace

GpuModules::~GpuModules() {
  if (!gpu_.usable()) return;
  try {
    gpu_.enter();
    for (void* module : modules_)
      if (module) gpu_.driver().cuModuleUnload(module);
  } catch (const Error&) {               // with a context that is lost
  }
}

void* GpuModules::kernel(const GpuTask& launch) {
  const auto number = static_cast<std::size_t>(launch.module);
  if (!modules_[number]) modules_[number] = gpu_.load_module(texts_[number]);
  void* found = nullptr;
  if (gpu_.driver().cuModuleGetFunction(&found, modules_[number], launch.kernel.c_str()))
    damaged("a module does not have the kernel " + launch.kernel);
  return found;
}

GpuFrame::GpuFrame(Gpu& gpu, const GpuRun& run, GpuModules& modules, const std::vector<DeviceAddress>& lasting,
                   const std::shared_ptr<HostTable>& host)
    : gpu_(gpu), charge_(host), pinned_(gpu, counted(charge_, run.memory[0].size)), addresses_(lasting) {
  for (std::size_t i = 0; i < run.memory.size(); ++i) {
    if (addresses_[i]) continue;
    const GpuMemory& memory = run.memory[i];
    const bool has_facts = memory.kind == GpuMemoryKind::FACTS;
    blocks_.emplace_back(gpu_, has_facts ? memory.facts.size() : static_cast<std::size_t>(memory.size));
    addresses_[i] = blocks_.back().address();
    if (has_facts) gpu_.upload(addresses_[i], memory.facts.data(), memory.facts.size());
  }
  gpu_.wait();                           // the facts are read until then
  try {
    first_ = graph_of(run.first, modules);
    if (!run.second.empty()) second_ = graph_of(run.second, modules);
    if (!run.undo.empty()) undo_ = graph_of(run.undo, modules);
  } catch (...) {
    for (void* graph : {first_, second_, undo_})
      if (graph) gpu_.driver().cuGraphExecDestroy(graph);
    throw;
  }
}

GpuFrame::~GpuFrame() {
  if (!gpu_.usable()) return;
  try {
    gpu_.enter();
    for (void* graph : {first_, second_, undo_})
      if (graph) gpu_.driver().cuGraphExecDestroy(graph);
  } catch (const Error&) {
  }
}

// Modules are loaded first, which must not happen while a stream records.
void* GpuFrame::graph_of(const std::vector<GpuTask>& tasks, GpuModules& modules) {
  std::vector<void*> kernels;
  for (const GpuTask& task : tasks) kernels.push_back(task.kind == GpuTaskKind::LAUNCH ? modules.kernel(task) : nullptr);
  return gpu_.record([&] {
    for (std::size_t i = 0; i < tasks.size(); ++i) submit(tasks[i], kernels[i]);
  });
}

void GpuFrame::submit(const GpuTask& task, void* kernel) const {
  const auto bytes = static_cast<std::size_t>(task.count);
  switch (task.kind) {
    case GpuTaskKind::LAUNCH: return launch(task, kernel);
    case GpuTaskKind::UPLOAD: return gpu_.upload(at(0, task.target_offset), pinned() + task.target_offset, bytes);
    case GpuTaskKind::DOWNLOAD: return gpu_.download(pinned() + task.source_offset, at(0, task.source_offset), bytes);
    case GpuTaskKind::COPY:
      if (bytes)
        GRAPHC_CALL(gpu_.driver(), cuMemcpyDtoDAsync_v2, at(task.target, task.target_offset), at(task.source, task.source_offset),
                    bytes, gpu_.stream());
      return;
    case GpuTaskKind::CLEAR:
      if (bytes) GRAPHC_CALL(gpu_.driver(), cuMemsetD8Async, at(task.target, task.target_offset), 0, bytes, gpu_.stream());
  }
}

void GpuFrame::launch(const GpuTask& task, void* kernel) const {
  std::vector<std::uint64_t> words(task.words.size() + PARAMETERS / sizeof(std::uint64_t) + 1, 0);
  std::vector<void*> parameters(PARAMETERS, &words[task.words.size()]);
  for (std::size_t i = 0; i < task.words.size(); ++i) {
    words[i] = task.places[i] ? at(task.places[i] - 1, task.words[i]) : static_cast<std::uint64_t>(task.words[i]);
    parameters[i] = &words[i];
  }
  GRAPHC_CALL(gpu_.driver(), cuLaunchKernel, kernel, extent(task.grid, 0), extent(task.grid, 1), extent(task.grid, 2),
              extent(task.block, 0), extent(task.block, 1), extent(task.block, 2), 0, gpu_.stream(), parameters.data(), nullptr);
}

void GpuFrame::do_graph(void* graph) const {
  gpu_.launch(graph);
  gpu_.wait();
}

}  // namespace graphc_core
