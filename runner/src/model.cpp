#include "model.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "dtypes.hpp"
#include "message.hpp"
#include "pool.hpp"
#include "trace.hpp"

namespace graphc {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr std::size_t MOST_IDLE_FRAMES = 16;
constexpr std::size_t LARGEST_PLAN = std::size_t{1} << 28;    // bytes of the message

Word address_of(const void* pointer) { return reinterpret_cast<Word>(pointer); }
Word* words_at(Word address) { return reinterpret_cast<Word*>(address); }

// What a host function that failed said; told to the user by the run that called it, on the same thread.
thread_local std::string host_message;

// The shape that a SLOT record of the runtime has, as a tensor.
graphc_tensor slot_tensor(const Word* slot) {
  graphc_tensor tensor{};
  tensor.dtype = static_cast<std::int32_t>(slot[L::SLOT_DTYPE]);
  tensor.rank = static_cast<std::int32_t>(slot[L::SLOT_RANK]);
  for (Word axis = 0; axis < slot[L::SLOT_RANK]; ++axis) tensor.sizes[axis] = slot[L::SLOT_SIZES + axis];
  tensor.data = reinterpret_cast<void*>(slot[L::SLOT_ADDRESS]);
  return tensor;
}

// Bytes of a tensor with sizes of at least 0; false if no memory could hold it.
bool bytes_of(const graphc_tensor& tensor, std::size_t& bytes) {
  static constexpr std::size_t LARGEST = std::size_t{1} << 46;
  bytes = static_cast<std::size_t>(find_dtype(tensor.dtype)->size);
  bool fits = true;
  for (std::int32_t axis = 0; axis < tensor.rank; ++axis) {
    const auto size = static_cast<std::size_t>(tensor.sizes[axis]);
    if (!size) return bytes = 0, true;
    fits = fits && bytes <= LARGEST / size;
    if (fits) bytes *= size;
  }
  return fits;
}

std::size_t bytes_of(const graphc_tensor& tensor) {
  std::size_t bytes = 0;
  if (!bytes_of(tensor, bytes)) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "a tensor that is too large for any memory");
  return bytes;
}

std::string shape_text(const std::int64_t* sizes, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i ? ", " : "") + (sizes[i] < 0 ? "any" : std::to_string(sizes[i]));
  return text + "]";
}

// Copies of inputs that cannot be used in place: misaligned ones, and bools that are neither 0 nor 1.
class Inputs {
 public:
  Inputs(const graphc_tensor* given, std::size_t count, std::shared_ptr<HostTable> host) : host_(std::move(host)) {
    for (std::size_t i = 0; i < count; ++i) addresses.push_back(usable(given[i]));
  }
  std::vector<Word> addresses;

 private:
  Word usable(const graphc_tensor& tensor) {
    static const Word nothing[8] = {};
    const std::size_t bytes = bytes_of(tensor);
    const char* data = static_cast<const char*>(tensor.data);
    if (!bytes) return address_of(data ? data : reinterpret_cast<const char*>(nothing));
    const bool is_bool = tensor.dtype == 10;
    const bool fits = address_of(data) % find_dtype(tensor.dtype)->size == 0 &&
                      !(is_bool && std::any_of(data, data + bytes, [](char c) { return c & ~1; }));
    if (fits) return address_of(data);
    copies_.emplace_back(host_, bytes);
    char* copy = copies_.back().data();
    std::memcpy(copy, data, bytes);
    if (is_bool) std::transform(copy, copy + bytes, copy, [](char c) { return static_cast<char>(c != 0); });
    return address_of(copy);
  }

  std::shared_ptr<HostTable> host_;
  std::vector<Block> copies_;
};

}  // namespace

Model::Model(std::string_view file, const Options& options, std::shared_ptr<HostTable> host)
    : library_(choose_library(options.isa)), host_(std::move(host)), charge_(host_) {
  host_->words[L::HOST_CONTEXT] = address_of(this);
  host_->words[L::HOST_FUNCTION] = reinterpret_cast<Word>(&Model::call_host);
  load(file, options);
  make_states();
  open(options.threads, tables_limit(file.size(), options.memory_limit > 0));
}

void Model::load(std::string_view file, const Options& options) {
  const LoadLimit limit(host_, file.size(), options.memory_limit > 0);
  const Graph graph(file, host_);
  const SavedPlan& saved = choose_plan(graph, options.signature);
  if (saved.plan.size() > LARGEST_PLAN) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "the plan is too large");
  plan_ = read_plan(saved.plan, charge_);
  image_ = make_image(plan_, registry_names(), charge_);
  verify();
  check_hosts();
  check_strings();
  check_ports();
  load_values(graph);
}

Model::~Model() {
  for (Frame& frame : idle_) library_.gc_frame_close(frame.handle);
  if (model_) library_.gc_model_close(model_);
  if (store_) library_.gc_store_close(store_);
}

void Model::fail(const Word* record) const { throw run_error(plan_, record, host_message, host_->state()); }

void Model::verify() {
  Word error[L::ERROR_WORDS] = {};
  const Block work(host_, (4 * image_.size() + 64) * sizeof(Word));
  const auto words = static_cast<Word>(image_.size());
  if (library_.gc_verify(address_of(image_.data()), words, address_of(gc_registry), work.address(), address_of(error)))
    fail(error);
}

// Ports are no part of the image, so the verifier did not see that they belong to body 0's inputs and outputs.
void Model::check_ports() const {
  const Body& body = plan_.bodies.at(0);
  const auto check = [&](const std::vector<Port>& ports, const Ids& ids, const char* what) {
    if (ports.size() != ids.size()) damaged(std::string("the plan names another number of ") + what + " than it has");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Buffer& buffer = body.buffers.at(static_cast<std::size_t>(ids[i]));
      if (ports[i].dtype != buffer.dtype || ports[i].shape.size() != buffer.dims.size())
        damaged("'" + ports[i].name + "' has another dtype or rank than its buffer");
      const DType* dtype = find_dtype(buffer.dtype);
      if (!dtype || !dtype->size)
        throw Error(GRAPHC_UNIMPLEMENTED, "'" + ports[i].name + "' is of dtype " + dtype_name(buffer.dtype) +
                                              ", which cannot be fed or fetched here");
    }
  };
  check(plan_.inputs, body.inputs, "inputs");
  check(plan_.outputs, body.outputs, "outputs");
}

// Strings are numbers in a table of the process that runs a plan (docs/adr/0022), and this library has none.
void Model::check_strings() const {
  const auto check = [](const auto& rows, const char* what) {
    for (const auto& row : rows)
      if (row.dtype == STRING)
        throw Error(GRAPHC_UNIMPLEMENTED, std::string(what) + " '" + row.name + "' holds strings, and strings are computed in "
                                              "Python only: compute there what is made of them, and feed that");
  };
  check(plan_.inputs, "input");
  check(plan_.constants, "constant");
  check(plan_.states, "variable");
  check(plan_.outputs, "output");
}

// Ops that a Python library computes have functions named "op:Type(fields)" (graphc/ir/host.py), functions that take or give strings
// "strings:..."; no one can set those.
void Model::check_hosts() const {
  for (const Body& body : plan_.bodies)
    for (const Step& step : body.steps) {
      if (step.kind != StepKind::HOST) continue;
      const std::string& name = plan_.hosts.at(static_cast<std::size_t>(step.a));
      if (name.rfind("op:", 0) == 0 || name.rfind("strings:", 0) == 0) throw host_error(plan_, step, name);
    }
}

void Model::load_values(const Graph& graph) {
  for (const Tensor& constant : plan_.constants) {
    constants_.emplace_back(host_, tensor_bytes(constant));
    graph.copy_constant(constant, constants_.back().data(), constants_.back().bytes());
    constant_table_.push_back(constants_.back().address());
  }
}

// Variables have memory of their full size from the start, of which nothing is taken before it is written.
void Model::make_states() {
  for (const Tensor& state : plan_.states) {
    states_.emplace_back(host_, tensor_bytes(state));
    infos_.emplace_back(host_, 2 * sizeof(Word));
    state_table_.push_back(states_.back().address());
    info_table_.push_back(infos_.back().address());
  }
  for (const Body& body : plan_.bodies) writes_states_ = writes_states_ || !body.writes.empty();
}

void Model::open(int threads, Word tables) {
  Word error[L::ERROR_WORDS] = {};
  const Word pool = shared_pool(library_, threads);
  store_ = library_.gc_store_open(host_->address());
  if (!store_) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for the model: " + host_->state());
  Word request[16] = {};
  request[L::OPEN_IMAGE] = address_of(image_.data());
  request[L::OPEN_REGISTRY] = address_of(gc_registry);
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
  model_ = library_.gc_model_open(address_of(request));
  if (!model_) {
    library_.gc_store_close(std::exchange(store_, 0));
    fail(error);
  }
}

std::vector<Word> Model::checked_sizes(const graphc_tensor* inputs, std::size_t count) const {
  if (count != plan_.inputs.size())
    throw Error(GRAPHC_INVALID_ARGUMENT, "the model has " + std::to_string(plan_.inputs.size()) + " inputs, " +
                                             std::to_string(count) + " are given");
  std::vector<Word> sizes(8 * count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Port& port = plan_.inputs[i];
    const graphc_tensor& given = inputs[i];
    const auto refuse = [&](const std::string& why) { throw Error(GRAPHC_INVALID_ARGUMENT, "input '" + port.name + "' " + why); };
    if (given.dtype != port.dtype)
      refuse("is of dtype " + dtype_name(port.dtype) + ", a tensor of " + dtype_name(given.dtype) + " is given");
    const std::size_t rank = port.shape.size();
    const std::string wanted = shape_text(port.shape.data(), rank);
    if (given.rank < 0 || static_cast<std::size_t>(given.rank) != rank)
      refuse("has shape " + wanted + ", a tensor of " + std::to_string(given.rank) + " axes is given");
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const bool fits = given.sizes[axis] >= 0 && (port.shape[axis] < 0 || port.shape[axis] == given.sizes[axis]);
      if (!fits) refuse("has shape " + wanted + ", a tensor of shape " + shape_text(given.sizes, rank) + " is given");
      sizes[8 * i + axis] = given.sizes[axis];
    }
    std::size_t bytes = 0;
    if (!bytes_of(given, bytes))
      refuse("has shape " + wanted + ", a tensor of shape " + shape_text(given.sizes, rank) + " is given, which is too large for "
             "any memory");
    if (bytes && !given.data) refuse("has no data");
  }
  return sizes;
}

Model::Running::Running(Model& owner) : model(owner) {
  const std::lock_guard<std::mutex> guard(model.running_mutex_);
  behind = model.running_;
  if (behind) behind->before = this;
  model.running_ = this;
}

Model::Running::~Running() {
  const std::lock_guard<std::mutex> guard(model.running_mutex_);
  if (behind) behind->before = before;
  (before ? before->behind : model.running_) = behind;
}

void Model::cancel() {
  const std::lock_guard<std::mutex> guard(running_mutex_);
  for (Running* run = running_; run; run = run->behind) run->cancelled = 1;
}

// An idle frame that is bound for these sizes, else one that is bound anew.
Model::Frame Model::take_frame(const std::vector<Word>& sizes) {
  Frame frame;
  {
    const std::lock_guard<std::mutex> guard(frames_mutex_);
    auto found = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Frame& f) { return f.bound && f.sizes == sizes; });
    if (found == idle_.rend() && idle_.size() >= MOST_IDLE_FRAMES) found = std::prev(idle_.rend());
    if (found != idle_.rend()) {
      frame = std::move(*found);
      idle_.erase(std::next(found).base());
    }
  }
  Word error[L::ERROR_WORDS] = {};
  if (!frame.handle) frame.handle = library_.gc_frame_open(model_, address_of(error));
  if (!frame.handle) throw Error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for a run: " + host_->state());
  if (frame.bound && frame.sizes == sizes) return frame;
  if (library_.gc_frame_size(frame.handle, address_of(sizes.data()), address_of(error))) {
    library_.gc_frame_close(frame.handle);
    fail(error);
  }
  frame.sizes = sizes;
  frame.bound = true;
  note_outputs(frame);
  return frame;
}

// Shapes of the outputs as gc_frame_size left them: a run writes the shapes that it makes into the same table.
void Model::note_outputs(Frame& frame) const {
  frame.outputs.clear();
  const Word* slot = words_at(words_at(frame.handle)[L::FRAME_OUTPUTS]);
  for (std::size_t i = 0; i < plan_.outputs.size(); ++i, slot += L::SLOT_RECORD) {
    graphc_tensor output{};
    output.rank = -1;
    if (slot[L::SLOT_RANK] >= 0) output = slot_tensor(slot);
    output.dtype = plan_.outputs[i].dtype;
    output.data = nullptr;
    frame.outputs.push_back(output);
  }
}

void Model::give_back(Frame frame) {
  Frame oldest;
  {
    const std::lock_guard<std::mutex> guard(frames_mutex_);
    idle_.push_back(std::move(frame));
    if (idle_.size() > MOST_IDLE_FRAMES) {
      oldest = std::move(idle_.front());
      idle_.erase(idle_.begin());
    }
  }
  if (oldest.handle) library_.gc_frame_close(oldest.handle);
}

std::unique_ptr<Result> Model::run(const graphc_tensor* inputs, std::size_t count) {
  Running running(*this);
  const std::vector<Word> sizes = checked_sizes(inputs, count);
  const Inputs given(inputs, count, host_);
  auto result = std::make_unique<Result>();
  std::unique_lock<std::shared_mutex> exclusive(states_mutex_, std::defer_lock);
  std::shared_lock<std::shared_mutex> shared(states_mutex_, std::defer_lock);
  if (writes_states_) exclusive.lock();
  else shared.lock();
  const Word number = runs_.fetch_add(1);        // a run that fails counts, as in a Session
  Frame frame = take_frame(sizes);
  try {
    make_outputs(frame, *result);
    run_frame(frame, number, running, given.addresses, *result);
    copy_outputs(frame, *result);
  } catch (...) {
    library_.gc_frame_close(frame.handle);     // a frame whose run failed is not used again
    throw;
  }
  give_back(std::move(frame));
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

void Model::run_frame(Frame& frame, Word number, Running& running, const std::vector<Word>& addresses, Result& result) {
  Word error[L::ERROR_WORDS] = {};
  std::vector<Word> call(L::CALL_WORDS, 0);
  call[L::CALL_FRAME] = frame.handle;
  call[L::CALL_RUN] = number;
  call[L::CALL_CANCEL] = address_of(&running.cancelled);
  call[L::CALL_ERROR] = address_of(error);
  call.insert(call.end(), addresses.begin(), addresses.end());
  for (const graphc_tensor& output : result.outputs) call.push_back(address_of(output.data));
  const Trace trace;
  call[L::CALL_TRACE] = trace.address();
  host_message.clear();
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

void Model::set_state(std::size_t index, const graphc_tensor& value) {
  const Tensor& state = plan_.states.at(index);
  const bool same_shape = static_cast<std::size_t>(value.rank) == state.shape.size() &&
                          std::equal(state.shape.begin(), state.shape.end(), value.sizes);
  if (value.dtype != state.dtype || value.rank < 0 || !same_shape)
    throw Error(GRAPHC_INVALID_ARGUMENT, "variable '" + state.name + "' is of dtype " + dtype_name(state.dtype) + " and shape " +
                                             shape_text(state.shape.data(), state.shape.size()));
  if (!value.data && states_[index].bytes()) throw Error(GRAPHC_INVALID_ARGUMENT, "variable '" + state.name + "': no data");
  const std::unique_lock<std::shared_mutex> exclusive(states_mutex_);
  if (states_[index].bytes()) std::memcpy(states_[index].data(), value.data, states_[index].bytes());
  Word* info = words_at(infos_[index].address());
  info[0] = 1;
  ++info[1];
}

void Model::get_state(std::size_t index, void* data, std::size_t bytes) {
  const Tensor& state = plan_.states.at(index);
  const std::shared_lock<std::shared_mutex> shared(states_mutex_);
  if (words_at(infos_[index].address())[0] == 0)
    throw Error(GRAPHC_FAILED_PRECONDITION, "variable '" + state.name + "' has no value");
  if (bytes != states_[index].bytes())
    throw Error(GRAPHC_INVALID_ARGUMENT, "variable '" + state.name + "' has " + std::to_string(states_[index].bytes()) + " bytes");
  if (bytes) std::memcpy(data, states_[index].data(), bytes);
}

void Model::set_host(const std::string& name, HostFunction function) {
  if (std::find(plan_.hosts.begin(), plan_.hosts.end(), name) == plan_.hosts.end())
    throw Error(GRAPHC_NOT_FOUND, "the model calls no host function '" + name + "'");
  const std::unique_lock<std::shared_mutex> exclusive(states_mutex_);
  hosts_[name] = function;
}

// What Assert calls, unless the embedder sets a function that shows the data (graphc/ops/control/script.py): its first operand is the
// condition.
static std::int32_t check_assertion(const graphc_tensor& condition) {
  const auto* holds = static_cast<const unsigned char*>(condition.data);
  std::int64_t count = 1;
  for (std::int32_t i = 0; i < condition.rank; ++i) count *= condition.sizes[i];
  if (!std::all_of(holds, holds + count, [](unsigned char c) { return c != 0; }))
    throw Error(GRAPHC_INVALID_ARGUMENT, "assertion failed");
  return 0;
}

// The runtime calls this for a HOST step, on the thread of the run.
std::int32_t Model::call_host(Word context, Word host, Word record) {
  auto* model = reinterpret_cast<Model*>(context);
  const Word* ask = words_at(record);
  try {
    const std::string& name = model->plan_.hosts.at(static_cast<std::size_t>(host));
    const auto found = model->hosts_.find(name);
    if (found == model->hosts_.end() && name.rfind("assert:", 0) == 0 && ask[L::ASK_OPERANDS] > 0)
      return check_assertion(slot_tensor(words_at(ask[L::ASK_FIRST])));
    if (found == model->hosts_.end()) throw Error(GRAPHC_NOT_FOUND, "no function is set for it (graphc_set_host)");
    std::vector<graphc_tensor> inputs;
    for (Word i = 0; i < ask[L::ASK_OPERANDS]; ++i) inputs.push_back(slot_tensor(words_at(ask[L::ASK_FIRST + i])));
    HostRequest request{model->host_.get(), &model->library_, ask + L::ASK_FIRST + ask[L::ASK_OPERANDS], ask[L::ASK_SLOTS]};
    const graphc_status status =
        found->second.function(found->second.user, reinterpret_cast<graphc_request*>(&request), inputs.data(),
                               static_cast<std::int32_t>(inputs.size()), static_cast<std::int32_t>(request.count));
    if (status != GRAPHC_OK) throw Error(status, "it returned status " + std::to_string(status));
    return 0;
  } catch (const std::exception& error) {
    host_message = error.what();
  } catch (...) {                        // no exception may pass through the runtime's machine code
    host_message = "it threw something";
  }
  return 1;
}

void* make_host_output(HostRequest& request, Word index, std::int32_t dtype, std::int32_t rank, const Word* sizes) {
  if (index < 0 || index >= request.count) return nullptr;
  const Word slot = request.slots[index];
  if (words_at(slot)[L::SLOT_DTYPE] != dtype || words_at(slot)[L::SLOT_RANK] != rank) return nullptr;
  return reinterpret_cast<void*>(
      request.library->gc_slot_reserve(request.host->address(), slot, rank, address_of(sizes)));
}

}  // namespace graphc
