#include "inputs.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;

[[noreturn, gnu::cold]] void refuse(const Port& port, const std::string& why) {
  throw_error(GRAPHC_INVALID_ARGUMENT, "input '" + port.name + "' " + why);
}

[[noreturn, gnu::cold]] void refuse_shape(const Port& port, const std::string& given) {
  refuse(port, "has shape " + shape_text(port.shape.data(), port.shape.size()) + ", a tensor of " + given);
}

// Makes no text unless something is wrong: every run comes here.
void check(const Port& port, const graphc_tensor& given) {
  if (given.dtype != port.dtype)
    refuse(port, "is of dtype " + dtype_name(port.dtype) + ", a tensor of " + dtype_name(given.dtype) + " is given");
  const std::size_t rank = port.shape.size();
  if (given.rank < 0 || static_cast<std::size_t>(given.rank) != rank)
    refuse_shape(port, decimal(given.rank) + " axes is given");
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const bool fits = given.sizes[axis] >= 0 && (port.shape[axis] < 0 || port.shape[axis] == given.sizes[axis]);
    if (!fits) refuse_shape(port, "shape " + shape_text(given.sizes, rank) + " is given");
  }
  std::size_t bytes = 0;
  if (!bytes_of(given, bytes))
    refuse_shape(port, "shape " + shape_text(given.sizes, rank) + " is given, which is too large for any memory");
  if (bytes && !given.data) refuse(port, "has no data");
}

}  // namespace

std::vector<Word> checked_sizes(const Plan& plan, const graphc_tensor* inputs, std::size_t count) {
  if (count != plan.inputs.size())
    throw_error(GRAPHC_INVALID_ARGUMENT, "the model has " + decimal(plan.inputs.size()) + " inputs, " +
                                             decimal(count) + " are given");
  std::vector<Word> sizes(8 * count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    check(plan.inputs[i], inputs[i]);
    std::copy(inputs[i].sizes, inputs[i].sizes + inputs[i].rank, sizes.begin() + static_cast<std::ptrdiff_t>(8 * i));
  }
  return sizes;
}

Inputs::Inputs(const graphc_tensor* given, std::size_t count, std::shared_ptr<HostTable> host, RunStrings* strings)
    : host_(std::move(host)), strings_(strings) {
  for (std::size_t i = 0; i < count; ++i) addresses_.push_back(usable(given[i]));
}

Word Inputs::usable(const graphc_tensor& tensor) {
  static const Word nothing[8] = {};
  const std::size_t bytes = bytes_of(tensor);
  const char* data = static_cast<const char*>(tensor.data);
  if (!bytes) return address_of(data ? data : reinterpret_cast<const char*>(nothing));
  if (tensor.dtype == STRING) {
    copies_.push_back(strings_->numbers(tensor));
    return copies_.back().address();
  }
  const bool is_bool = tensor.dtype == BOOL;
  const bool fits = address_of(data) % find_dtype(tensor.dtype)->size == 0 &&
                    !(is_bool && std::any_of(data, data + bytes, [](char c) { return c & ~1; }));
  if (fits) return address_of(data);
  copies_.emplace_back(host_, bytes);
  char* copy = copies_.back().data();
  std::memcpy(copy, data, bytes);
  if (is_bool) normalise_bools(copy, bytes);
  return address_of(copy);
}

}  // namespace graphc_core
