// A saved graph (proto/graph.proto): its plans, and the values of its constants.
//
// The file is read whole, not mapped: what else writes to it, or cuts it short, changes nothing of what has been checked. What
// a model keeps is copied out of it. Only constants in a side file (side_file.hpp) are used where they lie.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan.hpp"
#include "side_file.hpp"

namespace graphc_core {

// path: "" if it is not known. The data must outlive what is read from it.
struct GraphFile {
  std::string_view data;
  std::string path;
};

struct TensorValue;

// A variable that the file's signatures share, and what it is when it is loaded (proto/plan.proto: SavedVariable).
struct SavedVariable {
  Tensor tensor;
  std::string value, key, part;
};

struct SavedState {
  std::vector<SavedVariable> variables;
  std::int64_t runs = 0;
};

struct Node {
  std::string_view name, op;
  std::string_view message;          // the whole NodeDef
};

class Graph {
 public:
  // Reads the node table, checks that it is a GraphDef at all, and maps its side file. What it takes is counted.
  // limited: the caller gave a limit on memory; else it is in proportion to the file.
  Graph(const GraphFile& file, const std::shared_ptr<HostTable>& host, bool limited);

  // Of the file and its side file.
  std::size_t bytes() const { return bytes_; }
  // What constants that are used in place lie in; nullptr: there is none.
  const std::shared_ptr<const SideFile>& side_file() const { return side_file_; }

  const std::vector<SavedPlan>& plans() const { return plans_; }
  std::size_t node_count() const { return nodes_.size(); }
  const std::vector<Node>& nodes() const { return nodes_; }
  const SavedState& state() const { return state_; }

  // The hash by the rule in proto/plan.proto.
  std::uint64_t hash() const;

  // Where the value of a Const node lies, if it can be used there: in the side file. nullptr: copy it.
  const char* constant_in_place(const Tensor& wanted) const;

  // The value of Const node `wanted.name` as the file has it, counted in `charge`. Throws DATA_LOSS if dtype or shape differ.
  TensorValue constant_value(const Tensor& wanted, Charge& charge) const;

  // Copies the value of Const node `wanted.name` to `target`, `bytes` long; throws if dtype, shape or length differ.
  void copy_constant(const Tensor& wanted, char* target, std::size_t bytes) const;

 private:
  std::string_view constant(const Tensor& wanted) const;
  std::string_view content(const TensorValue& value, const Tensor& wanted) const;

  std::size_t bytes_;
  mutable Charge charge_;
  std::vector<Node> nodes_;
  std::vector<SavedPlan> plans_;
  SavedState state_;
  std::shared_ptr<const SideFile> side_file_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
};

// The plan of `signature` (empty: the first one), its version and hash checked.
const SavedPlan& choose_plan(const Graph& graph, const std::string& signature);

// Number of bytes of a tensor; throws if a size is negative or the product too large.
std::size_t tensor_bytes(const Tensor& tensor);

}  // namespace graphc_core
