// Reads protobuf's wire format in place: bounds-checked, copies nothing, trusts no length.
//
//   Reader r(data, size);
//   while (r.next()) switch (r.field()) { case 1: x = r.integer(); break; default: r.skip(); }
//
// Every field must be read or skipped. Anything malformed throws Error(GRAPHC_DATA_LOSS). Repeated integers are accepted packed
// and unpacked, as the format demands. What lists and texts take is counted in a Charge, if there is one, before it is
// allocated: two bytes of a file can be a message that takes hundreds.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "error.hpp"
#include "memory.hpp"
#include "texts.hpp"

namespace graphc_core::wire {

enum Type : unsigned { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

inline std::int64_t zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

class Reader {
 public:
  explicit Reader(std::string_view data, Charge* charge = nullptr)
      : position_(data.data()), end_(data.data() + data.size()), charge_(charge) {}

  Charge* charge() const { return charge_; }
  // Counts `count` elements of `bytes` each in a vector that grows by doubling.
  void count(std::size_t count, std::size_t bytes) const {
    if (charge_) charge_->add(2 * count * bytes);
  }

  // Moves to the next field; false at the end of the message.
  bool next() {
    if (position_ == end_) return false;
    const std::uint64_t key = varint();
    type_ = static_cast<unsigned>(key & 7);
    if (key >> 3 == 0 || key >> 32 != 0) damaged("a field number of 0 or out of range");
    field_ = static_cast<unsigned>(key >> 3);
    return true;
  }

  unsigned field() const { return field_; }
  unsigned type() const { return type_; }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (position_ == end_) damaged("the file ends in the middle of a number");
      const auto byte = static_cast<unsigned char>(*position_++);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    damaged("a number of more than ten bytes");
  }

  std::int64_t integer() {
    expect(VARINT);
    return static_cast<std::int64_t>(varint());
  }

  std::int64_t signed_integer() {
    expect(VARINT);
    return zigzag(varint());
  }

  std::uint64_t fixed64() {
    expect(FIXED64);
    return raw<std::uint64_t>();
  }

  std::uint32_t fixed32() {
    expect(FIXED32);
    return raw<std::uint32_t>();
  }

  double real() {
    expect(FIXED64);
    return raw<double>();
  }

  // Contents of a string, bytes or message field; a view into the file.
  std::string_view bytes() {
    expect(BYTES);
    return next_bytes(varint());
  }

  // The next `size` bytes, whatever they are: for formats that are no protobuf.
  std::string_view next_bytes(std::uint64_t size) {
    if (size > left()) damaged("a length reaches behind the end of the file");
    const std::string_view view(position_, static_cast<std::size_t>(size));
    position_ += size;
    return view;
  }

  void skip() {
    switch (type_) {
      case VARINT: varint(); break;
      case FIXED64: raw<std::uint64_t>(); break;
      case FIXED32: raw<std::uint32_t>(); break;
      case BYTES: bytes(); break;
      default: damaged("a field of unknown wire type");
    }
  }

  // Appends the value or, if packed, the values of a repeated field of varints.
  template <class Integer>
  void integers(std::vector<Integer>& out, bool zigzagged = false) {
    const auto append = [&](std::uint64_t value) {
      const std::int64_t number = zigzagged ? zigzag(value) : static_cast<std::int64_t>(value);
      if (static_cast<std::int64_t>(static_cast<Integer>(number)) != number) damaged("a number out of range");
      out.push_back(static_cast<Integer>(number));
    };
    if (type_ == VARINT) return count(1, sizeof(Integer)), append(varint());
    const std::string_view list = bytes();
    std::size_t numbers = 0;
    for (const char c : list) numbers += static_cast<unsigned char>(c) < 0x80;
    count(numbers, sizeof(Integer));
    Reader packed(list);
    while (packed.left()) append(packed.varint());
  }

  // The same for elements of fixed size (float, double).
  template <class Element>
  void elements(std::vector<Element>& out) {
    static_assert(sizeof(Element) == 4 || sizeof(Element) == 8);
    if (type_ == (sizeof(Element) == 4 ? FIXED32 : FIXED64)) return count(1, sizeof(Element)), out.push_back(raw<Element>());
    const std::string_view packed = bytes();
    count(1, packed.size());
    if (packed.size() % sizeof(Element)) damaged("a packed list of broken elements");
    const std::size_t start = out.size(), count = packed.size() / sizeof(Element);
    out.resize(start + count);
    if (count) std::memcpy(&out[start], packed.data(), packed.size());
  }

  std::size_t left() const { return static_cast<std::size_t>(end_ - position_); }

 private:
  template <class Value>
  Value raw() {
    if (left() < sizeof(Value)) damaged("the file ends in the middle of a value");
    Value value;
    std::memcpy(&value, position_, sizeof value);
    position_ += sizeof value;
    return value;
  }

  void expect(Type wanted) const {
    if (type_ != wanted) damaged("field " + decimal(field_) + " has the wrong wire type");
  }

  const char* position_;
  const char* end_;
  Charge* charge_;
  unsigned field_ = 0;
  unsigned type_ = 0;
};

}  // namespace graphc_core::wire
