// What the signatures of one file have in common: constants, variables, the lock on them, and how often they ran.
//
// A model has Values of its own, or shares another's (graphc_options.share): then what one trains the other sees. Constants and
// variables are found by name; they count against the memory of the model that made them.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "device_runs.hpp"
#include "graph_reader.hpp"
#include "graphc.h"
#include "memory.hpp"
#include "plan.hpp"
#include "strings.hpp"

namespace graphc_core {

struct Variable {
  Tensor tensor;                       // name, dtype, shape
  std::string key, part;               // its name in checkpoints ("": they leave it out); its part of that tensor
  Block value, info;                   // info: two words of the runtime's, (has a value, version)
  std::map<int, std::shared_ptr<VariableCopy>> copies = {};    // on devices, by their numbers
  std::shared_ptr<VariableCopy> newest = nullptr;              // the one that alone has the newest value; nullptr: `value` has it

  bool has_value() const { return *reinterpret_cast<const std::int64_t*>(info.data()) != 0; }
  std::int64_t version() const { return reinterpret_cast<const std::int64_t*>(info.data())[1]; }
  // To be called under the exclusive lock, with `value` filled.
  void written();
};

class Values {
 public:
  explicit Values(std::uint64_t graph_hash) : graph_hash_(graph_hash) {}

  std::uint64_t graph_hash() const { return graph_hash_; }

  // The variables that the file lists with a value, and how often they were run before.
  void add_saved(const Graph& graph, const std::shared_ptr<HostTable>& host);
  // Those that it lists without one, unless they are there.
  void add_unset(const Graph& graph, const std::shared_ptr<HostTable>& host);

  // Addresses of what a plan uses, made if it is not there yet. Throws DATA_LOSS if it is there with another dtype or shape.
  std::int64_t constant(const Tensor& wanted, const Graph& graph, const std::shared_ptr<HostTable>& host);
  Variable& variable(const Tensor& wanted, const std::shared_ptr<HostTable>& host);
  // The constants' strings, made if there are none: before a constant of strings is asked for.
  std::shared_ptr<Strings> strings(const std::shared_ptr<HostTable>& host);

  // Variables never go and never move: what is counted once stays.
  std::size_t count() const;
  Variable& at(std::size_t index);

  // The variable's copy on a device, made if there is none.
  std::shared_ptr<VariableCopy> copy_on(Variable& variable, int device,
                                        const std::function<std::shared_ptr<VariableCopy>()>& make);
  // Under the lock, before the host or another device reads or writes values: they come home from devices that have newer ones.
  void bring_home(Variable& variable);
  void bring_all_home();
  // Under the exclusive lock: `newest` has been written.
  void written_elsewhere(Variable& variable, std::shared_ptr<VariableCopy> newest);

  // Throw INVALID_ARGUMENT for another dtype, shape or size, FAILED_PRECONDITION for a variable without a value.
  void set(std::size_t index, const graphc_tensor& value);
  void get(std::size_t index, void* data, std::size_t bytes);

  // Held by runs: shared by those that only read variables, exclusively by those that write them.
  std::shared_mutex mutex;
  std::atomic<std::int64_t> runs{0};   // the number of the next run, on which random ops depend

 private:
  struct Constant {
    Tensor tensor;
    Block value;                       // empty: it lies in the side file
    std::int64_t address;
  };

  std::int64_t string_constant(const Tensor& wanted, const Graph& graph, const std::shared_ptr<HostTable>& host);
  Variable& make(const SavedVariable& saved, const std::shared_ptr<HostTable>& host);

  const std::uint64_t graph_hash_;
  mutable std::mutex tables_mutex_;    // held while something is looked up or added
  std::mutex home_mutex_;              // held while values come home, by readers that hold the shared lock
  std::atomic<bool> any_elsewhere_{false};
  std::map<std::string, Constant> constants_;
  std::vector<std::shared_ptr<const SideFile>> side_files_;   // in which constants lie: a mapping for each model
  std::shared_ptr<Strings> strings_;   // nullptr: no model has any
  std::deque<Variable> variables_;
  std::map<std::string, std::size_t> numbers_;
};

}  // namespace graphc_core
