// Strings of a model (docs/adr/0022, 0080): in the memory of a plan they are numbers, at its edge what graphc_string says. What
// turns the one into the other is a part (parts.hpp) that runners may lack; models and their values know it by these faces alone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "graph_reader.hpp"
#include "graphc.h"
#include "memory.hpp"
#include "plan.hpp"

namespace graphc_core {

// The strings of one run: those that it is fed, that its ops make, and those of the constants.
class RunStrings {
 public:
  virtual ~RunStrings() = default;
  // The numbers of an input's strings. Throws INVALID_ARGUMENT.
  virtual Block numbers(const graphc_tensor& input) = 0;
  // Makes the strings of an output, whose `data` are numbers: `memory` is what it has then. Throws DATA_LOSS for a number that no
  // string has, which only a damaged plan makes.
  virtual void name(graphc_tensor& output, Block& memory) = 0;

  // For kernels of strings (kernels/strings): the table and what this run holds in it, for whoever has the mutex.
  virtual std::mutex& mutex() = 0;
  virtual std::int64_t table() = 0;
  virtual std::int64_t held() = 0;
  // Behind a kernel that made strings: counts them against the run's memory. Throws RESOURCE_EXHAUSTED.
  virtual void count_made() = 0;
  // The string with this number, as long as the run lives. Throws DATA_LOSS. Under the mutex.
  virtual std::string_view text(std::int64_t number) = 0;
};

// The strings of a file's constants, common to the models that share them.
class Strings {
 public:
  virtual ~Strings() = default;
  // Writes the numbers of a constant's strings to `target`, of `count` elements.
  virtual void number(const Graph& graph, const Tensor& constant, std::int64_t* target, std::size_t count) = 0;
  virtual std::unique_ptr<RunStrings> begin(std::shared_ptr<HostTable> host) = 0;
};

}  // namespace graphc_core

extern "C" {

// A part. What the constants' strings take counts in `host`.
void gc_open_strings(const std::shared_ptr<graphc_core::HostTable>& host, std::shared_ptr<graphc_core::Strings>& made);

}  // extern "C"
