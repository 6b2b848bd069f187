// Ops on strings that the library computes by the kernels of kernels/strings. In a plan they are host functions named
// "strings:0,1>0:op:StringJoin(separator=', ')" (graphc/ir/host.py): which operands and results are strings, then the op.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "library.hpp"
#include "memory.hpp"
#include "strings.hpp"

namespace graphc_core {

// A call of one: SLOT records of its operands and results. Damaged plans have others than the op: then it throws DATA_LOSS.
struct StringCall {
  const Library& library;
  HostTable& host;
  RunStrings& strings;
  std::vector<std::int64_t*> operands, results;

  // An operand of that dtype in memory, and of that rank, -1: of any.
  const std::int64_t* operand(std::size_t number, std::int64_t dtype, std::int64_t rank = -1) const;
  std::int64_t result_dtype(std::size_t number) const;
  // The address of a result of that dtype, which gets this shape.
  std::int64_t reserve(std::size_t number, std::int64_t dtype, const std::vector<std::int64_t>& sizes) const;
};

// The first bytes of a string for messages, in quotes; what is not ASCII's letters and signs stands as "?".
[[gnu::cold]] std::string shown(std::string_view text);

std::int64_t elements_of(const std::int64_t* slot);
std::int64_t data_of(const std::int64_t* slot);
std::vector<std::int64_t> sizes_of(const std::int64_t* slot);
// One element, of 8 bytes. Throws DATA_LOSS for another number of them.
std::int64_t only_word(const std::int64_t* slot);

// What is written in decimal, modulo 2^64.
std::int64_t whole_number(std::string_view written);

// The fields of an op as they stand in its name.
class StringOpFields {
 public:
  explicit StringOpFields(std::string_view name);
  const std::string& type() const { return type_; }
  // What stands behind "field="; "" if there is no such field.
  std::string_view value(const char* field) const;
  std::int64_t number(const char* field) const { return whole_number(value(field)); }
  bool is_true(const char* field) const { return value(field) == "True"; }
  // Of a text as Python writes it; false if it is none, or has characters that this does not know.
  bool text(std::string_view written, std::string& made) const;
  bool text(const char* field, std::string& made) const { return text(value(field), made); }
  // The parts of "(a, b, c)".
  std::vector<std::string_view> parts(std::string_view written) const;

 private:
  std::string type_;
  std::string_view fields_;
};

class StringOp {
 public:
  virtual ~StringOp() = default;
  // Throws INVALID_ARGUMENT for operands that the op does not take.
  virtual void run(const StringCall& call) const = 0;
};

std::unique_ptr<StringOp> letters_op(const StringOpFields& fields);                             // string_letters.cpp
std::unique_ptr<StringOp> records_op(const StringOpFields& fields, const std::string& name);    // string_records.cpp

}  // namespace graphc_core

extern "C" {

// A part. name: of the host function. nullptr is made if the library has no such op.
void gc_open_string_op(const std::string& name, std::unique_ptr<graphc_core::StringOp>& made);

}  // extern "C"
