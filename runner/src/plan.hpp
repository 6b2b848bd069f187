// A compiled plan as read from a file: the messages of proto/plan.proto as plain structs. Nothing in it is trusted; the
// verifier in kernels/runtime checks the image made of it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"

namespace graphc_core {

using Ids = std::vector<std::int32_t>;
using Shape = std::vector<std::int64_t>;

// As in plan.proto; the image uses the same numbers.
enum class StepKind { MAP = 1, CALL, BIND, TAKE, HOST, WHILE, IF, PUSH, POP, LENGTH, LIST };

struct Port { std::string name; std::int32_t dtype = 0; Shape shape; };
struct Tensor { std::string name; std::int32_t dtype = 0; Shape shape; };  // a constant or a state
struct Origin { std::string op_name, op_type, file; std::int32_t line = 0; };
struct Dim { std::int32_t kind = 0; Ids operands; std::int64_t value = 0; };
struct Buffer { std::int32_t kind = 0, dtype = 0, index = 0; Ids dims; };
struct Slot { std::int32_t dtype = 0, rank = 0; };
struct SlotBind { std::int32_t slot = 0, axis = 0, dim = 0; };
struct Guard { std::int32_t kind = 0, a = 0, b = 0, origin = -1; std::string message; };
struct Access { std::int32_t buffer = 0, offset = 0; Ids strides; };

struct Instr {
  std::string op;
  std::int32_t dtype = 0;
  Ids args;
  double real = 0;
  std::int64_t integer = 0;
  bool is_real = false;
};

struct Program { Ids loads; std::vector<Instr> instrs; Ids stores; };
struct Map { std::int32_t program = 0, reduced = 0; Ids domain; std::vector<Access> loads, stores; };

// One struct for all kinds of steps. Which fields a kind uses stands in plan.proto; `a`, `b`, `c` are its scalar fields in
// the order in which the image wants them: BIND buffer; TAKE slot, buffer; HOST host; WHILE cond, body, carried;
// IF pred, then, orelse; PUSH source, value, result; POP source, result, slot; LENGTH source, buffer; LIST
// operation.
struct Step {
  StepKind kind = StepKind::MAP;
  Map map;                           // MAP, or the epilogue of CALL
  bool epilogue = false;
  std::string kernel;
  Ids operands, dims, slots;
  std::vector<std::int64_t> attrs;
  std::int32_t a = 0, b = 0, c = 0;
  std::vector<SlotBind> binds;
  Ids origins;
};

struct Body {
  std::string name;
  std::vector<Dim> dims;
  std::vector<Buffer> buffers;
  Ids inputs, outputs, writes;
  std::vector<Slot> slots;
  std::vector<Guard> guards;
  std::vector<Step> steps;
};

struct Plan {
  std::vector<Port> inputs, outputs;
  std::vector<Body> bodies;
  std::vector<Program> programs;
  std::vector<Tensor> constants, states;
  std::vector<std::string> hosts;
  std::vector<Origin> origins;
  std::int32_t prepare = -1;
};

struct SavedPlan {
  std::uint64_t version = 0, graph_hash = 0;
  std::string signature;
  std::string_view plan;             // a view into the file, for read_plan
};

constexpr std::uint64_t FORMAT_VERSION = 1;

// What the results take is counted in `charge`.
SavedPlan read_saved_plan(std::string_view message, Charge& charge);
Plan read_plan(std::string_view message, Charge& charge);

}  // namespace graphc_core
