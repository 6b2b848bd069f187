#include "message.hpp"

#include "graphc_layout.h"
#include "host_calls.hpp"
#include "parts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

template <class List>
const typename List::value_type* at(const List& list, Word index) {
  return index >= 0 && static_cast<std::size_t>(index) < list.size() ? &list[static_cast<std::size_t>(index)] : nullptr;
}

std::string text(Word value) { return std::to_string(value); }

// " in MatMul 'logits', built at train.py:31".
std::string place(const Plan& plan, Word origin) {
  const Origin* found = at(plan.origins, origin);
  if (!found) return "";
  std::string where = "\n  in " + found->op_type + " '" + found->op_name + "'";
  if (!found->file.empty()) where += ", built at " + found->file + ":" + text(found->line);
  return where;
}

// "[4, 0]": the first of the words, at most `most` of them.
std::string numbers(const Word* words, Word count, Word most = L::DETAIL_WORDS / 2) {
  std::string made = "[";
  for (Word i = 0; i < count && i < most; ++i) made += (i ? ", " : "") + text(words[i]);
  return made + "]";
}

const char* relation(std::int32_t kind) { return kind == 0 ? "equal" : kind == 1 ? "be at most" : "be less than"; }

// The text with an error's numbers in place of $a, $b and $c.
std::string filled(const char* text, Word a, Word b, Word c) {
  std::string made;
  for (; *text; ++text) {
    if (*text != '$') made += *text;
    else ++text, made += std::to_string(*text == 'a' ? a : *text == 'b' ? b : c);
  }
  return made;
}

struct Explained {
  graphc_status code;
  std::string text;
};

Explained explain_input(const Plan& plan, Word c, Word given, Word wanted) {
  const Port* port = at(plan.inputs, c / 8);
  return {GRAPHC_INVALID_ARGUMENT, "input '" + (port ? port->name : text(c / 8)) +
                                       filled("': axis $c has size $a, the graph was compiled for $b", given, wanted, c % 8)};
}

Explained explain_guard(const Plan& plan, const Body* body, Word a, Word b, Word c) {
  const Guard* guard = body ? at(body->guards, c) : nullptr;
  if (!guard) return {GRAPHC_INVALID_ARGUMENT, filled("sizes do not fit: $a and $b", a, b, c)};
  return {GRAPHC_INVALID_ARGUMENT, guard->message + ": " + text(a) + " must " + relation(guard->kind) + " " + text(b) +
                                       place(plan, guard->origin)};
}

Explained explain(const Plan& plan, const Body* body, const Step* step, const Word* e, const std::string& host_message,
                  const std::string& memory) {
  const Word a = e[L::ERROR_A], b = e[L::ERROR_B], c = e[L::ERROR_C];
  const auto invalid = [&](const char* text) { return Explained{GRAPHC_INVALID_ARGUMENT, filled(text, a, b, c)}; };
  switch (e[L::ERROR_CODE]) {
    case L::Status::INDEX_OUT_OF_RANGE: return invalid("index $a is out of range: it must be at least 0 and less than $b");
    case L::Status::INDEX_TUPLE:
      return {GRAPHC_INVALID_ARGUMENT, "indices " + numbers(e + L::ERROR_DETAIL, b) + " (tuple " + text(a) +
                                           " of them) do not index into shape " +
                                           numbers(e + L::ERROR_DETAIL + L::DETAIL_WORDS / 2, b)};
    case L::Status::INVALID_VALUE: return invalid("a value is not valid");
    case L::Status::DIVISION_BY_ZERO: return invalid("Integer division by zero");
    case L::Status::NEGATIVE_EXPONENT: return invalid("Integers to negative integer powers are not allowed");
    case L::Status::NOT_DEFINITE: return invalid("the matrix is not positive definite (matrix $a, row $b)");
    case L::Status::NOT_INVERTIBLE: return invalid("Input matrix is not invertible (matrix $a: no pivot in column $b)");
    case L::Status::UNINITIALISED: {
      const Buffer* info = body && step && !step->operands.empty() ? at(body->buffers, step->operands[0]) : nullptr;
      const Tensor* state = info ? at(plan.states, info->index) : nullptr;
      return {GRAPHC_FAILED_PRECONDITION, "variable " + (state ? "'" + state->name + "' " : std::string()) +
                                              "has no value; give it one (graphc_state_set), or save the graph frozen"};
    }
    case L::Status::LEFT_OUT:
      return {GRAPHC_UNIMPLEMENTED, (a > 0 ? "the way to compute it with the sizes and attributes " +
                                                 numbers(e + L::ERROR_DETAIL, a, L::DETAIL_WORDS)
                                           : std::string("the way to compute it")) + lacking()};
    case L::BAD_IMAGE:
      return {GRAPHC_DATA_LOSS, filled("damaged model: the plan fails check $a of the verifier ($b)", a, b, c)};
    case L::NO_MEMORY:
      return {GRAPHC_RESOURCE_EXHAUSTED, filled(a > 0 ? "no memory for $a bytes: " : "no memory: ", a, b, c) + memory};
    case L::TABLES:
      return {GRAPHC_RESOURCE_EXHAUSTED, filled("the tables of a run would take $a bytes, for a file of this size $b are the most: "
                                                "it is damaged, or made to take memory. If it is neither, set "
                                                "graphc_options.memory_limit (graphc-run: --memory)", a, b, c)};
    case L::GUARD: return explain_guard(plan, body, a, b, c);
    case L::DIM_VALUE: return invalid("a size cannot be computed from $a and $b");
    case L::INPUT_SHAPE: return explain_input(plan, c, a, b);
    case L::RELATION: return invalid("sizes do not fit the kernel (relation $c)");
    case L::EXTENT: return invalid("operand $c would need $a elements but has $b");
    case L::HOST_FAILED: {
      const std::string* host = at(plan.hosts, a);
      if (host && host->rfind("strings:", 0) == 0) return {HostCalls::status(), host_message};
      return {GRAPHC_UNKNOWN, "host function '" + (host ? *host : text(a)) + "' failed" +
                                  (host_message.empty() ? "" : ": " + host_message)};
    }
    case L::CANCELLED: return {GRAPHC_CANCELLED, "the run was cancelled"};
    case L::EMPTY_LIST: return invalid("a value is taken from an empty list");
    case L::SLOT_SHAPE: return invalid("axis $c of a value has size $a instead of $b");
    case L::LIST_TYPE: return invalid("a list holds a value of another dtype or rank than wanted");
    case L::LIST_INDEX:
      return invalid(c ? "Tried to write to index $a, but the TensorArray has the size $b"
                       : "Tried to read from index $a, but the TensorArray has the size $b");
    case L::LIST_UNWRITTEN: return invalid("Could not read from TensorArray index $a: nothing was written there");
    case L::LIST_SHAPES:
      return invalid("TensorArray has inconsistent shapes: a size of the element at index $a is $b, another one has $c there");
    case L::LIST_COUNT: return invalid("$a elements or rows do not fit a TensorArray, or $b");
    case L::BUFFER_SIZE: return invalid("a tensor of $a elements cannot be made");
    case L::ACCESS: return invalid("a fused step would reach elements $a to $b");
    case L::MAP_FAILED: return invalid("a fused step cannot be run (status $a)");
    case L::TILES: return {GRAPHC_RESOURCE_EXHAUSTED, "the step is too large"};
    case L::EPILOGUE: return invalid("a fused step does not have the size of the kernel's output");
    case L::HOST_SLOT: return {GRAPHC_UNKNOWN, filled("a host function did not make its output $c", a, b, c)};
    default: return {GRAPHC_INTERNAL, "the runtime failed with code " + text(e[L::ERROR_CODE]) + filled(" ($a, $b, $c)", a, b, c)};
  }
}

}  // namespace

Error run_error(const Plan& plan, const Word* record, const std::string& host_message, const std::string& memory) {
  const Body* body = at(plan.bodies, record[L::ERROR_BODY]);
  const Step* step = body ? at(body->steps, record[L::ERROR_STEP]) : nullptr;
  Explained made = explain(plan, body, step, record, host_message, memory);
  if (step && record[L::ERROR_CODE] != L::GUARD) {
    const std::int32_t* origin = at(step->origins, 0);
    if (origin) made.text += place(plan, *origin);
    if (step->kind == StepKind::CALL) made.text += "\n  kernel " + step->kernel;
  }
  return Error(made.code, made.text);
}

Error host_error(const Plan& plan, const Step& step, const std::string& function) {
  const std::int32_t* number = at(step.origins, 0);
  const Origin* origin = number ? at(plan.origins, *number) : nullptr;
  const std::string type = origin ? origin->op_type : function.substr(0, function.find('('));
  return Error(GRAPHC_UNIMPLEMENTED, "op " + (origin ? "'" + origin->op_name + "' " : std::string()) + "of type " + type +
                                         " runs in Python only: compute it there, and feed its result" +
                                         (number ? place(plan, *number) : std::string()));
}

}  // namespace graphc_core
