// The runtime notes events; here they are put into words, the same ones as graphc/session/reports/trace.py's.
#include "trace.hpp"

#include <cstdio>
#include <cstdlib>

#include "library.hpp"
#include "parts.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
using Word = std::int64_t;

constexpr Word CAPACITY = Word{1} << 20;    // words

bool tracing() {
  static const bool on = [] {
    const char* value = std::getenv("GRAPHC_TRACE");
    return value && *value && std::string(value) != "0";
  }();
  return on;
}

std::string text(Word number) { return std::to_string(number); }

std::string list(const Word* numbers, Word count) {
  std::string all;
  for (Word i = 0; i < count; ++i) all += (i ? ", " : "") + text(numbers[i]);
  return all;
}

std::string tiles(const Word* event) {
  const std::string second = event[L::EVENT_E] ? "+" + text(event[L::EVENT_E]) : "";
  return ", tiles " + text(event[L::EVENT_D]) + second + ", threads " + text(event[L::EVENT_THREADS]);
}

std::string program(const Plan& plan, const Map& map) {
  std::string ops;
  for (const Instr& instr : plan.programs.at(static_cast<std::size_t>(map.program)).instrs)
    if (instr.op != "const" && instr.op != "index" && instr.op != "linear") ops += (ops.empty() ? "" : " ") + instr.op;
  return ops.empty() ? "copy" : ops;
}

const char* epilogue_way(Word way) {
  switch (way) {
    case L::EPILOGUE_TILES: return "after each tile map interpreted";
    case L::EPILOGUE_TILES_COMPILED: return "after each tile map compiled";
    default: return "then map interpreted";
  }
}

std::string call(const Plan& plan, const Step& step, const Word* event) {
  const Word *numbers = event + L::EVENT_NUMBERS, count = event[L::EVENT_WORDS] - L::EVENT_NUMBERS;
  const auto dims = static_cast<Word>(step.dims.size());
  std::string line = function_names().at(static_cast<std::size_t>(event[L::EVENT_A])) + "(" + list(numbers, dims);
  if (count > dims) line += "; " + list(numbers + dims, count - dims);
  line += ") variant " + text(event[L::EVENT_B]) + ", format " + text(event[L::EVENT_C]) + tiles(event);
  if (event[L::EVENT_F] != L::EPILOGUE_NONE)
    line += std::string(", ") + epilogue_way(event[L::EVENT_F]) + "(" + program(plan, step.map) + ")";
  return line;
}

std::string step_text(const Plan& plan, const Step& step, const Word* event) {
  const Word a = event[L::EVENT_A];
  switch (step.kind) {
    case StepKind::MAP:
      return std::string("map ") + (a ? "compiled" : "interpreted") + "(" + program(plan, step.map) + ")[" +
             list(event + L::EVENT_NUMBERS, event[L::EVENT_WORDS] - L::EVENT_NUMBERS) + "]" + tiles(event) +
             (event[L::EVENT_B] ? ", by the tiles of the one before" : "");
    case StepKind::CALL: return call(plan, step, event);
    case StepKind::HOST: return "host function " + plan.hosts.at(static_cast<std::size_t>(a));
    case StepKind::WHILE: return "while: test body " + text(step.a) + ", body " + text(step.b);
    case StepKind::IF: return "if: takes body " + text(a);
    case StepKind::BIND: return "bind";
    case StepKind::TAKE: return "take";
    case StepKind::PUSH: return "push";
    case StepKind::POP: return "pop";
    case StepKind::LENGTH: return "length";
    case StepKind::LIST: return "list " + text(step.a);
  }
  return "";
}

std::string event_text(const Plan& plan, const Step* step, const Word* event) {
  const Word a = event[L::EVENT_A];
  switch (event[L::EVENT_KIND]) {
    case L::EVENT_PACK:
      return "pack for " + function_names().at(static_cast<std::size_t>(a)) + ", format " + text(event[L::EVENT_C]) + ", " +
             text(event[L::EVENT_NUMBERS]) + " bytes" + tiles(event);
    case L::EVENT_ITERATION: return "while: iteration " + text(a);
    case L::EVENT_LOOP_END: return "while: ended after " + text(a) + " iterations";
    default: return step ? step_text(plan, *step, event) : "";
  }
}

std::string line(const Plan& plan, const Word* event) {
  const Body& body = plan.bodies.at(static_cast<std::size_t>(event[L::EVENT_BODY]));
  const Word number = event[L::EVENT_STEP];
  const Step* step = number >= 0 ? &body.steps.at(static_cast<std::size_t>(number)) : nullptr;
  std::string ops;
  if (step)
    for (const std::int32_t origin : step->origins)
      if (origin >= 0 && static_cast<std::size_t>(origin) < plan.origins.size())
        ops += (ops.empty() ? "" : ", ") + plan.origins[static_cast<std::size_t>(origin)].op_name;
  return "[" + text(event[L::EVENT_BODY]) + ":" + body.name + "] " + event_text(plan, step, event) +
         (ops.empty() ? "" : "  <- " + ops);
}

}  // namespace

Trace::Trace() {
  if (!tracing()) return;
  find_part(PRINT_TRACE, "what GRAPHC_TRACE prints");
  words_.reset(new Word[L::TRACE_FIRST + CAPACITY]);      // not cleared: what is not used is never touched
  for (Word i = 0; i < L::TRACE_FIRST; ++i) words_[i] = 0;
  words_[L::TRACE_CAPACITY] = CAPACITY;
}

void Trace::print(const Plan& plan) const {
  if (words_) call_part<decltype(gc_print_trace)>(PRINT_TRACE, "what GRAPHC_TRACE prints", plan, words_.get());
}

}  // namespace graphc_core

void gc_print_trace(const graphc_core::Plan& plan, const std::int64_t* words) {
  using namespace graphc_core;
  std::string all;
  const Word* end = words + L::TRACE_FIRST + words[L::TRACE_USED];
  for (const Word* event = words + L::TRACE_FIRST; event < end; event += event[L::EVENT_WORDS])
    all += "graphc: " + line(plan, event) + "\n";
  if (const Word dropped = words[L::TRACE_DROPPED]) all += "graphc: " + text(dropped) + " more events found no room\n";
  std::fwrite(all.data(), 1, all.size(), stderr);
}
