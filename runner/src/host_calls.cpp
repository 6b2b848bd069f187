#include "host_calls.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "error.hpp"
#include "message.hpp"
#include "parts.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr const char* STRINGS_BEGIN = "strings:";

bool begins(const std::string& name, const char* with) { return name.rfind(with, 0) == 0; }

// What Assert calls, unless the embedder sets a function that shows the data (graphc/ops/control/script.py): its first operand is
// the condition.
void check_assertion(const graphc_tensor& condition) {
  const auto* holds = static_cast<const unsigned char*>(condition.data);
  std::int64_t count = 1;
  for (std::int32_t i = 0; i < condition.rank; ++i) count *= condition.sizes[i];
  if (!std::all_of(holds, holds + count, [](unsigned char c) { return c != 0; }))
    throw_error(GRAPHC_INVALID_ARGUMENT, "assertion failed");
}

// The op of a function that takes or gives strings; nullptr if it is Python's alone.
std::unique_ptr<StringOp> string_op(const std::string& name) {
  std::unique_ptr<StringOp> made;
  call_part<decltype(gc_open_string_op)>(STRING_OPS, "what computes ops on strings", name, made);
  return made;
}

}  // namespace

HostCalls::HostCalls(const Library& library, HostTable& host, const Plan& plan) : library_(library), host_(host), plan_(plan) {
  host.words[L::HOST_CONTEXT] = address_of(this);
  host.words[L::HOST_FUNCTION] = reinterpret_cast<Word>(&HostCalls::call);
}

// Ops that a Python library computes have functions named "op:Type(fields)" (graphc/ir/host.py), functions that take or give strings
// "strings:..."; no one can set those.
void HostCalls::open() {
  for (const Body& body : plan_.bodies)
    for (const Step& step : body.steps) {
      if (step.kind != StepKind::HOST) continue;
      const std::string& name = plan_.hosts.at(static_cast<std::size_t>(step.a));
      if (begins(name, STRINGS_BEGIN) && !string_ops_.count(name)) string_ops_[name] = string_op(name);
      if (begins(name, "op:") || (begins(name, STRINGS_BEGIN) && !string_ops_[name])) throw host_error(plan_, step, name);
    }
}

RunStrings*& HostCalls::strings() {
  thread_local RunStrings* current = nullptr;
  return current;
}

void HostCalls::set(const std::string& name, HostFunction function) {
  if (std::find(plan_.hosts.begin(), plan_.hosts.end(), name) == plan_.hosts.end())
    throw_error(GRAPHC_NOT_FOUND, "the model calls no host function '" + name + "'");
  functions_[name] = function;
}

std::string& HostCalls::message() {
  thread_local std::string text;
  return text;
}

graphc_status& HostCalls::status() {
  thread_local graphc_status status;
  return status;
}

std::exception_ptr& HostCalls::part_failure() {
  thread_local std::exception_ptr failure;
  return failure;
}

void HostCalls::serve(const std::string& name, const Word* ask) {
  const auto op = string_ops_.find(name);
  if (op != string_ops_.end()) return serve_strings(*op->second, ask);
  std::vector<graphc_tensor> inputs;
  for (Word i = 0; i < ask[L::ASK_OPERANDS]; ++i) inputs.push_back(slot_tensor(words_at(ask[L::ASK_FIRST + i])));
  HostRequest request{&host_, &library_, ask + L::ASK_FIRST + ask[L::ASK_OPERANDS], ask[L::ASK_SLOTS]};
  if (device_ && begins(name, DEVICE_PART)) return serve_part(name, inputs, request);
  const auto found = functions_.find(name);
  if (found == functions_.end() && begins(name, "assert:") && ask[L::ASK_OPERANDS] > 0)
    return check_assertion(inputs[0]);
  if (found == functions_.end()) throw_error(GRAPHC_NOT_FOUND, "no function is set for it (graphc_set_host)");
  const graphc_status status =
      found->second.function(found->second.user, reinterpret_cast<graphc_request*>(&request), inputs.data(),
                             static_cast<std::int32_t>(inputs.size()), static_cast<std::int32_t>(request.count));
  if (status != GRAPHC_OK) throw_error(status, "it returned status " + decimal(status));
}

void HostCalls::serve_strings(const StringOp& op, const Word* ask) {
  if (!strings()) damaged("an op on strings is called outside of a run");
  StringCall call{library_, host_, *strings(), {}, {}};
  for (Word i = 0; i < ask[L::ASK_OPERANDS]; ++i) call.operands.push_back(words_at(ask[L::ASK_FIRST + i]));
  for (Word i = 0; i < ask[L::ASK_SLOTS]; ++i) call.results.push_back(words_at(ask[L::ASK_FIRST + ask[L::ASK_OPERANDS] + i]));
  op.run(call);
}

void HostCalls::serve_part(const std::string& name, const std::vector<graphc_tensor>& inputs, HostRequest& request) {
  try {
    device_->call(std::strtoul(name.c_str() + std::strlen(DEVICE_PART), nullptr, 10), inputs, request);
  } catch (...) {
    part_failure() = std::current_exception();
    throw;
  }
}

// The runtime calls this for a HOST step, on the thread of the run.
std::int32_t HostCalls::call(Word context, Word host, Word record) {
  auto* calls = reinterpret_cast<HostCalls*>(context);
  try {
    calls->serve(calls->plan_.hosts.at(static_cast<std::size_t>(host)), words_at(record));
    return 0;
  } catch (const Error& error) {
    message() = error.what();
    status() = error.code;
  } catch (const std::exception& error) {
    message() = error.what();
    status() = GRAPHC_UNKNOWN;
  } catch (...) {                        // no exception may pass through the runtime's machine code
    message() = "it threw something";
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

}  // namespace graphc_core
