// Ops that take records of several values apart: lines with commas, and tf.train.Example.
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "error.hpp"
#include "string_op.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace L = layout;
namespace S = strings_layout;
using Word = std::int64_t;
using Lock = std::lock_guard<std::mutex>;

constexpr Word F32 = 1, F64 = 2, I32 = 3, I64 = 9;   // TensorFlow's numbers of dtypes
constexpr Word UNKNOWN_SIZE = -1;

// Which results are strings, by the name of the function: "strings:0,1>0,2:op:...".
std::vector<bool> strings_made(const std::string& name, std::size_t count) {
  std::vector<bool> found(count);
  if (name.find('>') == name.npos) return found;
  for (const char* at = name.c_str() + name.find('>'); *at && at[1] && at[1] != ':';) {
    char* behind = nullptr;
    const std::size_t number = std::strtoull(at + 1, &behind, 10);
    if (behind == at + 1) break;
    if (number < count) found[number] = true;
    at = behind[0] == ',' ? behind : behind - 1;     // the last digit: a colon is behind it
  }
  return found;
}

void made_or_throw(const StringCall& call, Word found) {
  call.strings.count_made();
  if (found == S::NO_MEMORY) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for strings");
  if (found == S::UNKNOWN_NUMBER) damaged("the plan computes with the numbers of strings");
}

struct DecodeCsv final : StringOp {
  explicit DecodeCsv(const std::string& name) : name(name) {}
  const std::string name;
  std::string comma, missing;
  bool quotes = true;
  std::vector<Word> selected;

  void run(const StringCall& call) const override {
    const Word* lines = call.operand(0, I64);
    const std::size_t count = call.operands.size() - 1;
    if (count != call.results.size() || (!selected.empty() && count != selected.size()))
      damaged("DecodeCSV has other results than it gives");
    const std::vector<bool> are_strings = strings_made(name, count);
    std::vector<Word> columns;
    for (std::size_t i = 0; i < count; ++i) {
      const Word dtype = call.result_dtype(i);
      const Word kind = are_strings[i] ? S::TEXT : dtype == F32 ? S::FLOAT : dtype == F64 ? S::REAL : dtype == I32 ? S::INT : S::LONG;
      if (kind == S::LONG && dtype != I64) damaged("DecodeCSV gives another dtype than it can");
      const Word* given = call.operand(i + 1, dtype);
      Word word = 0;
      if (elements_of(given))
        std::memcpy(&word, reinterpret_cast<const void*>(data_of(given)), dtype == F32 || dtype == I32 ? 4 : 8);
      columns.insert(columns.end(), {selected.empty() ? static_cast<Word>(i) : selected[i], kind,
                                     call.reserve(i, dtype, sizes_of(lines)), elements_of(given) > 0, word});
    }
    const Lock lock(call.strings.mutex());
    const Word done = GRAPHC_SYMBOL(gc_strings_read_lines)(
        call.strings.table(), call.strings.held(), data_of(lines), elements_of(lines), address_of(columns.data()),
        static_cast<Word>(count), !selected.empty(), static_cast<unsigned char>(comma[0]), quotes, address_of(missing.data()),
        static_cast<Word>(missing.size()));
    made_or_throw(call, done);
    if (done < elements_of(lines))
      throw_error(GRAPHC_INVALID_ARGUMENT, "record " + decimal(done) + " does not have the " + decimal(static_cast<Word>(count)) +
                                               " fields that are wanted, or one of them is missing or no number: " +
                                               shown(call.strings.text(words_at(data_of(lines))[done])));
  }
};

// How a feature is given: of a dense one the sizes of an example's values (the first may be UNKNOWN_SIZE).
struct Feature {
  std::string key;
  std::vector<Word> sizes;
};

struct Parse : StringOp {
  explicit Parse(const std::string& name) : name(name) {}
  const std::string name;
  std::vector<Feature> features;                     // the sparse ones first
  std::size_t sparse = 0;

  // batch: the results have an axis of examples. first_default: the operand of the first dense feature's default.
  void parse(const StringCall& call, const std::vector<std::string_view>& keys, const Word* examples, bool batch,
             std::size_t first_default) const {
    const std::vector<bool> are_strings = strings_made(name, call.results.size());
    const Word count = elements_of(examples);
    std::vector<Word> words, found(static_cast<std::size_t>(count) * features.size() * S::FOUND_WORDS + 1), results;
    std::vector<Word> dtypes;
    for (std::size_t i = 0; i < features.size(); ++i) {
      const std::size_t result = (i < sparse ? sparse : 2 * sparse) + i;
      dtypes.push_back(call.result_dtype(result));
      const Word kind = are_strings[result] ? S::BYTES_LIST : dtypes.back() == F32 ? S::FLOAT_LIST : S::INT64_LIST;
      if (kind != S::FLOAT_LIST && dtypes.back() != I64) damaged("an Example has features of another dtype than it can");
      words.insert(words.end(), {address_of(keys[i].data()), static_cast<Word>(keys[i].size()), kind, 0, 0, 0, 0});
    }
    const Word all = static_cast<Word>(features.size());
    const Word done = GRAPHC_SYMBOL(gc_strings_find_features)(call.strings.table(), data_of(examples), count,
                                                              address_of(words.data()), all, address_of(found.data()));
    if (done < count)
      throw_error(GRAPHC_INVALID_ARGUMENT, "example " + decimal(done) + " cannot be parsed, or a feature of it has another "
                                           "dtype than is wanted: " + shown(call.strings.text(words_at(data_of(examples))[done])));
    for (std::size_t i = 0; i < features.size(); ++i) {
      const Word* stated = words.data() + S::FEATURE_WORDS * i;
      const std::vector<Word> row = i < sparse ? sparse_result(call, i, count, stated, dtypes[i], batch)
                                               : dense_result(call, i, count, stated, dtypes[i], batch,
                                                              call.operand(first_default + i - sparse, dtypes[i]));
      results.insert(results.end(), row.begin(), row.end());
    }
    made_or_throw(call, GRAPHC_SYMBOL(gc_strings_put_features)(call.strings.table(), call.strings.held(), count,
                                                               address_of(words.data()), all, address_of(found.data()),
                                                               address_of(results.data())));
  }

 private:
  std::vector<Word> sparse_result(const StringCall& call, std::size_t i, Word count, const Word* stated, Word dtype,
                                  bool batch) const {
    const Word total = stated[S::FEATURE_TOTAL], most = stated[S::FEATURE_MOST], rank = batch ? 2 : 1;
    const Word indices = call.reserve(i, I64, {total, rank}), target = call.reserve(sparse + i, dtype, {total});
    Word* shape = words_at(call.reserve(2 * sparse + i, I64, {rank}));
    if (batch) shape[0] = count;
    shape[rank - 1] = most;
    return {target, indices, rank, 0, 0, 0};
  }

  std::vector<Word> dense_result(const StringCall& call, std::size_t i, Word count, const Word* stated, Word dtype, bool batch,
                                 const Word* default_slot) const {
    static const Word zero = 0;
    const Feature& feature = features[i];
    const Word given = elements_of(default_slot), most = stated[S::FEATURE_MOST], fewest = stated[S::FEATURE_FEWEST];
    const Word lacking = stated[S::FEATURE_MISSING];
    const bool varies = !feature.sizes.empty() && feature.sizes[0] == UNKNOWN_SIZE;
    std::vector<Word> sizes;
    if (batch) sizes.push_back(count);
    Word stride = 1;
    for (std::size_t axis = varies; axis < feature.sizes.size(); ++axis) stride *= feature.sizes[axis];
    if (varies && stride > 0 && (stride == 1 || (fewest == most && most % stride == 0)) && given <= 1)
      sizes.push_back(most / stride);
    else if (varies || !stride || (lacking < count && (fewest != stride || most != stride)) || (lacking && given != stride))
      throw_error(GRAPHC_INVALID_ARGUMENT, "feature '" + feature.key + "' is missing in " + decimal(lacking) + " of " + decimal(count) +
                                               " examples, or one has another number of values than " + decimal(stride));
    sizes.insert(sizes.end(), feature.sizes.begin() + varies, feature.sizes.end());
    const Word target = call.reserve(2 * sparse + i, dtype, sizes);
    if (varies) return {target, 0, 0, most, given ? data_of(default_slot) : address_of(&zero), 0};
    return {target, 0, 0, stride, data_of(default_slot), dtype == F32 ? 4 : 8};
  }
};

struct ParseExample final : Parse {
  using Parse::Parse;

  void run(const StringCall& call) const override {
    const Word* examples = call.operand(0, I64, 1);
    const Word names = elements_of(call.operand(1, I64));
    if (names && names != elements_of(examples))
      throw_error(GRAPHC_INVALID_ARGUMENT, "there are " + decimal(names) + " names of " + decimal(elements_of(examples)) + " examples");
    const Lock lock(call.strings.mutex());
    std::vector<std::string_view> keys;
    for (std::size_t i = 0; i < features.size(); ++i) keys.push_back(call.strings.text(only_word(call.operand(2 + i, I64))));
    parse(call, keys, examples, true, 2 + features.size());
  }
};

struct ParseSingle final : Parse {
  using Parse::Parse;

  void run(const StringCall& call) const override {
    const Word* example = call.operand(0, I64);
    only_word(example);
    const Lock lock(call.strings.mutex());
    std::vector<std::string_view> keys;
    for (const Feature& feature : features) keys.push_back(feature.key);
    parse(call, keys, example, false, 1);
  }
};

// The features of an op: first those without sizes. false: what is written is not known.
bool read_features(const StringOpFields& fields, std::size_t sparse, Parse& made) {
  for (std::size_t i = 0; i < sparse; ++i) made.features.emplace_back();
  for (const std::string_view shape : fields.parts(fields.value("dense_shapes"))) {
    made.features.emplace_back();
    for (const std::string_view size : fields.parts(shape)) {
      if (size == "None" || size == "-1") made.features.back().sizes.push_back(UNKNOWN_SIZE);
      else made.features.back().sizes.push_back(std::strtoll(std::string(size).c_str(), nullptr, 10));
    }
    for (std::size_t axis = 1; axis < made.features.back().sizes.size(); ++axis)
      if (made.features.back().sizes[axis] < 0) return false;
  }
  made.sparse = sparse;
  return true;
}

}  // namespace

std::unique_ptr<StringOp> records_op(const StringOpFields& fields, const std::string& name) {
  const std::string& type = fields.type();
  if (type == "DecodeCSV") {
    auto made = std::make_unique<DecodeCsv>(name);
    made->quotes = fields.is_true("use_quote_delim");
    for (const std::string_view column : fields.parts(fields.value("select_cols")))
      made->selected.push_back(std::strtoll(std::string(column).c_str(), nullptr, 10));
    if (fields.text("field_delim", made->comma) && made->comma.size() == 1 && fields.text("na_value", made->missing)) return made;
  } else if (type == "ParseExample") {
    auto made = std::make_unique<ParseExample>(name);
    if (read_features(fields, static_cast<std::size_t>(fields.number("Nsparse")), *made)) return made;
  } else if (type == "ParseSingleExample") {
    auto made = std::make_unique<ParseSingle>(name);
    const std::vector<std::string_view> sparse = fields.parts(fields.value("sparse_keys")),
                                        dense = fields.parts(fields.value("dense_keys"));
    if (!read_features(fields, sparse.size(), *made) || made->features.size() != sparse.size() + dense.size()) return nullptr;
    for (std::size_t i = 0; i < made->features.size(); ++i)
      if (!fields.text(i < sparse.size() ? sparse[i] : dense[i - sparse.size()], made->features[i].key)) return nullptr;
    return made;
  }
  return nullptr;
}

}  // namespace graphc_core
