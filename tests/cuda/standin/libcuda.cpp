// A libcuda.so.1 for machines without a GPU: the functions that graphc calls. Kernels are code for the host, which the
// tests make of a module's PTX (standin_compile_with). What a GPU would do wrong in silence is an error here: copies
// that leave an allocation, memory used after it was freed, waits and loads while a stream records.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "launch.h"
#include "memory.h"
#include "stream.h"

using namespace standin;

namespace {

enum Status {
  success = 0, invalid_value = 1, out_of_memory = 2, not_initialized = 3, invalid_device = 101, invalid_context = 201,
  no_binary = 209, invalid_ptx = 218, invalid_handle = 400, not_found = 500, not_ready = 600, too_many_resources = 701,
  not_permitted_in_capture = 900, invalidated_capture = 901
};

struct Module {
  std::vector<std::unique_ptr<Kernel>> kernels;
  std::string complaint;
};

using Compile = int (*)(const char* text, void* module);

std::recursive_mutex lock;
Compile compile;
std::map<std::string, long> counts;
thread_local void* current;
int contexts[8];

int number_of(const char* name, int otherwise) {
  const char* given = getenv(name);
  return given ? atoi(given) : otherwise;
}

int devices() { return number_of("GRAPHC_STANDIN_DEVICES", 1); }
int compute() { return number_of("GRAPHC_STANDIN_COMPUTE", 75); }
int most_shared() { return compute() >= 90 ? 232448 : 65536; }     // bytes of a block that asks for them

// What every call that concerns a context looks at first.
int entered() { return broken() ? broken() : current ? success : invalid_context; }

int stream_device(void* stream) { return stream ? static_cast<Stream*>(stream)->device : -1; }
bool records(void* stream) { return static_cast<Stream*>(stream)->records; }

int wrong(int status, const std::string& what) {
  fprintf(stderr, "stand-in for libcuda: %s\n", what.c_str());
  break_with(status, what);
  return status;
}

int device_of(void* context) { return int(static_cast<int*>(context) - contexts); }

// A copy whose ends are looked at when it happens: graphs may be launched when their memory is gone.
// into, out_of: the devices of its ends, -1: the host.
int copy_later(void* stream, uintptr_t to, uintptr_t from, size_t count, int into, int out_of, const char* what) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  if (!stream) return wrong(invalid_value, std::string(what) + " in the null stream");
  if (!count) return success;
  put(*static_cast<Stream*>(stream), [=] {
    counts[what]++;
    counts[std::string(what) + " bytes"] += long(count);
    if (into >= 0 && !inside(to, count, Kind::device, into))
      return wrong(700, std::string(what) + " of " + std::to_string(count) + " bytes to " + describe(to));
    if (out_of >= 0 && !inside(from, count, Kind::device, out_of))
      return wrong(700, std::string(what) + " of " + std::to_string(count) + " bytes from " + describe(from));
    memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), count);
    return int(success);
  });
  return success;
}

int waited(void* stream, const char* what) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  if (records(stream)) return wrong(not_permitted_in_capture, std::string(what) + " while the stream records");
  counts["wait"]++;
  return finish(*static_cast<Stream*>(stream));
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

extern "C" {

// The tests' side: see stand_in_driver.py.

void standin_compile_with(Compile made) { compile = made; }

void standin_add_kernel(void* module, const char* name, void* code, const unsigned* sizes, int parameters,
                        size_t shared, unsigned most_threads, int together) {
  static_cast<Module*>(module)->kernels.push_back(std::make_unique<Kernel>(Kernel{
      name, reinterpret_cast<Code>(code), std::vector<unsigned>(sizes, sizes + parameters), shared, most_threads,
      together != 0}));
}

void standin_refuse(void* module, const char* why) { static_cast<Module*>(module)->complaint = why; }
long standin_count(const char* what) { return counts[what]; }
long standin_allocations() { return long(allocations()); }
const char* standin_complaint() { return complaint().c_str(); }
void standin_mend() { mend(); }

// The driver's

int cuGetErrorName(int status, const char** name) {
  static const std::map<int, const char*> names = {
      {success, "CUDA_SUCCESS"}, {invalid_value, "CUDA_ERROR_INVALID_VALUE"}, {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {not_initialized, "CUDA_ERROR_NOT_INITIALIZED"}, {invalid_device, "CUDA_ERROR_INVALID_DEVICE"},
      {invalid_context, "CUDA_ERROR_INVALID_CONTEXT"}, {no_binary, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
      {invalid_ptx, "CUDA_ERROR_INVALID_PTX"}, {invalid_handle, "CUDA_ERROR_INVALID_HANDLE"},
      {not_found, "CUDA_ERROR_NOT_FOUND"}, {not_ready, "CUDA_ERROR_NOT_READY"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
      {too_many_resources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"}, {716, "CUDA_ERROR_MISALIGNED_ADDRESS"},
      {719, "CUDA_ERROR_LAUNCH_FAILED"}, {not_permitted_in_capture, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
      {invalidated_capture, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"}};
  auto found = names.find(status);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? invalid_value : success;
}

int cuGetErrorString(int status, const char** text) {
  if (status && status == broken()) {
    *text = complaint().c_str();
    return success;
  }
  return cuGetErrorName(status, text);
}

int cuInit(unsigned) {
  const int fails = number_of("GRAPHC_STANDIN_INIT", success);
  return fails ? fails : devices() ? success : 100;
}
int cuDriverGetVersion(int* version) { return *version = 13000, success; }
int cuDeviceGetCount(int* count) { return *count = devices(), success; }
int cuDeviceGet(int* device, int number) { return *device = number, number < devices() ? success : invalid_device; }
int cuDeviceGetName(char* name, int room, int) { return snprintf(name, size_t(room), "stand-in"), success; }
int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = device_bytes(), success; }

int cuDeviceGetAttribute(int* value, int attribute, int) {
  const std::map<int, int> values = {{1, 1024}, {8, 49152}, {10, 32}, {16, 2}, {39, 1024}, {81, 65536}, {97, most_shared()},
                                            {13, 1000000}, {36, 1000000}, {37, 128}};
  auto found = values.find(attribute);
  *value = attribute == 75 ? compute() / 10 : attribute == 76 ? compute() % 10 : found == values.end() ? 0 : found->second;
  return success;
}

int cuDevicePrimaryCtxRetain(void** context, int device) { return *context = &contexts[device], success; }
int cuDevicePrimaryCtxRelease(int) { return success; }
int cuCtxSetCurrent(void* context) { return current = context, success; }
int cuCtxGetCurrent(void** context) { return *context = current, success; }

int cuCtxSynchronize() {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  return finish_all();
}

int cuMemGetInfo_v2(size_t* unused, size_t* all) {
  std::lock_guard guard(lock);
  *all = device_bytes();
  *unused = *all - bytes_in_use();
  return entered();
}

// Memory

int cuMemAlloc_v2(uintptr_t* address, size_t count) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  if (!count) return invalid_value;
  counts["allocation"]++;
  *address = allocate(count, Kind::device, device_of(current));
  return *address ? success : out_of_memory;
}

int cuMemHostAlloc(uintptr_t* address, size_t count, unsigned) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  *address = allocate(count, Kind::pinned, 0);
  return *address ? success : out_of_memory;
}

static int freed(uintptr_t address, Kind kind, const char* what) {
  std::lock_guard guard(lock);
  if (broken()) return broken();
  finish_all();                        // freeing waits for the device
  std::string beside;
  if (!release(address, kind, beside)) return wrong(invalid_value, std::string(what) + " of " + describe(address));
  return beside.empty() ? success : wrong(700, beside);
}

int cuMemFree_v2(uintptr_t address) { return freed(address, Kind::device, "cuMemFree"); }
int cuMemFreeHost(uintptr_t address) { return freed(address, Kind::pinned, "cuMemFreeHost"); }

int cuMemcpyHtoDAsync_v2(uintptr_t to, uintptr_t from, size_t count, void* stream) {
  return copy_later(stream, to, from, count, stream_device(stream), -1, "upload");
}
int cuMemcpyDtoHAsync_v2(uintptr_t to, uintptr_t from, size_t count, void* stream) {
  return copy_later(stream, to, from, count, -1, stream_device(stream), "download");
}
int cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t count, void* stream) {
  return copy_later(stream, to, from, count, stream_device(stream), stream_device(stream), "copy");
}

// From the memory of one device to that of another.
int cuMemcpyPeerAsync(uintptr_t to, void* into, uintptr_t from, void* out_of, size_t count, void* stream) {
  if (!into || !out_of || into == out_of) return wrong(invalid_context, "a copy between devices within one");
  return copy_later(stream, to, from, count, device_of(into), device_of(out_of), "peer");
}

int cuMemsetD8Async(uintptr_t to, unsigned char value, size_t count, void* stream) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  put(*static_cast<Stream*>(stream), [=, device = stream_device(stream)] {
    counts["clear"]++;
    if (!inside(to, count, Kind::device, device)) return wrong(700, "a memset of " + std::to_string(count) + " bytes at " + describe(to));
    memset(reinterpret_cast<void*>(to), value, count);
    return int(success);
  });
  return success;
}

// Streams, events, graphs

int cuStreamCreate(void** stream, unsigned) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  Stream& made = make_stream();
  made.device = device_of(current);
  return *stream = &made, success;
}

int cuStreamDestroy_v2(void* stream) {
  std::lock_guard guard(lock);
  drop_stream(static_cast<Stream*>(stream));
  return broken();
}

int cuStreamSynchronize(void* stream) { return waited(stream, "cuStreamSynchronize"); }

int cuStreamQuery(void* stream) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  return static_cast<Stream*>(stream)->queue.empty() ? success : not_ready;
}

int cuStreamBeginCapture_v2(void* stream, int) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  if (records(stream)) return invalid_value;
  static_cast<Stream*>(stream)->records = true;
  return success;
}

int cuStreamEndCapture(void* stream, void** graph) {
  std::lock_guard guard(lock);
  Stream& from = *static_cast<Stream*>(stream);
  if (!from.records) return invalid_value;
  from.records = false;
  if (broken() == not_permitted_in_capture) {        // which it has spoilt
    from.recorded.clear();
    return *graph = nullptr, invalidated_capture;
  }
  *graph = new Graph{std::move(from.recorded)};
  from.recorded.clear();
  return broken();
}

int cuGraphInstantiateWithFlags(void** ready, void* graph, unsigned long long) {
  return *ready = new Graph(*static_cast<Graph*>(graph)), success;
}

int cuGraphDestroy(void* graph) { return delete static_cast<Graph*>(graph), success; }
int cuGraphExecDestroy(void* graph) { return delete static_cast<Graph*>(graph), success; }

int cuGraphLaunch(void* graph, void* stream) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  counts["graph"]++;
  put(*static_cast<Stream*>(stream), [work = static_cast<Graph*>(graph)->work] {
    for (const Work& piece : work)
      if (int status = piece()) return status;
    return int(success);
  });
  return success;
}

int cuEventCreate(void** event, unsigned) { return *event = new Event, success; }
// What waits in a stream may still note its time.
int cuEventDestroy_v2(void* event) {
  static std::vector<std::unique_ptr<Event>> destroyed;
  destroyed.emplace_back(static_cast<Event*>(event));
  return success;
}

int cuEventRecord(void* event, void* stream) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  auto& of = *static_cast<Event*>(event);
  auto& in = *static_cast<Stream*>(stream);
  if (in.records) return wrong(not_permitted_in_capture, "cuEventRecord while the stream records");
  put(in, [&of] { return of.time = seconds(), int(success); });
  of.stream = &in;
  of.after = in.put();
  return success;
}

// Into a graph: the time is noted whenever that runs.
int cuEventRecordWithFlags(void* event, void* stream, unsigned flags) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  auto& in = *static_cast<Stream*>(stream);
  if (flags != 1 || !in.records) return wrong(invalid_value, "an event that is not recorded into a graph");
  put(in, [of = static_cast<Event*>(event)] { return of->time = seconds(), int(success); });
  return success;
}

int cuEventSynchronize(void* event) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  auto& of = *static_cast<Event*>(event);
  return of.stream ? finish(*of.stream, of.after) : int(success);
}

int cuEventQuery(void* event) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  auto& of = *static_cast<Event*>(event);
  return !of.stream || of.stream->done >= of.after ? success : not_ready;
}

int cuEventElapsedTime(float* milliseconds, void* begin, void* end) {
  *milliseconds = float(1e3 * (static_cast<Event*>(end)->time - static_cast<Event*>(begin)->time));
  return broken();
}

int cuStreamWaitEvent(void* stream, void* event, unsigned) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  Event of = *static_cast<Event*>(event);
  put(*static_cast<Stream*>(stream), [of] { return of.stream ? finish(*of.stream, of.after) : int(success); });
  return success;
}

// Code

static void write_log(unsigned count, const int* options, void** values, const std::string& text) {
  char* room = nullptr;
  size_t size = 0;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == 5) room = static_cast<char*>(values[i]);
    if (options[i] == 6) size = reinterpret_cast<size_t>(values[i]);
  }
  if (room && size) snprintf(room, size, "%s", text.c_str());
}

int cuModuleLoadDataEx(void** module, const char* text, unsigned count, int* options, void** values) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  counts["module"]++;
  int target = 0;
  const char* line = strstr(text, ".target sm_");
  if (!line || sscanf(line, ".target sm_%d", &target) != 1) return invalid_ptx;
  bool exactly = line[strlen(".target sm_") + std::to_string(target).size()] == 'a';
  if (target > compute() || (exactly && target != compute())) {
    write_log(count, options, values, "made for sm_" + std::to_string(target) + (exactly ? "a" : ""));
    return no_binary;
  }
  auto made = std::make_unique<Module>();
  if (!compile || compile(text, made.get())) {
    write_log(count, options, values, compile ? made->complaint : "nothing compiles here");
    return invalid_ptx;
  }
  *module = made.release();
  return success;
}

int cuModuleUnload(void* module) { return delete static_cast<Module*>(module), success; }

int cuModuleGetFunction(void** function, void* module, const char* name) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  for (auto& kernel : static_cast<Module*>(module)->kernels)
    if (kernel->name == name) return *function = kernel.get(), success;
  return not_found;
}

int cuFuncSetAttribute(void* function, int attribute, int value) {
  constexpr int most_dynamic_shared = 8;
  if (attribute == most_dynamic_shared) {
    if (value > most_shared()) return invalid_value;
    static_cast<Kernel*>(function)->most_dynamic = size_t(value);
  }
  return success;
}

int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned threads_y,
                   unsigned threads_z, unsigned dynamic, void* stream, void** parameters, void** extra) {
  std::lock_guard guard(lock);
  if (int status = entered()) return status;
  const Kernel& kernel = *static_cast<Kernel*>(function);
  if (!x || !y || !z || y > 65535 || z > 65535 || !threads || threads > 1024 || threads_y != 1 || threads_z != 1 || extra)
    return wrong(invalid_value, "a launch of " + kernel.name + " with a grid or block that is not allowed here");
  if (kernel.most_threads && threads > kernel.most_threads)
    return wrong(too_many_resources, kernel.name + " is for blocks of " + std::to_string(kernel.most_threads));
  if (kernel.shared + dynamic > 49152 && dynamic > kernel.most_dynamic)
    return wrong(invalid_value, kernel.name + " wants more shared memory than there is");
  Launch launch{&kernel, {x, y, z}, threads, dynamic, {}};
  for (size_t i = 0; i < kernel.sizes.size(); i++) {   // each begins at a word of its own
    size_t at = launch.words.size();
    launch.words.resize(at + (kernel.sizes[i] + 7) / 8);
    memcpy(&launch.words[at], parameters[i], kernel.sizes[i]);
  }
  put(*static_cast<Stream*>(stream), [launch, device = stream_device(stream)] {
    counts["launch"]++;
    std::string said;
    if (devices() > 1) shield_others(device);
    int status = run(launch, said);
    if (devices() > 1) shield_others(-1);
    return status ? wrong(status, said) : status;
  });
  return success;
}

}  // extern "C"
