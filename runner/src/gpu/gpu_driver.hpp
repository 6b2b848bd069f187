// The CUDA driver, and a GPU as one stream of one context. libcuda.so.1 is opened when the first model asks for a GPU, never
// otherwise; GRAPHC_LIBCUDA names another library (tests have a stand-in). As graphc/exec/cuda/driver.py in Python.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <sys/types.h>

namespace graphc_core {

using DeviceAddress = std::uint64_t;

// What it is called, and the types of its arguments: the functions of the driver that are used.
#define GRAPHC_CUDA(X)                                                                                        \
  X(cuInit, (unsigned))                                                                                       \
  X(cuDeviceGetCount, (int*))                                                                                 \
  X(cuDeviceGet, (int*, int))                                                                                 \
  X(cuDeviceGetName, (char*, int, int))                                                                       \
  X(cuDeviceGetAttribute, (int*, int, int))                                                                   \
  X(cuDevicePrimaryCtxRetain, (void**, int))                                                                  \
  X(cuCtxSetCurrent, (void*))                                                                                 \
  X(cuMemGetInfo_v2, (std::size_t*, std::size_t*))                                                            \
  X(cuModuleLoadDataEx, (void**, const void*, unsigned, int*, void**))                                        \
  X(cuModuleUnload, (void*))                                                                                  \
  X(cuModuleGetFunction, (void**, void*, const char*))                                                        \
  X(cuMemAlloc_v2, (DeviceAddress*, std::size_t))                                                             \
  X(cuMemFree_v2, (DeviceAddress))                                                                            \
  X(cuMemHostAlloc, (void**, std::size_t, unsigned))                                                          \
  X(cuMemFreeHost, (void*))                                                                                   \
  X(cuMemcpyHtoDAsync_v2, (DeviceAddress, const void*, std::size_t, void*))                                   \
  X(cuMemcpyDtoHAsync_v2, (void*, DeviceAddress, std::size_t, void*))                                         \
  X(cuMemcpyDtoDAsync_v2, (DeviceAddress, DeviceAddress, std::size_t, void*))                                 \
  X(cuMemsetD8Async, (DeviceAddress, unsigned char, std::size_t, void*))                                      \
  X(cuStreamCreate, (void**, unsigned))                                                                       \
  X(cuStreamSynchronize, (void*))                                                                             \
  X(cuStreamBeginCapture_v2, (void*, int))                                                                    \
  X(cuStreamEndCapture, (void*, void**))                                                                      \
  X(cuGraphInstantiateWithFlags, (void**, void*, unsigned long long))                                         \
  X(cuGraphLaunch, (void*, void*))                                                                            \
  X(cuGraphExecDestroy, (void*))                                                                              \
  X(cuGraphDestroy, (void*))                                                                                  \
  X(cuLaunchKernel, (void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**))

// GRAPHC_CALL(driver, cuMemFree_v2, address): throws Error if it fails; what is said names the function.
#define GRAPHC_CALL(driver, name, ...) (driver).check(#name, (driver).name(__VA_ARGS__))

struct Driver {
#define GRAPHC_MEMBER(name, parameters) int(*name) parameters = nullptr;
  GRAPHC_CUDA(GRAPHC_MEMBER)
#undef GRAPHC_MEMBER
  int (*cuGetErrorName)(int, const char**) = nullptr;

  // Throws RESOURCE_EXHAUSTED for CUDA's own, INTERNAL for any other.
  void check(const char* call, int status) const;
};

// A GPU. All work of the process goes into its stream, by one run at a time: the one that holds `mutex`.
class Gpu {
 public:
  // The GPU of that number, the same object each time. It is never closed: the driver goes with the process. Throws NOT_FOUND if
  // it is not there, UNIMPLEMENTED if the driver is too old.
  static Gpu& open(int number);

  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  // Makes this thread use the GPU. Throws FAILED_PRECONDITION in a forked child.
  void enter() const;
  // Whether it can be used: not in a forked child.
  bool usable() const;

  const Driver& driver() const { return driver_; }
  const std::string& name() const { return name_; }
  int compute() const { return compute_; }             // its compute capability, 90 for 9.0
  void* stream() const { return stream_; }

  DeviceAddress allocate(std::size_t bytes) const;     // throws RESOURCE_EXHAUSTED
  void upload(DeviceAddress target, const void* source, std::size_t bytes) const;
  void download(void* target, DeviceAddress source, std::size_t bytes) const;
  void wait() const { GRAPHC_CALL(driver_, cuStreamSynchronize, stream_); }
  // A module of PTX. Throws INTERNAL with what the driver's compiler says.
  void* load_module(const std::string& ptx) const;
  // What `work` puts into the stream, as a graph that can be launched; nothing runs.
  void* record(const std::function<void()>& work) const;
  void launch(void* graph) const { GRAPHC_CALL(driver_, cuGraphLaunch, graph, stream_); }

  std::mutex mutex;

 private:
  Gpu(const Driver& driver, int number);

  const Driver& driver_;
  pid_t process_;
  std::string name_;
  int compute_ = 0;
  void *context_ = nullptr, *stream_ = nullptr;
};

// Memory of a GPU, or of the host such as it can copy from and to.
class GpuBlock {
 public:
  GpuBlock() = default;
  GpuBlock(Gpu& gpu, std::size_t bytes) : gpu_(&gpu), address_(gpu.allocate(bytes)) {}
  GpuBlock(GpuBlock&& other) noexcept : gpu_(other.gpu_), address_(other.address_) { other.gpu_ = nullptr; }
  GpuBlock& operator=(GpuBlock&&) = delete;
  ~GpuBlock();
  DeviceAddress address() const { return address_; }

 private:
  Gpu* gpu_ = nullptr;
  DeviceAddress address_ = 0;
};

class PinnedBlock {
 public:
  PinnedBlock(Gpu& gpu, std::size_t bytes);
  PinnedBlock(const PinnedBlock&) = delete;
  PinnedBlock& operator=(const PinnedBlock&) = delete;
  ~PinnedBlock();
  char* data() const { return static_cast<char*>(data_); }

 private:
  Gpu& gpu_;
  void* data_ = nullptr;
};

}  // namespace graphc_core
