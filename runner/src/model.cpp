#include "model.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "bfloat16.hpp"
#include "image.hpp"
#include "message.hpp"
#include "parts.hpp"
#include "pool.hpp"
#include "ports.hpp"
#include "tensors.hpp"
#include "ways.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t LARGEST_PLAN = std::size_t{1} << 28;    // bytes of the message

// A runner for some models may lack what runs steps of control.
void check_steps(const Plan& plan) {
  for (const Body& body : plan.bodies)
    for (const Step& step : body.steps)
      if (step.kind != StepKind::MAP && step.kind != StepKind::CALL)
        find_part(OTHER_STEPS, "what runs loops, branches, lists, sizes from data and functions");
}

}  // namespace

Model::Model(const GraphFile& file, const Options& options, std::shared_ptr<HostTable> host)
    : library_(choose_library(options.isa)), host_(std::move(host)), charge_(host_), host_calls_(library_, *host_, plan_),
      frames_(library_, host_, plan_) {
  const bool limited = options.memory_limit > 0;
  const Graph graph(file, host_, limited);
  read_device(graph, options);
  load(graph, options);
  find_variables(graph);
  open(options.threads, tables_limit(file.data.size(), limited));
  open_device();
}

// Before the plan is read: a device that does only parts has another one for the host.
void Model::read_device(const Graph& graph, const Options& options) {
  if (options.gpu_code.empty()) return;
  const DeviceRequest request{choose_plan(graph, options.signature), host_, options.gpu_code, options.gpu};
  call_part<decltype(gc_open_gpu)>(GPU_RUNS, "what runs models on a GPU (`graphc runner --gpu`)", request, device_);
  host_calls_.set_device(device_.get());
}

// What the file's own bytes decide; it may take memory in proportion to them only.
void Model::load(const Graph& graph, const Options& options) {
  const LoadLimit limit(host_, graph.bytes(), options.memory_limit > 0);
  const SavedPlan& saved = choose_plan(graph, options.signature);
  for (const SavedPlan& one : graph.plans()) signatures_.push_back(one.signature);
  const std::string_view plan = device_ && !device_->plan().empty() ? device_->plan() : saved.plan;
  if (plan.size() > LARGEST_PLAN) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "the plan is too large");
  plan_ = read_plan(plan, charge_);
  image_ = make_image(plan_, registry_names(), charge_);
  verify();
  check_steps(plan_);
  host_calls_.open();
  check_ports(plan_);
  values_ = options.values;
  if (!values_) {
    values_ = std::make_shared<Values>(saved.graph_hash);
    values_->add_saved(graph, host_);
  }
  if (values_->graph_hash() != saved.graph_hash)
    throw_error(GRAPHC_FAILED_PRECONDITION, "the model whose variables are to be shared was loaded from another file, or one that "
                                            "was written anew since");
  if (has_strings(plan_)) strings_ = values_->strings(host_);
  for (const Tensor& constant : plan_.constants) constant_table_.push_back(values_->constant(constant, graph, host_));
}

void Model::open_device() {
  if (!device_) return;
  if (strings_ && device_->plan().empty())
    throw_error(GRAPHC_UNIMPLEMENTED, "the model has strings, which no GPU knows: run it on the CPU");
  device_->open(plan_, constant_table_, values_);
}

// Variables that have no value yet may be of any size: nothing of it is taken before it is written.
void Model::find_variables(const Graph& graph) {
  values_->add_unset(graph, host_);
  for (const Tensor& state : plan_.states) {
    const Variable& variable = values_->variable(state, host_);
    state_table_.push_back(variable.value.address());
    info_table_.push_back(variable.info.address());
  }
  for (const Body& body : plan_.bodies) writes_states_ = writes_states_ || !body.writes.empty();
}

Model::~Model() {
  frames_.close_all();
  if (model_) library_.gc_model_close(model_);
  if (store_) library_.gc_store_close(store_);
}

void Model::fail(const Word* record) const { throw run_error(plan_, record, HostCalls::message(), host_->state()); }

void Model::verify() {
  Word error[L::ERROR_WORDS] = {};
  const Block work(host_, (4 * image_.size() + 64) * sizeof(Word));
  const auto words = static_cast<Word>(image_.size());
  if (library_.gc_verify(address_of(image_.data()), words, address_of(registry()), work.address(), address_of(error)))
    fail(error);
}

void Model::open(int threads, Word tables) {
  const Word bfloat16 = wanted_bfloat16(library_.isa);
  Word error[L::ERROR_WORDS] = {};
  const Word pool = shared_pool(library_, threads);
  store_ = library_.gc_store_open(host_->address());
  if (!store_) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for the model: " + host_->state());
  Word request[L::OPEN_WORDS] = {};
  request[L::OPEN_IMAGE] = address_of(image_.data());
  request[L::OPEN_REGISTRY] = address_of(registry());
  request[L::OPEN_FUNCTIONS] = address_of(library_.functions);
  request[L::OPEN_HOST] = host_->address();
  request[L::OPEN_POOL] = pool;
  request[L::OPEN_STORE] = store_;
  request[L::OPEN_CONSTANTS] = address_of(constant_table_.data());
  request[L::OPEN_STATES] = address_of(state_table_.data());
  request[L::OPEN_INFOS] = address_of(info_table_.data());
  request[L::OPEN_RUN_BODY] = reinterpret_cast<Word>(library_.gc_run_body);
  request[L::OPEN_ERROR] = address_of(error);
  request[L::OPEN_TABLES] = tables;
  const char* winograd = std::getenv("GRAPHC_WINOGRAD");
  request[L::OPEN_NO_WINOGRAD] = winograd && winograd == std::string_view("0");
  request[L::OPEN_MAY_ROUND] = bfloat16;
  request[L::OPEN_RUN_OTHER] = reinterpret_cast<Word>(gc_parts[OTHER_STEPS]);
  const char* tuned = std::getenv("GRAPHC_TUNED");
  if (tuned && *tuned && tuned != std::string_view("0"))
    call_part<decltype(gc_read_ways)>(READ_WAYS, "what GRAPHC_TUNED names", tuned, host_, ways_);
  request[L::OPEN_WAYS] = ways_.empty() ? 0 : address_of(ways_.data());
  model_ = library_.gc_model_open(address_of(request));
  if (!model_) {
    library_.gc_store_close(std::exchange(store_, 0));
    fail(error);
  }
  frames_.begin();
}

void Model::set_host(const std::string& name, HostFunction function) {
  Inside::refuse(values_.get());
  const std::unique_lock<std::shared_mutex> exclusive(values_->mutex);
  host_calls_.set(name, function);
}

}  // namespace graphc_core
