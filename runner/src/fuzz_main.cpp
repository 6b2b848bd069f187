// Loads and runs each file given, with inputs made of its own description: `graphc-fuzz [--limit BYTES] [--peak] FILES`. A file that
// ends in ".index" is a checkpoint's, which the model before it restores, and saves if that went well; one in ".gpu" code for a GPU,
// with which the model before it is loaded again: without a GPU that fails after all checks. Meant to be
// built with -DGRAPHC_SANITIZE=ON: whatever a file says, the outcome is an answer or an error, which is printed. --peak also
// prints how many kilobytes of memory it took at most.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dtypes.hpp"
#include "graphc.h"

namespace {

constexpr std::int64_t MEMORY_LIMIT = std::int64_t{256} << 20;
constexpr char INDEX[] = ".index", CODE[] = ".gpu";
constexpr int LONGEST_RUN = 1;                                 // seconds
constexpr std::int64_t MOST_BYTES = std::int64_t{1} << 22;     // of one input
const std::int64_t OPEN_SIZES[] = {3, 1, 65, 0};               // for axes of any size, one after the other

// An input of the shape that the model asks for, filled with small numbers. False if it would be too large.
bool make_input(const graphc_info& info, std::int64_t open, std::vector<char>& data, graphc_tensor& tensor) {
  const graphc_core::DType* dtype = graphc_core::find_dtype(info.dtype);
  const bool is_string = info.dtype == GRAPHC_STRING;       // of which it makes empty ones
  if (!dtype || (!dtype->size && !is_string) || info.rank < 0 || info.rank > GRAPHC_MAX_RANK) return false;
  tensor = graphc_tensor{};
  tensor.dtype = info.dtype;
  tensor.rank = info.rank;
  const std::int64_t element = is_string ? static_cast<std::int64_t>(sizeof(graphc_string)) : dtype->size;
  std::int64_t bytes = element;
  for (int axis = 0; axis < info.rank; ++axis) {
    tensor.sizes[axis] = info.sizes[axis] < 0 ? open : info.sizes[axis];
    if (tensor.sizes[axis] > MOST_BYTES || (bytes *= std::max<std::int64_t>(tensor.sizes[axis], 0)) > MOST_BYTES) return false;
  }
  // Not aligned, so that the model makes a copy of its own: after that there is a guard page.
  data.assign(static_cast<std::size_t>(bytes) + 2, 0);
  char* first = data.data() + 1;
  for (std::int64_t at = 0; at + element <= bytes && !is_string; at += element) {
    const float real = static_cast<float>(at % 7) / 4;
    const double wide = real;
    if (info.dtype == 1) std::memcpy(first + at, &real, 4);
    else if (info.dtype == 2) std::memcpy(first + at, &wide, 8);
    else first[at] = static_cast<char>(at % 3);
  }
  tensor.data = first;
  return true;
}

graphc_status host(void*, graphc_request* request, const graphc_tensor* inputs, int32_t inputs_count, int32_t outputs) {
  for (int32_t i = 0; i < outputs; ++i) {
    if (!inputs_count) return GRAPHC_INVALID_ARGUMENT;
    const graphc_tensor& like = inputs[i % inputs_count];
    if (!graphc_host_output(request, i, like.dtype, like.rank, like.sizes)) return GRAPHC_INVALID_ARGUMENT;
  }
  return GRAPHC_OK;
}

void run(graphc_model* model, std::int64_t open) {
  const int32_t count = graphc_input_count(model);
  std::vector<std::vector<char>> data(static_cast<std::size_t>(count));
  std::vector<graphc_tensor> inputs(static_cast<std::size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    graphc_info info;
    if (graphc_input_info(model, i, &info) != GRAPHC_OK) return;
    if (!make_input(info, open, data[static_cast<std::size_t>(i)], inputs[static_cast<std::size_t>(i)])) return;
  }
  // A file may well describe a loop that never ends; that is no fault, and must be possible to stop.
  std::mutex mutex;
  std::condition_variable done;
  bool ended = false;
  std::thread watch([&] {
    std::unique_lock<std::mutex> lock(mutex);
    while (!done.wait_for(lock, std::chrono::seconds(LONGEST_RUN), [&] { return ended; })) graphc_cancel(model);
  });
  graphc_result* result = nullptr;
  const graphc_status status = graphc_run(model, inputs.data(), count, &result);
  const std::string message = status ? graphc_last_error() : "";
  {
    const std::lock_guard<std::mutex> lock(mutex);
    ended = true;
  }
  done.notify_one();
  watch.join();
  std::printf("  run %lld: %d %s\n", static_cast<long long>(open), status, message.c_str());
  graphc_result_free(result);
}

void give_states(graphc_model* model) {
  for (int32_t i = 0; i < graphc_state_count(model); ++i) {
    graphc_info info;
    graphc_tensor value;
    std::vector<char> data;
    if (graphc_state_info(model, i, &info) == GRAPHC_OK && make_input(info, 1, data, value)) graphc_state_set(model, i, &value);
  }
}

void print_peak() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:" && status >> word) std::printf("peak: %s\n", word.c_str());
}

void restore(graphc_model* model, const std::string& index) {
  const std::string prefix = index.substr(0, index.size() - std::strlen(INDEX));
  const graphc_status status = model ? graphc_restore(model, prefix.c_str()) : GRAPHC_INVALID_ARGUMENT;
  std::printf("  restore: %d %s\n", status, status && model ? graphc_last_error() : "");
  if (model && !status && graphc_save(model, prefix.c_str())) std::printf("  save: %s\n", graphc_last_error());
}

void load_code(graphc_options options, const std::string& model, const std::string& code) {
  options.gpu_code = code.c_str();
  graphc_model* loaded = nullptr;
  const graphc_status status = graphc_load_file(model.c_str(), &options, &loaded);
  std::printf("  code: %d %s\n", status, status ? graphc_last_error() : "");
  graphc_model_free(loaded);
}

bool ends_with(const std::string& path, const char* end) {
  const std::size_t size = std::strlen(end);
  return path.size() > size && path.compare(path.size() - size, size, end) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  graphc_options options{};
  options.size = sizeof options;
  options.memory_limit = MEMORY_LIMIT;
  bool peak = false;
  std::string path;                            // of the model loaded last
  std::unique_ptr<graphc_model, decltype(&graphc_model_free)> model(nullptr, graphc_model_free);
  for (int i = 1; i < count; ++i) {
    if (std::string(arguments[i]) == "--peak") {
      peak = true;
      continue;
    }
    if (std::string(arguments[i]) == "--limit" && i + 1 < count) {
      options.memory_limit = std::atoll(arguments[++i]);
      continue;
    }
    std::printf("%s\n", arguments[i]);
    std::fflush(stdout);                       // so that the last line names the file that crashed
    if (ends_with(arguments[i], INDEX)) {
      restore(model.get(), arguments[i]);
      continue;
    }
    if (ends_with(arguments[i], CODE)) {
      load_code(options, path, arguments[i]);
      continue;
    }
    model.reset();
    path = arguments[i];
    graphc_model* loaded = nullptr;
    options.threads = 1 + i % 2;
    if (const graphc_status status = graphc_load_file(arguments[i], &options, &loaded)) {
      std::printf("  load: %d %s\n", status, graphc_last_error());
      continue;
    }
    model.reset(loaded);
    for (int32_t h = 0; h < graphc_host_count(loaded); ++h) graphc_set_host(loaded, graphc_host_name(loaded, h), host, nullptr);
    run(loaded, OPEN_SIZES[0]);                // variables have no value yet, unless the file gives them one
    give_states(loaded);
    for (const std::int64_t open : OPEN_SIZES) run(loaded, open);
  }
  if (peak) print_peak();
  return 0;
}
