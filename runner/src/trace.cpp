// A function in the table has no room for its own number, so each gets a function of its own from a template: it reports
// its number, then calls the function that stood in the table.
#include "trace.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace graphc {
namespace {

using Word = std::int64_t;
using Run = std::int32_t (*)(const Word*, Word, Word, Word, Word);
using Primitive = void (*)(Word, Word, Word, Word, Word, Word);
using Reduce = void (*)(Word, Word, Word);

constexpr std::size_t MOST_KERNELS = 512, MOST_PRIMITIVES = 1024;

const Word* original = nullptr;                       // the table that the functions below call
std::array<std::atomic<Word>, MOST_PRIMITIVES> calls;  // since the last report

Word kernel_count() { return gc_registry[1]; }
Word primitive_count() { return gc_registry[2]; }

// "conv2d.f32(n, h, ...; attributes)" of the record that a kernel's run gets.
void report(std::size_t kernel, const Word* record) {
  const Word* row = gc_registry + gc_registry[gc_registry[3] + static_cast<Word>(kernel)];
  std::string text = "graphc: " + function_names()[kernel] + "(";
  const Word* number = record + row[0];
  for (Word i = 0; i < row[1] + row[2]; ++i)
    text += (i == 0 ? "" : i == row[1] ? "; " : ", ") + std::to_string(number[i]);
  std::fprintf(stderr, "%s)\n", text.c_str());
}

template <std::size_t Number>
std::int32_t run_kernel(const Word* record, Word work, Word scratch, Word phase, Word tile) {
  if (phase == 0 && tile == 0) report(Number, record);
  return reinterpret_cast<Run>(original[3 * Number + 1])(record, work, scratch, phase, tile);
}

template <std::size_t Number>
void run_primitive(Word dst, Word a, Word b, Word c, Word d, Word n) {
  calls[Number].fetch_add(1, std::memory_order_relaxed);
  reinterpret_cast<Primitive>(original[3 * kernel_count() + static_cast<Word>(Number)])(dst, a, b, c, d, n);
}

template <std::size_t Number>
void run_reduce(Word accumulator, Word source, Word n) {
  calls[Number].fetch_add(1, std::memory_order_relaxed);
  reinterpret_cast<Reduce>(original[3 * kernel_count() + static_cast<Word>(Number)])(accumulator, source, n);
}

template <std::size_t... Numbers>
std::vector<Word> kernel_table(std::index_sequence<Numbers...>) { return {reinterpret_cast<Word>(&run_kernel<Numbers>)...}; }

template <std::size_t... Numbers>
std::vector<Word> primitive_table(std::index_sequence<Numbers...>, bool reduce) {
  return {reduce ? reinterpret_cast<Word>(&run_reduce<Numbers>) : reinterpret_cast<Word>(&run_primitive<Numbers>)...};
}

std::vector<Word> make_table(const Library& library) {
  const Word kernels = kernel_count(), primitives = primitive_count();
  std::vector<Word> table(library.functions, library.functions + 3 * kernels + primitives);
  const std::vector<Word> runs = kernel_table(std::make_index_sequence<MOST_KERNELS>());
  for (Word i = 0; i < kernels && i < static_cast<Word>(MOST_KERNELS); ++i)
    table[static_cast<std::size_t>(3 * i + 1)] = runs[static_cast<std::size_t>(i)];
  const std::vector<Word> maps = primitive_table(std::make_index_sequence<MOST_PRIMITIVES>(), false);
  const std::vector<Word> reduces = primitive_table(std::make_index_sequence<MOST_PRIMITIVES>(), true);
  for (Word i = 0; i < primitives && i < static_cast<Word>(MOST_PRIMITIVES); ++i) {
    const Word* row = gc_registry + gc_registry[4] + i * layout::PRIMITIVE_WORDS;
    table[static_cast<std::size_t>(3 * kernels + i)] = (row[6] ? reduces : maps)[static_cast<std::size_t>(i)];
  }
  return table;
}

bool tracing() {
  static const bool on = [] {
    const char* value = std::getenv("GRAPHC_TRACE");
    return value && *value && std::string(value) != "0";
  }();
  return on;
}

}  // namespace

const Word* traced_functions(const Library& library) {
  if (!tracing()) return library.functions;
  // One instruction set is traced: the first one that is used.
  static const std::vector<Word> table = [&] {
    original = library.functions;
    return make_table(library);
  }();
  return original == library.functions ? table.data() : library.functions;
}

void trace_end_of_run() {
  if (!tracing()) return;
  std::string text;
  for (std::size_t i = 0; i < MOST_PRIMITIVES; ++i)
    if (const Word count = calls[i].exchange(0))
      text += (text.empty() ? " " : ", ") + function_names()[static_cast<std::size_t>(kernel_count()) + i] + " x" +
              std::to_string(count);
  if (!text.empty()) std::fprintf(stderr, "graphc: maps:%s\n", text.c_str());
}

}  // namespace graphc
