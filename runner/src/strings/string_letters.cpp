// Ops on strings one by one, and those that cut and join them.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "dtypes.hpp"
#include "error.hpp"
#include "string_op.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

namespace S = strings_layout;
using Word = std::int64_t;
using Lock = std::lock_guard<std::mutex>;

constexpr Word F32 = 1, F64 = 2, I32 = 3, U8 = 4, I16 = 5, I8 = 6, I64 = 9, U16 = 17;   // TensorFlow's numbers of dtypes

// How kernels number a dtype; -1: they do not know it.
Word kind_of(Word dtype) {
  return dtype == F32 ? S::FLOAT : dtype == F64 ? S::REAL : dtype == I32 ? S::INT : dtype == I64 ? S::LONG : -1;
}

Word bytes_of_kind(Word kind) { return kind == S::FLOAT || kind == S::INT ? 4 : 8; }

void made_or_throw(const StringCall& call, Word found) {
  call.strings.count_made();
  if (found == S::NO_MEMORY) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for strings");
  if (found < 0) damaged("the plan computes with the numbers of strings");
}

// Integers of 8 and 16 bits as words; of other dtypes nothing.
std::vector<Word> widened(Word dtype, Word source, Word count) {
  const void* data = reinterpret_cast<const void*>(source);
  const auto words_of = [&](auto of) {
    const auto* first = static_cast<const decltype(of)*>(data);
    return std::vector<Word>(first, first + count);
  };
  if (dtype == I8) return words_of(std::int8_t{});
  if (dtype == U8) return words_of(std::uint8_t{});
  if (dtype == I16) return words_of(std::int16_t{});
  if (dtype == U16) return words_of(std::uint16_t{});
  return {};
}

// What the kernel is not sure of: hexadecimal numbers, and those near the ends of the range or between two.
void read_slowly(std::string_view given, Word kind, Word target) {
  const std::string text(given);
  const char* begin = text.c_str();
  char* end = nullptr;
  errno = 0;
  Word whole = 0;
  double real = 0;
  float small = 0;
  if (kind == S::INT || kind == S::LONG) whole = std::strtoll(begin, &end, 10);
  else if (kind == S::REAL) real = std::strtod(begin, &end);
  else small = std::strtof(begin, &end);
  const bool is_out = (kind == S::LONG && errno == ERANGE) || (kind == S::INT && whole != static_cast<std::int32_t>(whole));
  while (std::strchr(" \t\n\v\f\r", *end) && *end) ++end;
  if (text.empty() || end == begin || end != begin + text.size() || is_out || text.find('(') != text.npos)
    throw_error(GRAPHC_INVALID_ARGUMENT, "StringToNumberOp could not correctly convert string: " + shown(given));
  void* place = reinterpret_cast<void*>(target);
  const auto narrow = static_cast<std::int32_t>(whole);
  if (kind == S::INT) std::memcpy(place, &narrow, sizeof narrow);
  else if (kind == S::LONG) std::memcpy(place, &whole, sizeof whole);
  else if (kind == S::REAL) std::memcpy(place, &real, sizeof real);
  else std::memcpy(place, &small, sizeof small);
}

struct ToNumber final : StringOp {
  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64);
    const Word dtype = call.result_dtype(0), kind = kind_of(dtype), count = elements_of(given);
    if (kind < 0) damaged("StringToNumber gives another dtype than it can");
    const Word target = call.reserve(0, dtype, sizes_of(given)), wide = bytes_of_kind(kind);
    const Lock lock(call.strings.mutex());
    for (Word done = 0; done < count; ++done) {
      done += GRAPHC_SYMBOL(gc_strings_read_numbers)(call.strings.table(), data_of(given) + 8 * done, count - done, kind,
                                                     target + wide * done);
      if (done < count) read_slowly(call.strings.text(words_at(data_of(given))[done]), kind, target + wide * done);
    }
  }
};

struct AsString final : StringOp {
  explicit AsString(Word given) : precision(given < 0 ? 6 : given) {}
  Word precision;

  void run(const StringCall& call) const override {
    if (call.operands.empty()) damaged("AsString has no operand");
    const Word* given = call.operands[0];
    const Word dtype = given[layout::SLOT_DTYPE], count = elements_of(given);
    const std::vector<Word> wider = widened(dtype, data_of(given), count);
    const Word kind = wider.empty() ? kind_of(dtype) : Word{S::LONG};
    const Word source = wider.empty() ? data_of(given) : reinterpret_cast<Word>(wider.data());
    if (kind < 0 && count) throw_error(GRAPHC_UNIMPLEMENTED, "AsString of " + dtype_name(dtype) + " runs in Python only: cast it");
    const Word target = call.reserve(0, I64, sizes_of(given)), wide = bytes_of_kind(kind);
    const Lock lock(call.strings.mutex());
    for (Word done = 0; done < count; ++done) {
      const Word found = GRAPHC_SYMBOL(gc_strings_write_numbers)(call.strings.table(), call.strings.held(), source + wide * done,
                                                                 count - done, kind, precision, target + 8 * done);
      made_or_throw(call, found);
      done += found;
      if (done < count) write_slowly(call, kind, source + wide * done, target + 8 * done);
    }
  }

  // Large numbers, and what is none.
  void write_slowly(const StringCall& call, Word kind, Word source, Word target) const {
    char text[400];
    const void* place = reinterpret_cast<const void*>(source);
    int size;
    if (kind == S::LONG) {
      size = std::snprintf(text, sizeof text, "%lld", static_cast<long long>(*words_at(source)));
    } else {
      double real;
      float small;
      if (kind == S::REAL) std::memcpy(&real, place, sizeof real);
      else std::memcpy(&small, place, sizeof small), real = static_cast<double>(small);
      size = std::snprintf(text, sizeof text, "%.*f", static_cast<int>(precision), real);
    }
    const Word number = GRAPHC_SYMBOL(gc_strings_number_of)(call.strings.table(), call.strings.held(), address_of(text), size, 0);
    made_or_throw(call, number);
    *words_at(target) = number;
  }
};

struct Buckets final : StringOp {
  Buckets(Word hash, Word count, Word key0 = 0, Word key1 = 0) : hash(hash), buckets(count), key0(key0), key1(key1) {}
  Word hash, buckets, key0, key1;

  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64);
    const Word target = call.reserve(0, I64, sizes_of(given)), count = elements_of(given);
    const Lock lock(call.strings.mutex());
    if (GRAPHC_SYMBOL(gc_strings_buckets)(call.strings.table(), data_of(given), count, hash, key0, key1, buckets,
                                          target) != count)
      made_or_throw(call, S::UNKNOWN_NUMBER);
  }
};

struct Length final : StringOp {
  explicit Length(Word unit) : unit(unit) {}
  Word unit;

  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64);
    const Word target = call.reserve(0, I32, sizes_of(given)), count = elements_of(given);
    const Lock lock(call.strings.mutex());
    if (GRAPHC_SYMBOL(gc_strings_sizes)(call.strings.table(), data_of(given), count, unit, target) != count)
      made_or_throw(call, S::UNKNOWN_NUMBER);
  }
};

struct Changed final : StringOp {
  explicit Changed(Word kind) : kind(kind) {}
  Word kind;

  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64);
    const Word target = call.reserve(0, I64, sizes_of(given));
    const Lock lock(call.strings.mutex());
    made_or_throw(call, GRAPHC_SYMBOL(gc_strings_changed)(call.strings.table(), call.strings.held(), data_of(given),
                                                          elements_of(given), kind, target));
  }
};

struct Join final : StringOp {
  std::string separator;

  void run(const StringCall& call) const override {
    std::vector<Word> sizes, places;
    for (std::size_t i = 0; i < call.operands.size(); ++i) {
      const std::vector<Word> own = sizes_of(call.operand(i, I64));
      if (!own.empty() && sizes.empty()) sizes = own;
      if (!own.empty() && own != sizes)
        throw_error(GRAPHC_INVALID_ARGUMENT, "Input shapes do not match: " + shape_text(own.data(), own.size()) + " and " +
                                                 shape_text(sizes.data(), sizes.size()));
      places.insert(places.end(), {data_of(call.operands[i]), own.empty() ? 0 : 1});
    }
    const Word target = call.reserve(0, I64, sizes);
    const Lock lock(call.strings.mutex());
    made_or_throw(call, GRAPHC_SYMBOL(gc_strings_join)(call.strings.table(), call.strings.held(), address_of(places.data()),
                                                       static_cast<Word>(call.operands.size()), elements_of(call.results[0]),
                                                       address_of(separator.data()), static_cast<Word>(separator.size()), target));
  }
};

// Along one axis: the strings at its places are the operands of a join.
struct ReduceJoin final : StringOp {
  std::string separator;
  Word axis = 0;
  bool keeps = false;

  void run(const StringCall& call) const override {
    std::vector<Word> sizes = sizes_of(call.operand(0, I64));
    const Word rank = static_cast<Word>(sizes.size()), place = axis < 0 ? axis + rank : axis;
    if (place < 0 || place >= rank) damaged("ReduceJoin along an axis that its operand does not have");
    const Word width = sizes[place], given = data_of(call.operands[0]);
    Word outer = 1, inner = 1;
    for (Word i = 0; i < rank; ++i) (i < place ? outer : inner) *= i == place ? 1 : sizes[i];
    if (keeps) sizes[place] = 1;
    else sizes.erase(sizes.begin() + place);
    const Word target = call.reserve(0, I64, sizes);
    const Lock lock(call.strings.mutex());
    std::vector<Word> operands(2 * width);
    for (Word row = 0; inner && row < outer; ++row) {
      for (Word k = 0; k < width; ++k) {
        operands[2 * k] = given + 8 * inner * (row * width + k);
        operands[2 * k + 1] = 1;
      }
      made_or_throw(call, GRAPHC_SYMBOL(gc_strings_join)(call.strings.table(), call.strings.held(), address_of(operands.data()),
                                                         width, inner, address_of(separator.data()),
                                                         static_cast<Word>(separator.size()), target + 8 * inner * row));
    }
  }
};

// The sizes that two shapes broadcast to. Throws Error.
std::vector<Word> broadcast(const std::vector<Word>& a, const std::vector<Word>& b) {
  if (a.size() < b.size()) return broadcast(b, a);
  std::vector<Word> made = a;
  for (std::size_t i = 0, k = a.size() - b.size(); i < b.size(); ++i, ++k) {
    if (made[k] != b[i] && made[k] != 1 && b[i] != 1)
      throw_error(GRAPHC_INVALID_ARGUMENT, "the shapes " + shape_text(a.data(), a.size()) + " and " + shape_text(b.data(), b.size()) +
                                               " do not broadcast");
    if (made[k] == 1) made[k] = b[i];
  }
  return made;
}

// Elements of `bytes` bytes each in a shape that they broadcast to, or where they lie if it is theirs; step: 0 for a single one.
struct Broadcast {
  Word address, step;
  std::vector<char> held;

  Broadcast(const Word* given, const std::vector<Word>& made, Word bytes) : address(data_of(given)), step(1) {
    const std::vector<Word> own = sizes_of(given);
    if (own.empty()) step = 0;
    if (own.empty() || own == made) return;
    Word count = 1;
    for (const Word size : made) count *= size;
    held.resize(count * bytes);
    for (Word i = 0; i < count; ++i) {
      Word left = i, from = 0, stride = 1;
      for (std::size_t k = made.size(), axis = own.size(); axis > 0; stride *= own[axis]) {
        const Word at = left % made[--k];
        left /= made[k];
        if (own[--axis] != 1) from += at * stride;
      }
      std::memcpy(&held[i * bytes], reinterpret_cast<const char*>(address) + from * bytes, bytes);
    }
    address = address_of(held.data());
  }
};

// Strings, places and lengths are broadcast to one shape.
struct Substr final : StringOp {
  explicit Substr(Word unit) : unit(unit) {}
  Word unit;

  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64);
    const Word dtype = call.operands.size() > 1 ? call.operands[1][layout::SLOT_DTYPE] : 0, bytes = dtype == I32 ? 4 : 8;
    const Word *places = call.operand(1, dtype), *lengths = call.operand(2, dtype);
    if (dtype != I32 && dtype != I64) damaged("Substr of places that are no integers");
    if (sizes_of(lengths) != sizes_of(places)) damaged("Substr of places and lengths of different shapes");
    const std::vector<Word> made = broadcast(sizes_of(given), sizes_of(places));
    const Word target = call.reserve(0, I64, made), count = elements_of(call.results[0]);
    const Broadcast strings(given, made, sizeof(Word)), begins(places, made, bytes), sizes(lengths, made, bytes);
    const Lock lock(call.strings.mutex());
    const Word found =
        GRAPHC_SYMBOL(gc_strings_parts)(call.strings.table(), call.strings.held(), strings.address, strings.step, begins.address,
                                        sizes.address, begins.step, bytes, count, unit, target);
    made_or_throw(call, found);
    if (found < count)
      throw_error(GRAPHC_INVALID_ARGUMENT,
                  "pos out of range for string " + shown(call.strings.text(words_at(strings.address)[strings.step * found])));
  }
};

// whole: the separator is one, else each of its bytes; without one it is white space, or every byte stands alone.
struct Split final : StringOp {
  Split(bool whole, bool skips) : whole(whole), skips(skips) {}
  bool whole, skips;

  void run(const StringCall& call) const override {
    const Word* given = call.operand(0, I64, 1);
    const Word by = only_word(call.operand(1, I64)), count = elements_of(given);
    const Word kind = by ? (whole ? S::WHOLE : S::ANY) : (whole ? S::SPACES : S::EVERYWHERE);
    const auto split = [&](Word* sizes, Word indices, Word numbers) {
      made_or_throw(call, GRAPHC_SYMBOL(gc_strings_split)(call.strings.table(), call.strings.held(), data_of(given), count, kind,
                                                          by, skips, address_of(sizes), indices, numbers));
    };
    Word sizes[2];
    const Lock lock(call.strings.mutex());
    split(sizes, 0, 0);
    const Word indices = call.reserve(0, I64, {sizes[0], 2}), numbers = call.reserve(1, I64, {sizes[0]});
    split(sizes, indices, numbers);
    Word* shape = words_at(call.reserve(2, I64, {2}));
    shape[0] = count;
    shape[1] = sizes[1];
  }
};

}  // namespace

std::unique_ptr<StringOp> letters_op(const StringOpFields& fields) {
  const std::string& type = fields.type();
  const bool in_bytes = fields.value("encoding") == "''";
  const Word unit = fields.value("unit") == "'BYTE'" ? S::BYTES : S::CHARACTERS;
  if (type == "StringToNumber") return std::make_unique<ToNumber>();
  if (type == "AsString" && fields.value("width") == "-1" && fields.value("fill") == "''" && !fields.is_true("scientific") &&
      !fields.is_true("shortest") && fields.number("precision") <= 18)
    return std::make_unique<AsString>(fields.number("precision"));
  if (type == "StringToHashBucketFast") return std::make_unique<Buckets>(S::FINGERPRINT, fields.number("num_buckets"));
  if (type == "StringToHashBucket") return std::make_unique<Buckets>(S::MURMUR, fields.number("num_buckets"));
  if (type == "StringToHashBucketStrong") {
    const std::vector<std::string_view> key = fields.parts(fields.value("key"));
    if (key.size() != 2) return nullptr;
    return std::make_unique<Buckets>(S::SIP, fields.number("num_buckets"), whole_number(key[0]), whole_number(key[1]));
  }
  if (type == "StringLength") return std::make_unique<Length>(unit);
  if (type == "Substr") return std::make_unique<Substr>(unit);
  if (type == "StringLower" && in_bytes) return std::make_unique<Changed>(S::LOWER);
  if (type == "StringUpper" && in_bytes) return std::make_unique<Changed>(S::UPPER);
  if (type == "StringStrip") return std::make_unique<Changed>(S::STRIPPED);
  if (type == "StringSplit") return std::make_unique<Split>(false, fields.is_true("skip_empty"));
  if (type == "StringSplitV2" && fields.value("maxsplit") == "-1") return std::make_unique<Split>(true, false);
  if (type == "ReduceJoin") {
    auto reduce = std::make_unique<ReduceJoin>();
    const std::vector<std::string_view> axes = fields.parts(fields.value("reduction_indices"));
    if (axes.size() != 1 || !fields.text("separator", reduce->separator)) return nullptr;
    reduce->axis = whole_number(axes[0]);
    reduce->keeps = fields.is_true("keep_dims");
    return reduce;
  }
  auto join = std::make_unique<Join>();
  if (type == "StringJoin" && fields.text("separator", join->separator)) return join;
  return nullptr;
}

}  // namespace graphc_core
