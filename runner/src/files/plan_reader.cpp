// proto/plan.proto -> the structs of plan.hpp. One function a message, fields in the order of the .proto file.
#include "plan.hpp"

#include <algorithm>

#include "wire.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

std::int32_t small(Reader& r) {
  const std::int64_t value = r.integer();
  if (value < INT32_MIN || value > INT32_MAX) damaged("a number out of range in a plan");
  return static_cast<std::int32_t>(value);
}

std::string text(Reader& r) {
  const std::string_view bytes = r.bytes();
  r.count(1, bytes.size());
  return std::string(bytes);
}

template <class Message>
void read_into(Message& message, Reader& r, void (*field)(Reader&, Message&)) {
  Reader inner(r.bytes(), r.charge());
  while (inner.next()) field(inner, message);
}

// A message for a list.
template <class Message>
Message read(Reader& r, void (*field)(Reader&, Message&)) {
  r.count(1, sizeof(Message));
  Message message;
  read_into(message, r, field);
  return message;
}

void port(Reader& r, Port& m) {
  switch (r.field()) {
    case 1: m.name = text(r); break;
    case 2: m.dtype = small(r); break;
    case 3: r.integers(m.shape); break;
    default: r.skip();
  }
}

void tensor(Reader& r, Tensor& m) {
  switch (r.field()) {
    case 1: m.name = text(r); break;
    case 2: m.dtype = small(r); break;
    case 3: r.integers(m.shape); break;
    default: r.skip();
  }
}

void origin(Reader& r, Origin& m) {
  switch (r.field()) {
    case 1: m.op_name = text(r); break;
    case 2: m.op_type = text(r); break;
    case 3: m.file = text(r); break;
    case 4: m.line = small(r); break;
    default: r.skip();
  }
}

void dim(Reader& r, Dim& m) {
  switch (r.field()) {
    case 1: m.kind = small(r); break;
    case 2: r.integers(m.operands); break;
    case 3: m.value = r.signed_integer(); break;
    default: r.skip();
  }
}

void buffer(Reader& r, Buffer& m) {
  switch (r.field()) {
    case 1: m.kind = small(r); break;
    case 2: m.dtype = small(r); break;
    case 3: r.integers(m.dims); break;
    case 4: m.index = small(r); break;
    default: r.skip();
  }
}

void slot(Reader& r, Slot& m) {
  switch (r.field()) {
    case 1: m.dtype = small(r); break;
    case 2: m.rank = small(r); break;
    default: r.skip();
  }
}

void slot_bind(Reader& r, SlotBind& m) {
  switch (r.field()) {
    case 1: m.slot = small(r); break;
    case 2: m.axis = small(r); break;
    case 3: m.dim = small(r); break;
    default: r.skip();
  }
}

void guard(Reader& r, Guard& m) {
  switch (r.field()) {
    case 1: m.kind = small(r); break;
    case 2: m.a = small(r); break;
    case 3: m.b = small(r); break;
    case 4: {
      const std::int32_t number = small(r);  // + 1 in the file
      m.origin = number > 0 ? number - 1 : -1;
      break;
    }
    case 5: m.message = text(r); break;
    default: r.skip();
  }
}

void access(Reader& r, Access& m) {
  switch (r.field()) {
    case 1: m.buffer = small(r); break;
    case 2: m.offset = small(r); break;
    case 3: r.integers(m.strides); break;
    default: r.skip();
  }
}

void instr(Reader& r, Instr& m) {
  switch (r.field()) {
    case 1: m.op = text(r); break;
    case 2: m.dtype = small(r); break;
    case 3: r.integers(m.args); break;
    case 4: m.real = r.real(); m.is_real = true; break;
    case 5: m.integer = r.signed_integer(); m.is_real = false; break;
    default: r.skip();
  }
}

void program(Reader& r, Program& m) {
  switch (r.field()) {
    case 1: r.integers(m.loads); break;
    case 2: m.instrs.push_back(read(r, instr)); break;
    case 3: r.integers(m.stores); break;
    default: r.skip();
  }
}

void map(Reader& r, Map& m) {
  switch (r.field()) {
    case 1: m.program = small(r); break;
    case 2: r.integers(m.domain); break;
    case 3: m.reduced = small(r); break;
    case 4: m.loads.push_back(read(r, access)); break;
    case 5: m.stores.push_back(read(r, access)); break;
    default: r.skip();
  }
}

void call(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.kernel = text(r); break;
    case 2: r.integers(m.operands); break;
    case 3: r.integers(m.dims); break;
    case 4: r.integers(m.attrs, true); break;
    case 5: m.map = Map(); read_into(m.map, r, map); m.epilogue = true; break;
    default: r.skip();
  }
}

void bind(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.a = small(r); break;
    case 2: r.integers(m.dims); break;
    default: r.skip();
  }
}

// TAKE, PUSH, LENGTH: scalars only.
void scalars(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.a = small(r); break;
    case 2: m.b = small(r); break;
    case 3: m.c = small(r); break;
    default: r.skip();
  }
}

void host(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.a = small(r); break;
    case 2: r.integers(m.operands); break;
    case 3: r.integers(m.slots); break;
    case 4: m.binds.push_back(read(r, slot_bind)); break;
    default: r.skip();
  }
}

void loop(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.a = small(r); break;
    case 2: m.b = small(r); break;
    case 3: r.integers(m.operands); break;
    case 4: m.c = small(r); break;
    case 5: r.integers(m.slots); break;
    case 6: m.binds.push_back(read(r, slot_bind)); break;
    default: r.skip();
  }
}

void branch(Reader& r, Step& m) {
  switch (r.field()) {
    case 1: m.a = small(r); break;
    case 2: m.b = small(r); break;
    case 3: m.c = small(r); break;
    case 4: r.integers(m.operands); break;
    case 5: r.integers(m.slots); break;
    case 6: m.binds.push_back(read(r, slot_bind)); break;
    default: r.skip();
  }
}

void pop(Reader& r, Step& m) {
  if (r.field() == 4) m.binds.push_back(read(r, slot_bind));
  else scalars(r, m);
}

void step(Reader& r, Step& m) {
  static constexpr std::int32_t FIRST = 1, LAST = 11;
  if (r.field() == 100) return r.integers(m.origins);
  if (r.field() < FIRST || r.field() > LAST) damaged("a step of unknown kind; the file was made by a newer graphc");
  const auto kind = static_cast<StepKind>(r.field());
  Ids origins = std::move(m.origins);
  m = Step();
  switch (kind) {
    case StepKind::MAP: read_into(m.map, r, map); break;
    case StepKind::CALL: read_into(m, r, call); break;
    case StepKind::BIND: read_into(m, r, bind); break;
    case StepKind::HOST: case StepKind::LIST: read_into(m, r, host); break;
    case StepKind::WHILE: read_into(m, r, loop); break;
    case StepKind::IF: read_into(m, r, branch); break;
    case StepKind::POP: read_into(m, r, pop); break;
    default: read_into(m, r, scalars);
  }
  m.kind = kind;
  m.origins = std::move(origins);
}

void body(Reader& r, Body& m) {
  switch (r.field()) {
    case 1: m.name = text(r); break;
    case 2: m.dims.push_back(read(r, dim)); break;
    case 3: m.buffers.push_back(read(r, buffer)); break;
    case 4: r.integers(m.inputs); break;
    case 5: r.integers(m.outputs); break;
    case 6: m.slots.push_back(read(r, slot)); break;
    case 7: m.guards.push_back(read(r, guard)); break;
    case 8: m.steps.push_back(read(r, step)); break;
    case 9: r.integers(m.writes); break;
    default: r.skip();
  }
}

}  // namespace

Plan read_plan(std::string_view message, Charge& charge) {
  Plan m;
  Reader r(message, &charge);
  while (r.next()) switch (r.field()) {
    case 1: m.inputs.push_back(read(r, port)); break;
    case 2: m.outputs.push_back(read(r, port)); break;
    case 3: m.bodies.push_back(read(r, body)); break;
    case 4: m.programs.push_back(read(r, program)); break;
    case 5: m.constants.push_back(read(r, tensor)); break;
    case 6: m.states.push_back(read(r, tensor)); break;
    case 7: r.count(1, sizeof(std::string)); m.hosts.push_back(text(r)); break;
    case 8: m.origins.push_back(read(r, origin)); break;
    case 9: m.prepare = std::max(small(r), 0) - 1; break;
    default: r.skip();
  }
  return m;
}

SavedPlan read_saved_plan(std::string_view message, Charge& charge) {
  SavedPlan m;
  charge.add(2 * sizeof m);
  Reader r(message, &charge);
  while (r.next()) switch (r.field()) {
    case 1: m.version = static_cast<std::uint64_t>(r.integer()); break;
    case 2: m.graph_hash = r.fixed64(); break;
    case 3: m.signature = text(r); break;
    case 4: m.plan = r.bytes(); break;
    default: r.skip();
  }
  return m;
}

}  // namespace graphc_core
