// Runs a hand-written Plan from a folder and leaves the answers there: tests/cross/run.py writes the folder and compares.
//   model.pb, state_<k>.npy, <run>_in_<k>.npy  ->  <run>_out_<k>.npy, state_out_<k>.npy
// The only host function is the one that the Plans use: plus_one(r) = r + 1.
#include <cstdio>
#include <string>
#include <vector>

#include "graphc.hpp"
#include "npz.hpp"

namespace {

bool exists(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file) std::fclose(file);
  return file;
}

graphc_status plus_one(void*, graphc_request* request, const graphc_tensor* inputs, int32_t, int32_t) {
  auto* target = static_cast<float*>(graphc_host_output(request, 0, inputs->dtype, inputs->rank, inputs->sizes));
  if (!target) return GRAPHC_RESOURCE_EXHAUSTED;
  for (std::int64_t i = 0; i < inputs->sizes[0]; ++i) target[i] = static_cast<const float*>(inputs->data)[i] + 1;
  return GRAPHC_OK;
}

void run(const std::string& folder) {
  graphc_options options{};
  options.size = sizeof options;
  options.threads = 3;
  const graphc::Model model(folder + "/model.pb", &options);
  for (int32_t i = 0; i < graphc_host_count(model.get()); ++i)
    graphc::check(graphc_set_host(model.get(), graphc_host_name(model.get(), i), plus_one, nullptr));
  std::vector<graphc_core::Array> states;
  for (int32_t k = 0; k < graphc_state_count(model.get()); ++k) {
    states.push_back(graphc_core::read_array(folder + "/state_" + std::to_string(k) + ".npy", ""));
    const graphc_tensor value = states.back().tensor();
    graphc::check(graphc_state_set(model.get(), k, &value));
  }
  for (int number = 0; exists(folder + "/" + std::to_string(number) + "_in_0.npy"); ++number) {
    const std::string prefix = folder + "/" + std::to_string(number);
    std::vector<graphc_core::Array> arrays;
    for (std::size_t k = 0; k < model.inputs().size(); ++k)
      arrays.push_back(graphc_core::read_array(prefix + "_in_" + std::to_string(k) + ".npy", ""));
    std::vector<graphc_tensor> inputs;
    for (graphc_core::Array& array : arrays) inputs.push_back(array.tensor());
    const graphc::Result result = model.run(inputs);
    for (std::size_t k = 0; k < model.outputs().size(); ++k)
      graphc_core::npy_file(prefix + "_out_" + std::to_string(k) + ".npy", result.output(static_cast<std::int32_t>(k))).commit();
  }
  for (std::size_t k = 0; k < states.size(); ++k) {
    graphc::check(graphc_state_get(model.get(), static_cast<std::int32_t>(k), states[k].data.data(), states[k].data.size()));
    graphc_core::npy_file(folder + "/state_out_" + std::to_string(k) + ".npy", states[k].tensor()).commit();
  }
}

}  // namespace

int main(int count, char** arguments) {
  try {
    for (int i = 1; i < count; ++i) run(arguments[i]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
