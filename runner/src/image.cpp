// Plan -> image, the same to the word as graphc/exec/image.py makes it. Every table is appended after the last one; what
// refers to it gets its offset, in words from the first.
#include "image.hpp"

#include <algorithm>
#include <cstring>

#include "dtypes.hpp"
#include "error.hpp"
#include "graphc_layout.h"
#include "parts.hpp"

namespace graphc_core {
namespace {

using Words = std::vector<std::int64_t>;
namespace L = layout;

constexpr std::size_t LARGEST_IMAGE = std::size_t{1} << 27;   // words: 1 GiB

class Writer {
 public:
  Writer(const Plan& plan, const Names& names, Charge& charge) : plan_(plan), names_(names), charge_(charge) {}

  Words write() {
    make_room(L::HEADER_WORDS);
    words_.assign(L::HEADER_WORDS, 0);
    set(L::Header::MAGIC, L::IMAGE_MAGIC);
    const std::int64_t bodies = reserve(plan_.bodies.size()), programs = reserve(plan_.programs.size());
    set(L::Header::BODIES, size(plan_.bodies));
    set(L::Header::BODY_TABLE, bodies);
    set(L::Header::PROGRAMS, size(plan_.programs));
    set(L::Header::PROGRAM_TABLE, programs);
    set(L::Header::CONSTANTS, size(plan_.constants));
    set(L::Header::CONSTANT_ROWS, shapes(plan_.constants));
    set(L::Header::STATES, size(plan_.states));
    set(L::Header::STATE_ROWS, shapes(plan_.states));
    set(L::Header::HOSTS, size(plan_.hosts));
    set(L::Header::ORIGINS, size(plan_.origins));
    set(L::Header::PREPARE, plan_.prepare);
    for (std::size_t i = 0; i < plan_.programs.size(); ++i)
      set(programs + static_cast<std::int64_t>(i), program(plan_.programs[i]));
    for (std::size_t i = 0; i < plan_.bodies.size(); ++i)
      set(bodies + static_cast<std::int64_t>(i), body(plan_.bodies[i]));
    set(L::Header::WORDS, here());
    return std::move(words_);
  }

 private:
  std::int64_t here() const { return static_cast<std::int64_t>(words_.size()); }
  void set(std::int64_t at, std::int64_t value) { words_[static_cast<std::size_t>(at)] = value; }

  template <class List>
  static std::int64_t size(const List& list) { return static_cast<std::int64_t>(list.size()); }

  template <class List>
  std::int64_t append(const List& list) {
    if (words_.size() + list.size() > LARGEST_IMAGE) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "the plan is too large");
    const std::int64_t offset = here();
    make_room(words_.size() + list.size());
    words_.insert(words_.end(), list.begin(), list.end());
    return offset;
  }

  // Grows the image, counting old and new memory while there are both.
  void make_room(std::size_t wanted) {
    const std::size_t old = words_.capacity();
    if (wanted <= old) return;
    const std::size_t made = std::max(wanted, 2 * old);
    charge_.add(made * sizeof(std::int64_t));
    words_.reserve(made);
    charge_.remove(old * sizeof(std::int64_t));
  }

  std::int64_t reserve(std::size_t count) { return append(Words(count, 0)); }

  std::int64_t shapes(const std::vector<Tensor>& tensors) {
    Words rows;
    for (const Tensor& tensor : tensors) {
      if (tensor.shape.size() > L::MAX_RANK) damaged(tensor.name + " has more than 8 axes");
      Words row(L::SHAPE_WORDS, 0);
      row[0] = in_memory(tensor.dtype);
      row[1] = size(tensor.shape);
      std::copy(tensor.shape.begin(), tensor.shape.end(), row.begin() + 2);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return append(rows);
  }

  std::int64_t body(const Body& body) {
    Words record(L::BODY_WORDS, 0);
    const auto table = [&](std::int64_t field, std::int64_t count, std::int64_t offset) {
      record[static_cast<std::size_t>(field)] = count;
      record[static_cast<std::size_t>(field) + 1] = offset;
    };
    Words slots, guards, steps;
    for (const Step& s : body.steps) steps.push_back(step(s));
    table(L::BodyField::DIMS, size(body.dims), dims(body));
    table(L::BodyField::BUFFERS, size(body.buffers), buffers(body));
    for (const Slot& s : body.slots) slots.insert(slots.end(), {s.dtype, s.rank});
    for (const Guard& g : body.guards) guards.insert(guards.end(), {g.kind, g.a, g.b, g.origin});
    table(L::BodyField::SLOTS, size(body.slots), append(slots));
    table(L::BodyField::GUARDS, size(body.guards), append(guards));
    table(L::BodyField::STEPS, size(body.steps), append(steps));
    table(L::BodyField::INPUTS, size(body.inputs), append(body.inputs));
    table(L::BodyField::OUTPUTS, size(body.outputs), append(body.outputs));
    table(L::BodyField::WRITES, size(body.writes), append(body.writes));
    return append(record);
  }

  std::int64_t dims(const Body& body) {
    Words rows;
    for (const Dim& dim : body.dims) {
      if (dim.operands.size() > 3) damaged("a dim of more than three operands");
      Words row(L::DIM_WORDS, 0);
      row[0] = dim.kind;
      std::copy(dim.operands.begin(), dim.operands.end(), row.begin() + 1);
      if (dim.kind == 0) row[1] = dim.value;
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return append(rows);
  }

  std::int64_t buffers(const Body& body) {
    Words rows;
    for (const Buffer& buffer : body.buffers) {
      if (buffer.dims.size() > L::MAX_RANK) damaged("a buffer of more than 8 axes");
      Words row(L::BUFFER_WORDS, -1);
      row[0] = buffer.kind;
      row[1] = buffer.dtype;
      row[2] = buffer.index;
      row[3] = size(buffer.dims);
      std::copy(buffer.dims.begin(), buffer.dims.end(), row.begin() + 4);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return append(rows);
  }

  std::int64_t step(const Step& s) {
    Words words = {static_cast<std::int64_t>(s.kind), 0};
    const auto add = [&words](const auto& list) { words.insert(words.end(), list.begin(), list.end()); };
    const auto lists = [&] {                 // of HOST, WHILE and IF: counts, then the lists
      add(Words{size(s.operands), size(s.slots), size(s.binds)});
      add(s.operands);
      add(s.slots);
    };
    const auto binds = [&] {
      for (const SlotBind& b : s.binds) add(Words{b.slot, b.axis, b.dim});
    };
    switch (s.kind) {
      case StepKind::MAP: map(s.map, words); break;
      case StepKind::CALL:
        add(Words{kernel(s.kernel), size(s.operands), size(s.dims), size(s.attrs), s.epilogue});
        add(s.operands);
        add(s.dims);
        add(s.attrs);
        if (s.epilogue) map(s.map, words);
        break;
      case StepKind::BIND: add(Words{s.a, size(s.dims)}); add(s.dims); break;
      case StepKind::TAKE: case StepKind::LENGTH: add(Words{s.a, s.b}); break;
      case StepKind::HOST: case StepKind::LIST: add(Words{s.a}); lists(); binds(); break;
      case StepKind::WHILE: case StepKind::IF: add(Words{s.a, s.b, s.c}); lists(); binds(); break;
      case StepKind::PUSH: add(Words{s.a, s.b, s.c}); break;
      case StepKind::POP: add(Words{s.a, s.b, s.c, size(s.binds)}); binds(); break;
    }
    words[1] = size(words);
    return append(words);
  }

  // The words of a MAP record from `program` on.
  void map(const Map& m, Words& words) {
    const auto add = [&words](const auto& list) { words.insert(words.end(), list.begin(), list.end()); };
    const std::int64_t rank = size(m.domain);
    add(Words{m.program, rank, m.reduced, size(m.loads), size(m.stores)});
    add(m.domain);
    for (const std::vector<Access>* accesses : {&m.loads, &m.stores})
      for (const Access& a : *accesses) {
        if (size(a.strides) > rank) damaged("a map access of more strides than its domain has axes");
        add(Words{a.buffer, a.offset});
        add(a.strides);
        add(Words(static_cast<std::size_t>(rank - size(a.strides)), -1));
      }
  }

  std::int64_t program(const Program& p) {
    Words words = {size(p.loads), size(p.instrs), size(p.stores)};
    words.insert(words.end(), p.loads.begin(), p.loads.end());
    for (const Instr& i : p.instrs) {
      if (i.args.size() > 4) damaged("an instruction of more than four arguments");
      Words row(L::INSTR_WORDS, -1);
      row[0] = code(p, i);
      row[1] = i.dtype;
      std::copy(i.args.begin(), i.args.end(), row.begin() + 2);
      row[6] = i.op == "const" ? constant_bits(i) : i.op == "index" ? i.integer : 0;
      words.insert(words.end(), row.begin(), row.end());
    }
    words.insert(words.end(), p.stores.begin(), p.stores.end());
    return append(words);
  }

  // dtype of value `number` of a program; it must come before what uses it.
  static std::int64_t value_dtype(const Program& p, std::int32_t number) {
    const auto loads = size(p.loads);
    if (number < 0 || number >= loads + size(p.instrs)) damaged("an instruction uses a value that does not exist");
    return number < loads ? p.loads[static_cast<std::size_t>(number)]
                          : p.instrs[static_cast<std::size_t>(number - loads)].dtype;
  }

  std::int64_t code(const Program& p, const Instr& i) {
    if (i.op == "const") return L::CODE_CONST;
    if (i.op == "index") return L::CODE_INDEX;
    if (i.op == "linear") return L::CODE_LINEAR;
    const DType* result = find_dtype(i.dtype);
    const DType* first = i.args.empty() ? nullptr : find_dtype(value_dtype(p, i.args[0]));
    if (!result || !first) damaged("instruction " + i.op + " has no arguments or no dtype");
    const std::string name = i.op + "." + result->short_name + "." + first->short_name;
    const auto found = names_.primitives.find(name);
    if (found == names_.primitives.end())
      throw_error(GRAPHC_UNIMPLEMENTED, "scalar function " + name + lacking());
    return i.op.rfind("reduce.", 0) == 0 ? L::CODE_REDUCE - found->second : found->second;
  }

  // A constant's bits as stored in memory, low bytes first.
  static std::int64_t constant_bits(const Instr& i) {
    const DType* dtype = find_dtype(i.dtype);
    if (!dtype || !dtype->size || dtype->size > 8) damaged("a constant of a dtype that has none");
    if (i.dtype == 2) return bits<double, std::int64_t>(i.is_real ? i.real : static_cast<double>(i.integer));
    if (i.dtype == 1)
      return bits<float, std::uint32_t>(i.is_real ? static_cast<float>(i.real) : static_cast<float>(i.integer));
    if (i.is_real) damaged("a real constant of an integer dtype");
    if (i.dtype == 10) return i.integer != 0;
    return dtype->size == 8 ? i.integer : i.integer & ((std::int64_t{1} << (8 * dtype->size)) - 1);
  }

  template <class Value, class Bits>
  static std::int64_t bits(Value value) {
    Bits result;
    std::memcpy(&result, &value, sizeof result);
    return static_cast<std::int64_t>(result);
  }

  std::int64_t kernel(const std::string& name) {
    const auto found = names_.kernels.find(name);
    if (found == names_.kernels.end())
      throw_error(GRAPHC_UNIMPLEMENTED, "kernel " + name + lacking());
    return found->second;
  }

  const Plan& plan_;
  const Names& names_;
  Charge& charge_;
  Words words_;
};

}  // namespace

std::vector<std::int64_t> make_image(const Plan& plan, const Names& names, Charge& charge) {
  return Writer(plan, names, charge).write();
}

}  // namespace graphc_core
