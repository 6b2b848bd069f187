#include "strings.hpp"

#include <cstring>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "tensor_reader.hpp"
#include "tensors.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;

constexpr std::size_t BY_TEXT = 64;                  // bytes of an entry in a table, beside the string's own
constexpr Word FIRST_FED = Word{1} << 62;            // of a run's own numbers; those of constants count from 1

// Equal strings have one number, the empty one has 0: memory filled with zeros is empty strings.
class Table final : public Strings {
 public:
  explicit Table(std::shared_ptr<HostTable> host) : charge_(std::move(host)) {}

  void number(const Graph& graph, const Tensor& constant, Word* target, std::size_t count) override;
  std::unique_ptr<RunStrings> begin(std::shared_ptr<HostTable> host) override;

  // 0: no constant has it, or it is empty.
  Word find(std::string_view text) const {
    const std::shared_lock<std::shared_mutex> guard(mutex_);
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? 0 : found->second;
  }

  // nullptr: no string has this number.
  const std::string* text(Word number) const {
    const std::shared_lock<std::shared_mutex> guard(mutex_);
    const bool known = number > 0 && static_cast<std::size_t>(number) <= texts_.size();
    return known ? &texts_[static_cast<std::size_t>(number) - 1] : nullptr;
  }

 private:
  Word number_of(std::string_view text);

  mutable std::shared_mutex mutex_;
  Charge charge_;
  std::deque<std::string> texts_;                    // none goes, and none moves
  std::unordered_map<std::string_view, Word> numbers_;
};

Word Table::number_of(std::string_view text) {
  if (text.empty()) return 0;
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  charge_.add(BY_TEXT + sizeof(std::string) + text.size());
  texts_.emplace_back(text);
  return numbers_[texts_.back()] = static_cast<Word>(texts_.size());
}

void Table::number(const Graph& graph, const Tensor& constant, Word* target, std::size_t count) {
  Charge charge(charge_.host());
  const TensorValue value = graph.constant_value(constant, charge);
  if (value.side || !value.content.empty()) damaged("constant " + constant.name + " has its strings as bytes");
  if (value.strings.size() > count) damaged("constant " + constant.name + " has more values than elements");
  const std::unique_lock<std::shared_mutex> guard(mutex_);
  Word last = 0;                                     // the last value stands for all that follow
  for (std::size_t i = 0; i < count && (last || i < value.strings.size()); ++i) {
    if (i < value.strings.size()) last = number_of(value.strings[i]);
    target[i] = last;
  }
}

class Run final : public RunStrings {
 public:
  Run(Table& table, std::shared_ptr<HostTable> host) : table_(table), charge_(std::move(host)) {}

  Block numbers(const graphc_tensor& input) override;
  void name(graphc_tensor& output, Block& memory) override;

 private:
  Word number_of(std::string_view text);
  std::string_view text(Word number) const;

  Table& table_;
  Charge charge_;
  std::vector<std::string_view> fed_;
  std::unordered_map<std::string_view, Word> numbers_;
};

Word Run::number_of(std::string_view text) {
  if (text.empty()) return 0;
  if (const Word constant = table_.find(text)) return constant;
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  charge_.add(BY_TEXT + 2 * sizeof text);
  fed_.push_back(text);
  return numbers_[text] = FIRST_FED + static_cast<Word>(fed_.size() - 1);
}

std::string_view Run::text(Word number) const {
  if (!number) return {};
  if (const std::string* constant = table_.text(number)) return *constant;
  if (number < FIRST_FED || static_cast<std::size_t>(number - FIRST_FED) >= fed_.size())
    damaged("the plan computes with the numbers of strings");
  return fed_[static_cast<std::size_t>(number - FIRST_FED)];
}

Block Run::numbers(const graphc_tensor& input) {
  const std::size_t count = bytes_of(input) / sizeof(graphc_string);
  Block made(charge_.host(), count * sizeof(Word));
  for (std::size_t i = 0; i < count; ++i) {
    graphc_string given;
    std::memcpy(&given, static_cast<const char*>(input.data) + i * sizeof given, sizeof given);
    if (!given.data && given.size) throw Error(GRAPHC_INVALID_ARGUMENT, "a string that is fed has a size, but no data");
    words_at(made.address())[i] = number_of({given.data, given.size});
  }
  return made;
}

// In one block: a graphc_string for each element, then each string once, with a NUL behind it.
void Run::name(graphc_tensor& output, Block& memory) {
  const std::size_t count = bytes_of(output) / sizeof(Word);
  const Word* numbers = static_cast<const Word*>(output.data);
  Charge charge(charge_.host());
  std::unordered_map<Word, std::size_t> places;
  std::size_t bytes = count * sizeof(graphc_string);
  for (std::size_t i = 0; i < count; ++i) {
    if (places.count(numbers[i])) continue;
    charge.add(BY_TEXT);
    places.emplace(numbers[i], bytes);
    if (__builtin_add_overflow(bytes, text(numbers[i]).size() + 1, &bytes))
      throw Error(GRAPHC_RESOURCE_EXHAUSTED, "strings that are too large for any memory");
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
