#include "gpu_driver.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "error.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

constexpr int OUT_OF_MEMORY = 2, NO_DEVICE = 100;
constexpr int LOST[] = {700, 702, 714, 715, 716, 717, 718, 719};        // the context cannot be used any more
constexpr int COMPUTE_MAJOR = 75, COMPUTE_MINOR = 76;                   // attributes of a device
constexpr unsigned NON_BLOCKING = 1;
constexpr int RELAXED = 2;
constexpr int ERROR_LOG = 5, ERROR_LOG_SIZE = 6;                        // options of a module's compiler
constexpr std::size_t LOG_BYTES = 8192;

void* find(void* library, const char* name) {
  if (void* found = dlsym(library, name)) return found;
  throw_error(GRAPHC_UNIMPLEMENTED, std::string("the CUDA driver of this machine is too old (it has no ") + name +
                                        "): it must be one for CUDA 11.4 or newer");
}

// Opened once; what fails is tried again, as a driver may come while a process runs.
const Driver& find_driver() {
  static const Driver* opened = nullptr;
  if (opened) return *opened;
  const char* given = std::getenv("GRAPHC_LIBCUDA");
  void* library = dlopen(given && *given ? given : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw_error(GRAPHC_NOT_FOUND, std::string("there is no CUDA driver on this machine (") + dlerror() + "): run on the CPU");
  auto made = std::make_unique<Driver>();
#define GRAPHC_FIND(name, parameters) made->name = reinterpret_cast<int(*) parameters>(find(library, #name));
  GRAPHC_CUDA(GRAPHC_FIND)
#undef GRAPHC_FIND
  made->cuGetErrorName = reinterpret_cast<int (*)(int, const char**)>(find(library, "cuGetErrorName"));
  const int status = made->cuInit(0);
  if (status != NO_DEVICE) made->check("cuInit", status);
  opened = made.release();
  return *opened;
}

int attribute(const Driver& driver, int number, int device) {
  int value = 0;
  GRAPHC_CALL(driver, cuDeviceGetAttribute, &value, number, device);
  return value;
}

}  // namespace

void Driver::check(const char* call, int status) const {
  if (!status) return;
  const char* name = nullptr;
  cuGetErrorName(status, &name);
  const std::string said = std::string(call) + ": " + (name ? name : "unknown error") + " (" + decimal(status) + ")";
  if (status == OUT_OF_MEMORY) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "the GPU has no memory left (" + said + ")");
  if (std::find(std::begin(LOST), std::end(LOST), status) != std::end(LOST))
    throw_error(GRAPHC_INTERNAL, said + ": a kernel failed, and the GPU's state is lost; the program has to be started anew. If the "
                                        "file with the GPU's code was made by `graphc gpu`, this is a bug of graphc");
  throw_error(GRAPHC_INTERNAL, said);
}

Gpu& Gpu::open(int number) {
  static std::mutex mutex;
  static auto* const all = new std::map<int, Gpu*>();          // never freed: models may be freed while the process ends
  const std::lock_guard<std::mutex> guard(mutex);
  Gpu*& found = (*all)[number];
  if (found) return *found;
  const Driver& cuda = find_driver();
  int count = 0;
  if (cuda.cuDeviceGetCount(&count)) count = 0;                // it fails if there is no GPU
  if (number < 0 || number >= count)
    throw_error(GRAPHC_NOT_FOUND, "there is no GPU " + decimal(number) + ": this machine has " + decimal(count) +
                                      (count ? ", numbered from 0 on" : ", as far as the driver shows them to this process"));
  found = new Gpu(cuda, number);
  return *found;
}

Gpu::Gpu(const Driver& driver, int number) : driver_(driver), process_(getpid()) {
  int device = 0;
  char name[256] = {};
  GRAPHC_CALL(driver_, cuDeviceGet, &device, number);
  GRAPHC_CALL(driver_, cuDeviceGetName, name, sizeof name - 1, device);
  name_ = name;
  compute_ = 10 * attribute(driver_, COMPUTE_MAJOR, device) + attribute(driver_, COMPUTE_MINOR, device);
  GRAPHC_CALL(driver_, cuDevicePrimaryCtxRetain, &context_, device);
  GRAPHC_CALL(driver_, cuCtxSetCurrent, context_);
  GRAPHC_CALL(driver_, cuStreamCreate, &stream_, NON_BLOCKING);
}

bool Gpu::usable() const { return process_ == getpid(); }

void Gpu::enter() const {
  if (!usable())
    throw_error(GRAPHC_FAILED_PRECONDITION, "the GPU was used before this process was forked, and CUDA does not work in a forked "
                                            "child: use it in the child only");
  GRAPHC_CALL(driver_, cuCtxSetCurrent, context_);
}

DeviceAddress Gpu::allocate(std::size_t bytes) const {
  DeviceAddress address = 0;
  const int status = driver_.cuMemAlloc_v2(&address, std::max<std::size_t>(bytes, 1));
  if (status == OUT_OF_MEMORY) {
    std::size_t unused = 0, all = 0;
    GRAPHC_CALL(driver_, cuMemGetInfo_v2, &unused, &all);
    throw_error(GRAPHC_RESOURCE_EXHAUSTED, "the GPU " + name_ + " has no memory for " + decimal(bytes) + " bytes more (" +
                                               decimal(unused) + " of " + decimal(all) +
                                               " are free): run smaller batches, or on the CPU");
  }
  driver_.check("cuMemAlloc", status);
  return address;
}

void Gpu::upload(DeviceAddress target, const void* source, std::size_t bytes) const {
  if (bytes) GRAPHC_CALL(driver_, cuMemcpyHtoDAsync_v2, target, source, bytes, stream_);
}

void Gpu::download(void* target, DeviceAddress source, std::size_t bytes) const {
  if (bytes) GRAPHC_CALL(driver_, cuMemcpyDtoHAsync_v2, target, source, bytes, stream_);
}

void* Gpu::load_module(const std::string& ptx) const {
  std::string log(LOG_BYTES, '\0');
  int options[] = {ERROR_LOG, ERROR_LOG_SIZE};
  void* values[] = {&log[0], reinterpret_cast<void*>(LOG_BYTES - 1)};
  void* module = nullptr;
  const int status = driver_.cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
  if (!status) return module;
  try {
    driver_.check("cuModuleLoadDataEx", status);
  } catch (const Error& error) {
    throw_error(error.code, std::string(error.what()) + "; the driver's compiler says: " +
                                (log[0] ? log.c_str() : "nothing") + " (GPU " + name_ + ", compute capability " +
                                decimal(compute_) + ")");
  }
  return nullptr;
}

void* Gpu::record(const std::function<void()>& work) const {
  void *graph = nullptr, *ready = nullptr;
  GRAPHC_CALL(driver_, cuStreamBeginCapture_v2, stream_, RELAXED);
  try {
    work();
  } catch (...) {
    driver_.cuStreamEndCapture(stream_, &graph);
    if (graph) driver_.cuGraphDestroy(graph);
    throw;
  }
  GRAPHC_CALL(driver_, cuStreamEndCapture, stream_, &graph);
  const int status = driver_.cuGraphInstantiateWithFlags(&ready, graph, 0);
  driver_.cuGraphDestroy(graph);
  driver_.check("cuGraphInstantiate", status);
  return ready;
}

// What cannot be freed is gone with the process, or with a context that is lost.
GpuBlock::~GpuBlock() {
  if (!gpu_ || !gpu_->usable()) return;
  try {
    gpu_->enter();
    gpu_->driver().cuMemFree_v2(address_);
  } catch (const Error&) {
  }
}

PinnedBlock::PinnedBlock(Gpu& gpu, std::size_t bytes) : gpu_(gpu) {
  GRAPHC_CALL(gpu.driver(), cuMemHostAlloc, &data_, std::max<std::size_t>(bytes, 1), 0);
}

PinnedBlock::~PinnedBlock() {
  if (!gpu_.usable()) return;
  try {
    gpu_.enter();
    gpu_.driver().cuMemFreeHost(data_);
  } catch (const Error&) {
  }
}

}  // namespace graphc_core
