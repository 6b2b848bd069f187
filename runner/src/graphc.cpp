// The C ABI of graphc.h: turns exceptions into statuses, and nothing else.
#include "graphc.h"

#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bundle.hpp"
#include "error.hpp"
#include "graph_reader.hpp"
#include "memory.hpp"
#include "model.hpp"
#include "parts.hpp"
#include "read_file.hpp"
#include "running.hpp"

struct graphc_model {
  graphc_core::Model model;
  graphc_model(const graphc_core::GraphFile& file, const graphc_core::Options& options, std::shared_ptr<graphc_core::HostTable> host)
      : model(file, options, std::move(host)) {}
};

struct graphc_result {
  std::unique_ptr<graphc_core::Result> result;
};

namespace {

constexpr char CHECKPOINTS[] = "what saves and restores checkpoints";
constexpr std::size_t LARGEST_OPTIONS = 4096;    // bytes; a size above it was never set

thread_local std::string last_error;

[[gnu::cold]] graphc_status remember(graphc_status code, const char* text, const char* more = "") noexcept {
  try {
    last_error = std::string(text) + more;
  } catch (...) {
    last_error.clear();                          // no memory even for the message
  }
  return code;
}

// Of the exception that is being handled; once for all functions, which would be half as large again with their own.
[[gnu::cold]] graphc_status remember_exception() noexcept {
  try {
    throw;
  } catch (const graphc_core::Error& error) {
    return remember(error.code, error.what());
  } catch (const std::bad_alloc&) {
    return remember(GRAPHC_RESOURCE_EXHAUSTED, "no memory");
  } catch (const std::exception& error) {
    return remember(GRAPHC_INTERNAL, "internal error: ", error.what());
  } catch (...) {
    return remember(GRAPHC_INTERNAL, "internal error");
  }
}

template <class Body>
graphc_status guarded(Body body) noexcept {
  try {
    body();
    return GRAPHC_OK;
  } catch (...) {
    return remember_exception();
  }
}

void require(bool condition, const char* what) {
  if (!condition) throw graphc_core::Error(GRAPHC_INVALID_ARGUMENT, what);
}

// What a count is of; -1, and a message, if there is no model.
template <class Count>
auto counted(const graphc_model* model, Count count) noexcept -> decltype(count(model->model)) {
  if (model) return count(model->model);
  remember(GRAPHC_INVALID_ARGUMENT, "model is NULL");
  return -1;
}

// The fields that the caller's header has; a newer header's further fields must not be set, for they would have no effect.
[[gnu::cold]] graphc_core::Options read_options(const graphc_options* given) {
  graphc_core::Options options;
  if (!given) return options;
  require(given->size >= sizeof given->size && given->size <= LARGEST_OPTIONS,
          "graphc_options.size is not set: it must be sizeof(graphc_options)");
  const auto has = [given](const auto& field) {
    const char* end = reinterpret_cast<const char*>(&field) + sizeof field;
    return end <= reinterpret_cast<const char*>(given) + given->size;
  };
  if (has(given->signature) && given->signature) options.signature = given->signature;
  if (has(given->isa) && given->isa) options.isa = given->isa;
  if (has(given->memory_limit)) options.memory_limit = given->memory_limit;
  if (has(given->threads)) options.threads = given->threads;
  if (has(given->share) && given->share) options.values = given->share->model.values();
  if (has(given->gpu_code) && given->gpu_code) options.gpu_code = given->gpu_code;
  if (has(given->gpu)) options.gpu = given->gpu;
  require(!options.gpu_code.empty() || !options.gpu, "graphc_options.gpu is set, but no gpu_code for it");
  require(options.memory_limit >= 0, "graphc_options.memory_limit is negative");
  require(options.threads >= 0, "graphc_options.threads is negative");
  for (std::size_t i = sizeof(graphc_options); i < given->size; ++i)
    if (reinterpret_cast<const char*>(given)[i])
      throw graphc_core::Error(GRAPHC_UNIMPLEMENTED, "graphc_options has a field set that this version of the library does not know");
  return options;
}

std::shared_ptr<graphc_core::HostTable> make_host(const graphc_core::Options& options) {
  return std::make_shared<graphc_core::HostTable>(options.memory_limit);
}

[[gnu::cold]] graphc_model* load_memory(std::string_view data, const graphc_options* options) {
  const graphc_core::Options chosen = read_options(options);
  return new graphc_model({data, ""}, chosen, make_host(chosen));
}

[[gnu::cold]] graphc_model* load_file(const char* path, const graphc_options* options) {
  const graphc_core::Options chosen = read_options(options);
  const std::shared_ptr<graphc_core::HostTable> host = make_host(chosen);
  const graphc_core::Block file = graphc_core::read_file(path, host);
  try {
    return new graphc_model({{file.data(), file.bytes()}, path}, chosen, host);
  } catch (const graphc_core::Error& error) {
    throw graphc_core::Error(error.code, std::string(path) + ": " + error.what());
  }
}

template <class Item>
void describe(const Item& item, graphc_info* info) {
  *info = graphc_info{};
  info->name = item.name.c_str();
  info->dtype = item.dtype;
  info->rank = static_cast<int32_t>(item.shape.size());
  for (std::size_t i = 0; i < item.shape.size() && i < GRAPHC_MAX_RANK; ++i) info->sizes[i] = item.shape[i];
}

template <class Select>
graphc_status describe_port(const graphc_model* model, Select select, int32_t index, graphc_info* info, const char* what) {
  return guarded([&] {
    require(model, "model is NULL");
    require(info, "info is NULL");
    const auto& items = select(model->model.plan());
    require(index >= 0 && static_cast<std::size_t>(index) < items.size(), what);
    describe(items[static_cast<std::size_t>(index)], info);
  });
}

template <class List>
int32_t size_of(const List& list) { return static_cast<int32_t>(list.size()); }

// The number of a variable of the model.
std::size_t state_number(const graphc_model* model, int32_t index) {
  require(model, "model is NULL");
  require(index >= 0 && static_cast<std::size_t>(index) < model->model.values()->count(),
          "the model has no variable of this number");
  return static_cast<std::size_t>(index);
}

}  // namespace

int32_t graphc_abi_version(void) { return GRAPHC_ABI_VERSION; }

const char* graphc_version(void) { return GRAPHC_VERSION; }

const char* graphc_last_error(void) { return last_error.c_str(); }

const char* graphc_isas(void) {
  static const std::string text = graphc_core::isa_list();
  return text.c_str();
}

graphc_status graphc_load_memory(const void* data, size_t bytes, const graphc_options* options, graphc_model** model) {
  return guarded([&] {
    require(model, "model is NULL");
    *model = nullptr;
    require(data || !bytes, "data is NULL");
    *model = load_memory({static_cast<const char*>(data), bytes}, options);
  });
}

graphc_status graphc_load_file(const char* path, const graphc_options* options, graphc_model** model) {
  return guarded([&] {
    require(model, "model is NULL");
    *model = nullptr;
    require(path, "path is NULL");
    *model = load_file(path, options);
  });
}

void graphc_model_free(graphc_model* model) {
  if (model && graphc_core::Inside::is_inside(model->model.values().get()))
    remember(GRAPHC_FAILED_PRECONDITION, "a host function may not free the model that calls it");
  else delete model;
}

int32_t graphc_input_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return size_of(m.plan().inputs); });
}

int32_t graphc_output_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return size_of(m.plan().outputs); });
}

int32_t graphc_state_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return static_cast<int32_t>(m.values()->count()); });
}

int32_t graphc_host_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return size_of(m.plan().hosts); });
}

int64_t graphc_memory_used(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return m.host()->used(); });
}

graphc_status graphc_input_info(const graphc_model* model, int32_t index, graphc_info* info) {
  const auto inputs = [](const graphc_core::Plan& plan) -> const auto& { return plan.inputs; };
  return describe_port(model, inputs, index, info, "the model has no input of this number");
}

graphc_status graphc_output_info(const graphc_model* model, int32_t index, graphc_info* info) {
  const auto outputs = [](const graphc_core::Plan& plan) -> const auto& { return plan.outputs; };
  return describe_port(model, outputs, index, info, "the model has no output of this number");
}

graphc_status graphc_state_info(const graphc_model* model, int32_t index, graphc_info* info) {
  return guarded([&] {
    const std::size_t number = state_number(model, index);
    require(info, "info is NULL");
    describe(model->model.values()->at(number).tensor, info);
  });
}

const char* graphc_host_name(const graphc_model* model, int32_t index) {
  if (index >= 0 && index < graphc_host_count(model)) return model->model.plan().hosts[static_cast<std::size_t>(index)].c_str();
  if (model) remember(GRAPHC_INVALID_ARGUMENT, "the model calls no host function of this number");
  return nullptr;
}

graphc_status graphc_run(graphc_model* model, const graphc_tensor* inputs, int32_t count, graphc_result** result) {
  return guarded([&] {
    require(result, "result is NULL");
    *result = nullptr;
    require(model, "model is NULL");
    require(count >= 0, "count is negative");
    require(inputs || !count, "inputs is NULL");
    std::unique_ptr<graphc_core::Result> made = model->model.run(inputs, static_cast<std::size_t>(count));
    *result = new graphc_result{std::move(made)};
  });
}

void graphc_cancel(graphc_model* model) {
  if (model) model->model.cancel();
  else remember(GRAPHC_INVALID_ARGUMENT, "model is NULL");
}

int32_t graphc_result_count(const graphc_result* result) {
  if (result) return size_of(result->result->outputs);
  remember(GRAPHC_INVALID_ARGUMENT, "result is NULL");
  return -1;
}

graphc_status graphc_result_output(const graphc_result* result, int32_t index, graphc_tensor* output) {
  return guarded([&] {
    require(result, "result is NULL");
    require(output, "output is NULL");
    const std::vector<graphc_tensor>& outputs = result->result->outputs;
    require(index >= 0 && index < size_of(outputs), "the result has no output of this number");
    *output = outputs[static_cast<std::size_t>(index)];
  });
}

void graphc_result_free(graphc_result* result) { delete result; }

graphc_status graphc_state_set(graphc_model* model, int32_t index, const graphc_tensor* value) {
  return guarded([&] {
    const std::size_t number = state_number(model, index);
    require(value, "value is NULL");
    model->model.values()->set(number, *value);
  });
}

graphc_status graphc_state_get(graphc_model* model, int32_t index, void* data, size_t bytes) {
  return guarded([&] {
    const std::size_t number = state_number(model, index);
    require(data || !bytes, "data is NULL");
    model->model.values()->get(number, data, bytes);
  });
}

graphc_status graphc_save(const graphc_model* model, const char* prefix) {
  return guarded([&] {
    require(model, "model is NULL");
    require(prefix && *prefix, "prefix is NULL or empty");
    graphc_core::Inside::refuse(model->model.values().get());
    graphc_core::call_part<decltype(gc_save_checkpoint)>(graphc_core::SAVE_CHECKPOINT, CHECKPOINTS, *model->model.values(),
                                                         std::string(prefix));
  });
}

graphc_status graphc_restore(graphc_model* model, const char* prefix) {
  return guarded([&] {
    require(model, "model is NULL");
    require(prefix && *prefix, "prefix is NULL or empty");
    graphc_core::Inside::refuse(model->model.values().get());
    graphc_core::call_part<decltype(gc_restore_checkpoint)>(graphc_core::RESTORE_CHECKPOINT, CHECKPOINTS,
                                                            *model->model.values(), std::string(prefix), model->model.host());
  });
}

int64_t graphc_run_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return m.values()->runs.load(); });
}

graphc_status graphc_set_run_count(graphc_model* model, int64_t count) {
  return guarded([&] {
    require(model, "model is NULL");
    require(count >= 0, "count is negative");
    model->model.values()->runs = count;
  });
}

int32_t graphc_signature_count(const graphc_model* model) {
  return counted(model, [](const graphc_core::Model& m) { return size_of(m.signatures()); });
}

const char* graphc_signature_name(const graphc_model* model, int32_t index) {
  if (index >= 0 && index < graphc_signature_count(model)) return model->model.signatures()[static_cast<std::size_t>(index)].c_str();
  if (model) remember(GRAPHC_INVALID_ARGUMENT, "the model's file has no signature of this number");
  return nullptr;
}

graphc_status graphc_set_host(graphc_model* model, const char* name, graphc_host_function function, void* user) {
  return guarded([&] {
    require(model, "model is NULL");
    require(name, "name is NULL");
    require(function, "function is NULL");
    model->model.set_host(name, {function, user});
  });
}

void* graphc_host_output(graphc_request* request, int32_t index, int32_t dtype, int32_t rank, const int64_t* sizes) {
  const auto refused = [](const char* why) {
    remember(GRAPHC_INVALID_ARGUMENT, why);
    return nullptr;
  };
  if (!request) return refused("request is NULL");
  if (rank < 0 || rank > GRAPHC_MAX_RANK) return refused("rank is not from 0 to 8");
  if (rank && !sizes) return refused("sizes is NULL");
  void* made = graphc_core::make_host_output(*reinterpret_cast<graphc_core::HostRequest*>(request), index, dtype, rank, sizes);
  return made ? made : refused("the plan wants another output than one of this number, dtype and rank, or there is no memory for it");
}
