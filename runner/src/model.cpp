#include "model.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "image.hpp"
#include "inputs.hpp"
#include "message.hpp"
#include "pool.hpp"
#include "ports.hpp"
#include "tensors.hpp"
#include "trace.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t LARGEST_PLAN = std::size_t{1} << 28;    // bytes of the message

}  // namespace

Model::Model(const GraphFile& file, const Options& options, std::shared_ptr<HostTable> host)
    : library_(choose_library(options.isa)), host_(std::move(host)), charge_(host_), host_calls_(library_, *host_, plan_),
      frames_(library_, host_, plan_) {
  const bool limited = options.memory_limit > 0;
  const Graph graph(file, host_, limited);
  load(graph, options);
  find_variables(graph);
  open(options.threads, tables_limit(file.data.size(), limited));
}

// What the file's own bytes decide; it may take memory in proportion to them only.
void Model::load(const Graph& graph, const Options& options) {
  const LoadLimit limit(host_, graph.bytes(), options.memory_limit > 0);
  const SavedPlan& saved = choose_plan(graph, options.signature);
  for (const SavedPlan& one : graph.plans()) signatures_.push_back(one.signature);
  if (saved.plan.size() > LARGEST_PLAN) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "the plan is too large");
  plan_ = read_plan(saved.plan, charge_);
  image_ = make_image(plan_, registry_names(), charge_);
  verify();
  check_hosts(plan_);
  check_strings(plan_);
  check_ports(plan_);
  values_ = options.values;
  if (!values_) {
    values_ = std::make_shared<Values>(saved.graph_hash);
    values_->add_saved(graph, host_);
  }
  if (values_->graph_hash() != saved.graph_hash)
    throw Error(GRAPHC_FAILED_PRECONDITION, "the model whose variables are to be shared was loaded from another file, or one that "
                                            "was written anew since");
  for (const Tensor& constant : plan_.constants) constant_table_.push_back(values_->constant(constant, graph, host_));
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
  Word error[L::ERROR_WORDS] = {};
  const Word pool = shared_pool(library_, threads);
  store_ = library_.gc_store_open(host_->address());
  if (!store_) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for the model: " + host_->state());
  Word request[16] = {};
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
  model_ = library_.gc_model_open(address_of(request));
  if (!model_) {
    library_.gc_store_close(std::exchange(store_, 0));
    fail(error);
  }
}

std::unique_ptr<Result> Model::run(const graphc_tensor* inputs, std::size_t count) {
  Inside::refuse(values_.get());
  const Inside inside(values_.get());
  const Running running(runs_);
  const std::vector<Word> sizes = checked_sizes(plan_, inputs, count);
  const Inputs given(inputs, count, host_);
  auto result = std::make_unique<Result>();
  std::unique_lock<std::shared_mutex> exclusive(values_->mutex, std::defer_lock);
  std::shared_lock<std::shared_mutex> shared(values_->mutex, std::defer_lock);
  if (writes_states_) exclusive.lock();
  else shared.lock();
  const Word number = values_->runs.fetch_add(1);        // a run that fails counts, as in a Session
  Frame frame = frames_.take(model_, sizes);
  try {
    make_outputs(frame, *result);
    run_frame(frame, number, running, given.addresses(), *result);
    copy_outputs(frame, *result);
  } catch (...) {
    frames_.close(frame);                      // a frame whose run failed is not used again
    throw;
  }
  frames_.give_back(std::move(frame));
  return result;
}

// Memory for the outputs whose sizes are known before the run.
void Model::make_outputs(const Frame& frame, Result& result) {
  for (graphc_tensor output : frame.outputs) {
    Block memory;
    if (output.rank >= 0) memory = Block(host_, bytes_of(output));
    output.data = memory.data();
    result.outputs.push_back(output);
    result.memory.push_back(std::move(memory));
  }
}

void Model::run_frame(Frame& frame, Word number, const Running& running, const std::vector<Word>& addresses, Result& result) {
  Word error[L::ERROR_WORDS] = {};
  std::vector<Word> call(L::CALL_WORDS, 0);
  call[L::CALL_FRAME] = frame.handle;
  call[L::CALL_RUN] = number;
  call[L::CALL_CANCEL] = address_of(running.flag());
  call[L::CALL_ERROR] = address_of(error);
  call.insert(call.end(), addresses.begin(), addresses.end());
  for (const graphc_tensor& output : result.outputs) call.push_back(address_of(output.data));
  const Trace trace;
  call[L::CALL_TRACE] = trace.address();
  HostCalls::message().clear();
  const std::int32_t status = library_.gc_run(address_of(call.data()));
  trace.print(plan_);
  if (status) fail(error);
}

// Outputs whose sizes came out of the run lie in memory of the runtime's.
void Model::copy_outputs(const Frame& frame, Result& result) {
  const Word* slot = words_at(words_at(frame.handle)[L::FRAME_OUTPUTS]);
  for (std::size_t i = 0; i < result.outputs.size(); ++i, slot += L::SLOT_RECORD) {
    graphc_tensor& output = result.outputs[i];
    if (output.data) continue;
    output = slot_tensor(slot);
    output.dtype = plan_.outputs[i].dtype;
    const std::size_t bytes = bytes_of(output);
    result.memory[i] = Block(host_, bytes);
    if (bytes) std::memcpy(result.memory[i].data(), output.data, bytes);
    output.data = result.memory[i].data();
  }
}

void Model::set_host(const std::string& name, HostFunction function) {
  Inside::refuse(values_.get());
  const std::unique_lock<std::shared_mutex> exclusive(values_->mutex);
  host_calls_.set(name, function);
}

}  // namespace graphc_core
