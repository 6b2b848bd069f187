#include "strings.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "tensor_reader.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

namespace S = strings_layout;
using Word = std::int64_t;

constexpr std::size_t BY_TEXT = 96;                  // bytes of an entry in a table, beside the string's own

// Bytes of the strings that kernels have made on this thread.
thread_local std::size_t made_bytes;

Word make(Word data, Word size) {
  void* made = std::malloc(static_cast<std::size_t>(size));
  if (!made) return 0;
  std::memcpy(made, reinterpret_cast<const void*>(data), static_cast<std::size_t>(size));
  made_bytes += static_cast<std::size_t>(size) + BY_TEXT;
  return address_of(made);
}

Word keep(Word) { return 0; }                        // nothing is given but what is made

[[noreturn]] void no_memory() { throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for a table of strings"); }

// The table of a file (kernels/strings/table.py): its constants and what runs make and are fed, while they go on.
class Table final : public Strings {
 public:
  explicit Table(std::shared_ptr<HostTable> host);
  ~Table() override {
    GRAPHC_SYMBOL(gc_strings_give_back)(address(), address_of(constants_));
    GRAPHC_SYMBOL(gc_strings_close)(address());
  }

  void number(const Graph& graph, const Tensor& constant, Word* target, std::size_t count) override;
  std::unique_ptr<RunStrings> begin(std::shared_ptr<HostTable> host) override;

  Word address() { return address_of(words_); }

  // The rest is for whoever has the mutex.
  Word number_of(Word held, std::string_view text) {
    const Word number = GRAPHC_SYMBOL(gc_strings_number_of)(address(), held, address_of(text.data()),
                                                            static_cast<Word>(text.size()), 0);
    if (number < 0) no_memory();
    return number;
  }

  std::string_view text(Word number) {
    const Word record = GRAPHC_SYMBOL(gc_strings_record)(address(), number);
    if (!record) damaged("the plan computes with the numbers of strings");
    const Word* words = words_at(record);
    return {reinterpret_cast<const char*>(words[S::RECORD_DATA]), static_cast<std::size_t>(words[S::RECORD_SIZE])};
  }

  Word next_stamp() { return ++stamps_; }
  std::mutex mutex;

 private:
  Word words_[S::TABLE_WORDS] = {};
  Word constants_[S::HELD_WORDS] = {};               // HELD
  Word stamps_ = 0;
  Charge charge_;
};

Table::Table(std::shared_ptr<HostTable> host) : charge_(std::move(host)) {
  static const char empty = 0;
  words_[S::TABLE_ALLOC] = reinterpret_cast<Word>(&std::malloc);
  words_[S::TABLE_RELEASE] = words_[S::TABLE_DROP] = reinterpret_cast<Word>(&std::free);
  words_[S::TABLE_MAKE] = reinterpret_cast<Word>(&make);
  words_[S::TABLE_KEEP] = reinterpret_cast<Word>(&keep);
  words_[S::TABLE_EMPTY] = address_of(&empty);
  words_[S::TABLE_SEED] = address_of(this);           // without random numbers at least where this program happens to lie
  if (std::FILE* random = std::fopen("/dev/urandom", "rb")) {
    if (!std::fread(words_ + S::TABLE_SEED, sizeof(Word), 2, random)) words_[S::TABLE_SEED] = address_of(this);
    std::fclose(random);
  }
  constants_[S::HELD_STAMP] = next_stamp();
  if (GRAPHC_SYMBOL(gc_strings_open)(address())) no_memory();
}

void Table::number(const Graph& graph, const Tensor& constant, Word* target, std::size_t count) {
  Charge charge(charge_.host());
  const TensorValue value = graph.constant_value(constant, charge);
  if (value.side || !value.content.empty()) damaged("constant " + constant.name + " has its strings as bytes");
  if (value.strings.size() > count) damaged("constant " + constant.name + " has more values than elements");
  const std::lock_guard<std::mutex> guard(mutex);
  Word last = 0;                                     // the last value stands for all that follow
  for (std::size_t i = 0; i < count && (last || i < value.strings.size()); ++i) {
    if (i < value.strings.size()) {
      made_bytes = 0;
      last = number_of(address_of(constants_), value.strings[i]);
      charge_.add(made_bytes);
    }
    target[i] = last;
  }
}

class Run final : public RunStrings {
 public:
  Run(Table& table, std::shared_ptr<HostTable> host) : table_(table), charge_(std::move(host)) {
    const std::lock_guard<std::mutex> guard(table_.mutex);
    held_[S::HELD_STAMP] = table_.next_stamp();
  }
  ~Run() override {
    const std::lock_guard<std::mutex> guard(table_.mutex);
    GRAPHC_SYMBOL(gc_strings_give_back)(table_.address(), held());
  }

  Block numbers(const graphc_tensor& input) override;
  void name(graphc_tensor& output, Block& memory) override;
  std::mutex& mutex() override { return table_.mutex; }
  Word table() override { return table_.address(); }
  Word held() override { return address_of(held_); }
  void count_made() override { charge_.add(std::exchange(made_bytes, 0)); }
  std::string_view text(Word number) override { return table_.text(number); }

 private:
  Table& table_;
  Charge charge_;
  Word held_[S::HELD_WORDS] = {};
};

Block Run::numbers(const graphc_tensor& input) {
  const std::size_t count = bytes_of(input) / sizeof(graphc_string);
  Block made(charge_.host(), count * sizeof(Word));
  const std::lock_guard<std::mutex> guard(table_.mutex);
  made_bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    graphc_string given;
    std::memcpy(&given, static_cast<const char*>(input.data) + i * sizeof given, sizeof given);
    if (!given.data && given.size) throw_error(GRAPHC_INVALID_ARGUMENT, "a string that is fed has a size, but no data");
    words_at(made.address())[i] = table_.number_of(held(), {given.data, given.size});
    count_made();
  }
  return made;
}

// In one block: a graphc_string for each element, then each string once, with a NUL behind it.
void Run::name(graphc_tensor& output, Block& memory) {
  const std::size_t count = bytes_of(output) / sizeof(Word);
  const Word* numbers = static_cast<const Word*>(output.data);
  const std::lock_guard<std::mutex> guard(table_.mutex);
  Charge charge(charge_.host());
  std::unordered_map<Word, std::size_t> places;
  std::size_t bytes = count * sizeof(graphc_string);
  for (std::size_t i = 0; i < count; ++i) {
    if (places.count(numbers[i])) continue;
    charge.add(BY_TEXT);
    places.emplace(numbers[i], bytes);
    if (__builtin_add_overflow(bytes, text(numbers[i]).size() + 1, &bytes))
      throw_error(GRAPHC_RESOURCE_EXHAUSTED, "strings that are too large for any memory");
  }
  Block made(charge_.host(), bytes);
  for (const auto& [number, place] : places) {
    const std::string_view found = text(number);
    if (!found.empty()) std::memcpy(made.data() + place, found.data(), found.size());
  }
  for (std::size_t i = 0; i < count; ++i) {
    const graphc_string one{made.data() + places[numbers[i]], text(numbers[i]).size()};
    std::memcpy(made.data() + i * sizeof one, &one, sizeof one);
  }
  memory = std::move(made);
  output.dtype = STRING;
  output.data = memory.data();
}

std::unique_ptr<RunStrings> Table::begin(std::shared_ptr<HostTable> host) {
  return std::make_unique<Run>(*this, std::move(host));
}

}  // namespace
}  // namespace graphc_core

void gc_open_strings(const std::shared_ptr<graphc_core::HostTable>& host, std::shared_ptr<graphc_core::Strings>& made) {
  made = std::make_shared<graphc_core::Table>(host);
}
