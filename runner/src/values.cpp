#include "values.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dtypes.hpp"
#include "error.hpp"
#include "parts.hpp"
#include "running.hpp"
#include "tensor_part.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

using Word = std::int64_t;

std::string kind_text(const Tensor& tensor) {
  return dtype_name(tensor.dtype) + " " + shape_text(tensor.shape.data(), tensor.shape.size());
}

void require_same(const Tensor& there, const Tensor& wanted, const char* what) {
  if (there.dtype != wanted.dtype || there.shape != wanted.shape)
    damaged(std::string(what) + " '" + wanted.name + "' is " + kind_text(there) + " in one place of the file and " +
            kind_text(wanted) + " in another");
}

}  // namespace

void Variable::written() {
  Word* words = words_at(info.address());
  words[0] = 1;
  ++words[1];
  newest.reset();
}

void Values::add_saved(const Graph& graph, const std::shared_ptr<HostTable>& host) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  for (const SavedVariable& saved : graph.state().variables) {
    if (saved.value.empty()) continue;
    if (numbers_.count(saved.tensor.name)) damaged("it lists variable '" + saved.tensor.name + "' twice");
    Variable& made = make(saved, host);
    Tensor constant = saved.tensor;
    constant.name = saved.value;
    graph.copy_constant(constant, made.value.data(), made.value.bytes());
    made.written();
  }
  runs = graph.state().runs;
}

void Values::add_unset(const Graph& graph, const std::shared_ptr<HostTable>& host) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  for (const SavedVariable& saved : graph.state().variables)
    if (!numbers_.count(saved.tensor.name)) make(saved, host);
}

Word Values::constant(const Tensor& wanted, const Graph& graph, const std::shared_ptr<HostTable>& host) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  const auto found = constants_.find(wanted.name);
  if (found != constants_.end()) {
    require_same(found->second.tensor, wanted, "constant");
    return found->second.address;
  }
  if (wanted.dtype == STRING) return string_constant(wanted, graph, host);
  if (const char* there = graph.constant_in_place(wanted)) {
    if (side_files_.empty() || side_files_.back() != graph.side_file()) side_files_.push_back(graph.side_file());
    constants_.emplace(wanted.name, Constant{wanted, Block(), address_of(there)});
    return address_of(there);
  }
  Block value(host, tensor_bytes(wanted));
  graph.copy_constant(wanted, value.data(), value.bytes());
  const Word address = value.address();
  constants_.emplace(wanted.name, Constant{wanted, std::move(value), address});
  return address;
}

// Its numbers.
Word Values::string_constant(const Tensor& wanted, const Graph& graph, const std::shared_ptr<HostTable>& host) {
  const std::size_t bytes = tensor_bytes({wanted.name, STRING_IN_MEMORY, wanted.shape});
  Block value(host, bytes);
  strings_->number(graph, wanted, words_at(value.address()), bytes / sizeof(Word));
  const Word address = value.address();
  constants_.emplace(wanted.name, Constant{wanted, std::move(value), address});
  return address;
}

std::shared_ptr<Strings> Values::strings(const std::shared_ptr<HostTable>& host) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  if (!strings_) call_part<decltype(gc_open_strings)>(STRINGS, "what knows strings", host, strings_);
  return strings_;
}

Variable& Values::variable(const Tensor& wanted, const std::shared_ptr<HostTable>& host) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  const auto found = numbers_.find(wanted.name);
  if (found == numbers_.end()) return make({wanted, "", "", ""}, host);
  require_same(variables_[found->second].tensor, wanted, "variable");
  return variables_[found->second];
}

Variable& Values::make(const SavedVariable& saved, const std::shared_ptr<HostTable>& host) {
  if (!saved.part.empty())
    call_part<decltype(gc_check_part)>(CHECK_PART, "a part of a variable", saved.part, saved.tensor.shape);
  Variable made{saved.tensor, saved.key, saved.part, Block(host, tensor_bytes(saved.tensor)), Block(host, 2 * sizeof(Word))};
  variables_.push_back(std::move(made));
  numbers_.emplace(saved.tensor.name, variables_.size() - 1);
  return variables_.back();
}

std::size_t Values::count() const {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  return variables_.size();
}

Variable& Values::at(std::size_t index) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  return variables_.at(index);
}

std::shared_ptr<VariableCopy> Values::copy_on(Variable& variable, int device,
                                              const std::function<std::shared_ptr<VariableCopy>()>& make) {
  const std::lock_guard<std::mutex> guard(tables_mutex_);
  std::shared_ptr<VariableCopy>& found = variable.copies[device];
  if (!found) found = make();
  return found;
}

void Values::bring_home(Variable& variable) {
  const std::lock_guard<std::mutex> guard(home_mutex_);
  if (!variable.newest) return;
  variable.newest->bring_home(variable.value.data());
  variable.newest.reset();
}

void Values::bring_all_home() {
  if (!any_elsewhere_.load(std::memory_order_acquire)) return;
  for (std::size_t i = 0; i < count(); ++i) bring_home(at(i));
  any_elsewhere_.store(false, std::memory_order_release);
}

void Values::written_elsewhere(Variable& variable, std::shared_ptr<VariableCopy> newest) {
  variable.written();
  variable.newest = std::move(newest);
  any_elsewhere_.store(true, std::memory_order_release);
}

void Values::set(std::size_t index, const graphc_tensor& value) {
  Inside::refuse(this);
  Variable& variable = at(index);
  const Tensor& wanted = variable.tensor;
  const bool same_shape = static_cast<std::size_t>(value.rank) == wanted.shape.size() &&
                          std::equal(wanted.shape.begin(), wanted.shape.end(), value.sizes);
  if (value.dtype != wanted.dtype || value.rank < 0 || !same_shape)
    throw_error(GRAPHC_INVALID_ARGUMENT, "variable '" + wanted.name + "' is of dtype " + dtype_name(wanted.dtype) +
                                             " and shape " + shape_text(wanted.shape.data(), wanted.shape.size()));
  const std::size_t bytes = variable.value.bytes();
  if (!value.data && bytes) throw_error(GRAPHC_INVALID_ARGUMENT, "variable '" + wanted.name + "': no data");
  const std::unique_lock<std::shared_mutex> exclusive(mutex);
  if (bytes) std::memcpy(variable.value.data(), value.data, bytes);
  variable.written();
}

void Values::get(std::size_t index, void* data, std::size_t bytes) {
  Inside::refuse(this);
  Variable& variable = at(index);
  const std::shared_lock<std::shared_mutex> shared(mutex);
  bring_home(variable);
  if (!variable.has_value()) throw_error(GRAPHC_FAILED_PRECONDITION, "variable '" + variable.tensor.name + "' has no value");
  if (bytes != variable.value.bytes())
    throw_error(GRAPHC_INVALID_ARGUMENT,
                "variable '" + variable.tensor.name + "' has " + decimal(variable.value.bytes()) + " bytes");
  if (bytes) std::memcpy(data, variable.value.data(), bytes);
}

}  // namespace graphc_core
