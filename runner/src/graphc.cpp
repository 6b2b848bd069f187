// The C ABI of graphc.h: turns exceptions into statuses, and nothing else.
#include "graphc.h"

#include <new>

#include "error.hpp"
#include "model.hpp"

struct graphc_model {
  graphc::Model model;
  graphc_model(std::string_view file, const graphc::Options& options) : model(file, options) {}
};

struct graphc_result {
  std::unique_ptr<graphc::Result> result;
};

namespace {

thread_local std::string last_error;

template <class Body>
graphc_status guarded(Body body) {
  try {
    body();
    return GRAPHC_OK;
  } catch (const graphc::Error& error) {
    last_error = error.what();
    return error.code;
  } catch (const std::bad_alloc&) {
    last_error = "no memory";
    return GRAPHC_RESOURCE_EXHAUSTED;
  } catch (const std::exception& error) {
    last_error = std::string("internal error: ") + error.what();
    return GRAPHC_INTERNAL;
  }
}

void require(bool condition, const char* what) {
  if (!condition) throw graphc::Error(GRAPHC_INVALID_ARGUMENT, what);
}

graphc::Options read_options(const graphc_options* given) {
  graphc::Options options;
  if (!given) return options;
  require(given->size >= sizeof(graphc_options), "graphc_options.size is not set");
  options.signature = given->signature ? given->signature : "";
  options.isa = given->isa ? given->isa : "";
  options.memory_limit = given->memory_limit;
  options.threads = given->threads;
  return options;
}

template <class Item>
graphc_status describe(const std::vector<Item>& items, int32_t index, graphc_info* info, const char* what) {
  return guarded([&] {
    require(info, "info is NULL");
    require(index >= 0 && static_cast<std::size_t>(index) < items.size(), what);
    const Item& item = items[static_cast<std::size_t>(index)];
    *info = graphc_info{};
    info->name = item.name.c_str();
    info->dtype = item.dtype;
    info->rank = static_cast<int32_t>(item.shape.size());
    for (std::size_t i = 0; i < item.shape.size() && i < GRAPHC_MAX_RANK; ++i) info->sizes[i] = item.shape[i];
  });
}

}  // namespace

int32_t graphc_abi_version(void) { return GRAPHC_ABI_VERSION; }

const char* graphc_last_error(void) { return last_error.c_str(); }

const char* graphc_isas(void) {
  static const std::string text = graphc::isa_list();
  return text.c_str();
}

graphc_status graphc_load_memory(const void* data, size_t bytes, const graphc_options* options, graphc_model** model) {
  return guarded([&] {
    require(model && (data || !bytes), "model or data is NULL");
    *model = nullptr;
    *model = new graphc_model(std::string_view(static_cast<const char*>(data), bytes), read_options(options));
  });
}

graphc_status graphc_load_file(const char* path, const graphc_options* options, graphc_model** model) {
  return guarded([&] {
    require(model && path, "model or path is NULL");
    *model = nullptr;
    const graphc::MappedFile file(path);
    try {
      *model = new graphc_model(file.data(), read_options(options));
    } catch (const graphc::Error& error) {
      throw graphc::Error(error.code, std::string(path) + ": " + error.what());
    }
  });
}

void graphc_model_free(graphc_model* model) { delete model; }

int32_t graphc_input_count(const graphc_model* model) { return static_cast<int32_t>(model->model.plan().inputs.size()); }
int32_t graphc_output_count(const graphc_model* model) { return static_cast<int32_t>(model->model.plan().outputs.size()); }
int32_t graphc_state_count(const graphc_model* model) { return static_cast<int32_t>(model->model.plan().states.size()); }
int32_t graphc_host_count(const graphc_model* model) { return static_cast<int32_t>(model->model.plan().hosts.size()); }
int64_t graphc_memory_used(const graphc_model* model) { return model->model.memory_used(); }

graphc_status graphc_input_info(const graphc_model* model, int32_t index, graphc_info* info) {
  return describe(model->model.plan().inputs, index, info, "the model has no input of this number");
}

graphc_status graphc_output_info(const graphc_model* model, int32_t index, graphc_info* info) {
  return describe(model->model.plan().outputs, index, info, "the model has no output of this number");
}

graphc_status graphc_state_info(const graphc_model* model, int32_t index, graphc_info* info) {
  return describe(model->model.plan().states, index, info, "the model has no variable of this number");
}

const char* graphc_host_name(const graphc_model* model, int32_t index) {
  const std::vector<std::string>& hosts = model->model.plan().hosts;
  return index >= 0 && static_cast<std::size_t>(index) < hosts.size() ? hosts[static_cast<std::size_t>(index)].c_str() : nullptr;
}

graphc_status graphc_run(graphc_model* model, const graphc_tensor* inputs, int32_t count, graphc_result** result) {
  return guarded([&] {
    require(model && result && count >= 0 && (inputs || !count), "model, inputs or result is NULL");
    *result = nullptr;
    std::unique_ptr<graphc::Result> made = model->model.run(inputs, static_cast<std::size_t>(count));
    *result = new graphc_result{std::move(made)};
  });
}

void graphc_cancel(graphc_model* model) { model->model.cancel(); }

int32_t graphc_result_count(const graphc_result* result) { return static_cast<int32_t>(result->result->outputs.size()); }

graphc_status graphc_result_output(const graphc_result* result, int32_t index, graphc_tensor* output) {
  return guarded([&] {
    const std::vector<graphc_tensor>& outputs = result->result->outputs;
    require(output, "output is NULL");
    require(index >= 0 && static_cast<std::size_t>(index) < outputs.size(), "the result has no output of this number");
    *output = outputs[static_cast<std::size_t>(index)];
  });
}

void graphc_result_free(graphc_result* result) { delete result; }

graphc_status graphc_state_set(graphc_model* model, int32_t index, const graphc_tensor* value) {
  return guarded([&] {
    require(value && index >= 0 && index < graphc_state_count(model), "no value, or no variable of this number");
    model->model.set_state(static_cast<std::size_t>(index), *value);
  });
}

graphc_status graphc_state_get(graphc_model* model, int32_t index, void* data, size_t bytes) {
  return guarded([&] {
    require(index >= 0 && index < graphc_state_count(model), "no variable of this number");
    require(data || !bytes, "data is NULL");
    model->model.get_state(static_cast<std::size_t>(index), data, bytes);
  });
}

graphc_status graphc_set_host(graphc_model* model, const char* name, graphc_host_function function, void* user) {
  return guarded([&] {
    require(name && function, "name or function is NULL");
    model->model.set_host(name, {function, user});
  });
}

void* graphc_host_output(graphc_request* request, int32_t index, int32_t dtype, int32_t rank, const int64_t* sizes) {
  if (!request || rank < 0 || rank > GRAPHC_MAX_RANK || (rank && !sizes)) return nullptr;
  return graphc::make_host_output(*reinterpret_cast<graphc::HostRequest*>(request), index, dtype, rank, sizes);
}
