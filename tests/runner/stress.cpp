// Many threads at once on models that they share: `graphc-stress SECONDS FILES`. Each thread runs models with inputs of its own,
// whose answers it knows from a run that was alone, loads and frees models, keeps results after their models are gone, and sets
// and reads variables; one thread cancels. Ends with status 1 and says so if an answer differs or an error is unexpected. What
// it is for are the data races that ThreadSanitizer finds meanwhile (`make tsan`).
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "graphc.h"

namespace {

constexpr int THREADS = 4, FEEDS = 3;
const std::int64_t OPEN_SIZES[FEEDS] = {3, 17, 64};        // for axes of any size

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "graphc-stress: %s\n", what.c_str());
  std::_Exit(1);
}

void check(graphc_status status, const char* what) {
  if (status != GRAPHC_OK) give_up(std::string(what) + ": " + graphc_last_error());
}

std::int64_t element_size(std::int32_t dtype) {
  switch (dtype) {
    case 4: case 6: case 10: return 1;
    case 5: case 17: return 2;
    case 2: case 9: case 23: return 8;
    default: return 4;
  }
}

// A tensor of the shape that a model asks for, filled with small numbers.
struct Values {
  std::vector<char> data;
  graphc_tensor tensor{};

  Values(const graphc_info& info, std::int64_t open, int seed) {
    tensor.dtype = info.dtype;
    tensor.rank = info.rank;
    std::int64_t count = 1;
    for (int axis = 0; axis < info.rank; ++axis) count *= tensor.sizes[axis] = info.sizes[axis] < 0 ? open : info.sizes[axis];
    const std::int64_t size = element_size(info.dtype);
    data.resize(static_cast<std::size_t>(count * size + 1));
    for (std::int64_t i = 0; i < count; ++i) {
      const int number = static_cast<int>((i * 7 + seed) % 5);
      const float real = static_cast<float>(number) / 4 - 0.5f;
      const double wide = real;
      char* at = &data[static_cast<std::size_t>(i * size)];
      if (info.dtype == 1) std::memcpy(at, &real, 4);
      else if (info.dtype == 2) std::memcpy(at, &wide, 8);
      else *at = static_cast<char>(info.dtype == 10 ? number & 1 : number);
    }
    tensor.data = data.data();
  }
};

graphc_status host(void*, graphc_request* request, const graphc_tensor* inputs, int32_t count, int32_t outputs) {
  for (int32_t i = 0; i < outputs; ++i) {
    const graphc_tensor& like = inputs[i % count];
    void* made = graphc_host_output(request, i, like.dtype, like.rank, like.sizes);
    if (!made) return GRAPHC_RESOURCE_EXHAUSTED;
    std::int64_t bytes = element_size(like.dtype);
    for (int axis = 0; axis < like.rank; ++axis) bytes *= like.sizes[axis];
    std::memcpy(made, like.data, static_cast<std::size_t>(bytes));
  }
  return GRAPHC_OK;
}

graphc_model* load(const std::string& file) {
  graphc_options options{};
  options.size = sizeof options;
  options.threads = THREADS;
  graphc_model* model = nullptr;
  check(graphc_load_file(file.c_str(), &options, &model), "load");
  for (int32_t i = 0; i < graphc_host_count(model); ++i) check(graphc_set_host(model, graphc_host_name(model, i), host, nullptr), "host");
  for (int32_t i = 0; i < graphc_state_count(model); ++i) {
    graphc_info info;
    check(graphc_state_info(model, i, &info), "state");
    const Values value(info, 1, i);
    check(graphc_state_set(model, i, &value.tensor), "set");
  }
  return model;
}

std::string bytes_of(const graphc_result* result) {
  std::string all;
  for (int32_t i = 0; i < graphc_result_count(result); ++i) {
    graphc_tensor output;
    check(graphc_result_output(result, i, &output), "output");
    std::int64_t bytes = element_size(output.dtype);
    for (int axis = 0; axis < output.rank; ++axis) {
      bytes *= output.sizes[axis];
      all += std::to_string(output.sizes[axis]) + ",";
    }
    if (bytes) all.append(static_cast<const char*>(output.data), static_cast<std::size_t>(bytes));
  }
  return all;
}

// Inputs of a model, and the answer: it must be the same whoever else runs, unless the model has variables that runs change.
struct Feed {
  std::vector<Values> values;
  std::vector<graphc_tensor> tensors;
  std::string answer;

  Feed(graphc_model* model, int number) {
    for (int32_t i = 0; i < graphc_input_count(model); ++i) {
      graphc_info info;
      check(graphc_input_info(model, i, &info), "input");
      values.emplace_back(info, OPEN_SIZES[number], number);
    }
    for (const Values& value : values) tensors.push_back(value.tensor);
    graphc_result* result = nullptr;
    check(run(model, &result), "run");
    answer = bytes_of(result);
    graphc_result_free(result);
  }

  graphc_status run(graphc_model* model, graphc_result** result) const {
    return graphc_run(model, tensors.data(), static_cast<int32_t>(tensors.size()), result);
  }
};

struct Shared {
  std::string file;
  graphc_model* model;
  std::vector<Feed> feeds;
  bool changes;

  explicit Shared(const std::string& path) : file(path), model(load(path)), changes(graphc_state_count(model) > 0) {
    for (int i = 0; i < FEEDS; ++i) feeds.emplace_back(model, i);
  }
};

std::atomic<bool> over{false};
std::atomic<long> runs{0}, cancelled{0};

void compare(const Shared& shared, const Feed& feed, const graphc_result* result) {
  if (!shared.changes && bytes_of(result) != feed.answer) give_up(shared.file + ": another answer than alone");
}

void use_states(graphc_model* model) {
  for (int32_t i = 0; i < graphc_state_count(model); ++i) {
    graphc_info info;
    check(graphc_state_info(model, i, &info), "state");
    Values value(info, 1, i);
    check(graphc_state_set(model, i, &value.tensor), "set");
    check(graphc_state_get(model, i, value.tensor.data, value.data.size() - 1), "get");
  }
}

void work(const std::vector<Shared>& all, int number) {
  for (std::size_t turn = static_cast<std::size_t>(number); !over; ++turn) {
    const Shared& shared = all[turn / 3 % all.size()];
    const Feed& feed = shared.feeds[turn % FEEDS];
    graphc_result* result = nullptr;
    const graphc_status status = feed.run(shared.model, &result);
    if (status == GRAPHC_CANCELLED) ++cancelled;
    else check(status, shared.file.c_str());
    if (status == GRAPHC_OK) compare(shared, feed, result);
    graphc_result_free(result);
    if (turn % 5 == 0) use_states(shared.model);
    if (turn % 11 == 0) {                     // a model of its own, whose result outlives it
      graphc_model* own = load(shared.file);
      check(feed.run(own, &result), "run");
      graphc_model_free(own);
      compare(shared, feed, result);
      graphc_result_free(result);
    }
    ++runs;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) give_up("graphc-stress SECONDS FILES");
  std::vector<Shared> all;
  for (int i = 2; i < count; ++i) all.emplace_back(arguments[i]);
  std::vector<std::thread> threads;
  for (int i = 0; i < THREADS; ++i) threads.emplace_back(work, std::cref(all), i);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(static_cast<long>(1000 * std::atof(arguments[1])));
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (const Shared& shared : all) graphc_cancel(shared.model);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  for (const Shared& shared : all) graphc_model_free(shared.model);
  std::printf("%ld runs, %ld cancelled\n", runs.load(), cancelled.load());
  return 0;
}
