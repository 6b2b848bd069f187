// GraphDef -> nodes, plans, constants. Only what the runner needs of a node is read: its name, op and "value" attribute.
#include "graph_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "dtypes.hpp"
#include "tensor_reader.hpp"
#include "texts.hpp"
#include "wire.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

constexpr std::size_t LARGEST_TENSOR = std::size_t{1} << 40;

class Crc32 {
 public:
  void add(std::string_view data) {
    static const std::array<std::uint32_t, 256> table = make_table();
    for (const char c : data) crc_ = table[(crc_ ^ static_cast<unsigned char>(c)) & 0xFF] ^ (crc_ >> 8);
    length_ += data.size();
  }
  void add(char byte) { add(std::string_view(&byte, 1)); }
  std::uint64_t value() const { return (length_ << 32) | (crc_ ^ 0xFFFFFFFFu); }

 private:
  static std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
      table[i] = value;
    }
    return table;
  }

  std::uint32_t crc_ = 0xFFFFFFFFu;
  std::uint64_t length_ = 0;
};

using Attribute = std::pair<std::string_view, std::string_view>;   // key, serialised AttrValue

Attribute read_attribute(std::string_view entry) {
  Attribute attribute;
  Reader r(entry);
  while (r.next()) switch (r.field()) {
    case 1: attribute.first = r.bytes(); break;
    case 2: attribute.second = r.bytes(); break;
    default: r.skip();
  }
  return attribute;
}

void hash_node(const Node& node, Crc32& crc, Charge& charge) {
  std::size_t fields = 0;
  for (Reader r(node.message); r.next(); r.skip()) fields += r.field() == 3 || r.field() == 5;
  const std::size_t bytes = 2 * fields * sizeof(Attribute);
  charge.add(bytes);
  std::vector<Attribute> attributes;
  std::vector<std::string_view> inputs;
  Reader r(node.message);
  while (r.next()) switch (r.field()) {
    case 3: inputs.push_back(r.bytes()); break;
    case 5: attributes.push_back(read_attribute(r.bytes())); break;
    default: r.skip();
  }
  std::sort(attributes.begin(), attributes.end());
  crc.add(node.name);
  crc.add('\0');
  crc.add(node.op);
  crc.add('\0');
  for (const std::string_view input : inputs) crc.add(input), crc.add('\0');
  crc.add('\1');
  for (const Attribute& a : attributes) crc.add(a.first), crc.add('\0'), crc.add(a.second), crc.add('\0');
  crc.add('\2');
  charge.remove(bytes);
}

std::string_view constant_message(const Node& node) {
  Reader r(node.message);
  while (r.next()) {
    if (r.field() != 5) {
      r.skip();
      continue;
    }
    const Attribute attribute = read_attribute(r.bytes());
    if (attribute.first != "value") continue;
    Reader value(attribute.second);
    while (value.next()) {
      if (value.field() == 8) return value.bytes();
      value.skip();
    }
  }
  damaged("constant " + std::string(node.name) + " has no value");
}

SavedVariable read_variable(std::string_view message, Charge& charge) {
  SavedVariable variable;
  Reader r(message, &charge);
  const auto text = [&r] {
    const std::string_view bytes = r.bytes();
    r.count(1, bytes.size());
    return std::string(bytes);
  };
  while (r.next()) switch (r.field()) {
    case 1: variable.tensor.name = text(); break;
    case 2: variable.tensor.dtype = static_cast<std::int32_t>(r.integer()); break;
    case 3: r.integers(variable.tensor.shape); break;
    case 4: variable.value = text(); break;
    case 5: variable.key = text(); break;
    case 6: variable.part = text(); break;
    default: r.skip();
  }
  return variable;
}

SideFileInfo read_side_file(std::string_view message) {
  SideFileInfo info;
  Reader r(message);
  while (r.next()) switch (r.field()) {
    case 1: info.name = r.bytes(); break;
    case 2: info.size = r.integer(); break;
    case 3: info.id = r.bytes(); break;
    default: r.skip();
  }
  return info;
}

// Merged into `state`, as protobuf has it of a message that stands there twice.
void read_state(std::string_view message, SavedState& state, Charge& charge) {
  Reader r(message, &charge);
  while (r.next()) switch (r.field()) {
    case 1:
      r.count(1, sizeof(SavedVariable));
      state.variables.push_back(read_variable(r.bytes(), charge));
      break;
    case 2: state.runs = r.integer(); break;
    default: r.skip();
  }
}

}  // namespace

Graph::Graph(const GraphFile& file, const std::shared_ptr<HostTable>& host, bool limited)
    : bytes_(file.data.size()), charge_(host) {
  const LoadLimit limit(host, bytes_, limited);
  static constexpr unsigned NODE = 1, PLANS = 1000, STATE = 1001, SIDE_FILE = 1002;
  static constexpr std::size_t BY_NAME = 64;     // bytes of an entry in by_name_
  std::optional<SideFileInfo> side;
  Reader r(file.data);
  while (r.next()) {
    if (r.field() == NODE) {
      Node node;
      node.message = r.bytes();
      Reader inner(node.message);
      while (inner.next()) {
        if (inner.field() == 1) node.name = inner.bytes();
        else if (inner.field() == 2) node.op = inner.bytes();
        else inner.skip();
      }
      charge_.add(2 * sizeof(Node) + BY_NAME);
      by_name_.emplace(node.name, nodes_.size());
      nodes_.push_back(node);
    } else if (r.field() == PLANS) {
      plans_.push_back(read_saved_plan(r.bytes(), charge_));
    } else if (r.field() == STATE) {
      read_state(r.bytes(), state_, charge_);
    } else if (r.field() == SIDE_FILE) {
      side = read_side_file(r.bytes());
    } else {
      r.skip();
    }
  }
  if (!side) return;
  if (file.path.empty())
    throw_error(GRAPHC_UNIMPLEMENTED, "the graph has constants in the file " + side->name + " beside it, which is found only if the "
                                          "graph is loaded by its path");
  side_file_ = std::make_shared<SideFile>(file.path, *side);
  bytes_ += static_cast<std::size_t>(side->size);
}

std::uint64_t Graph::hash() const {
  Crc32 crc;
  for (const Node& node : nodes_) hash_node(node, crc, charge_);
  return crc.value();
}

std::string_view Graph::constant(const Tensor& wanted) const {
  const auto found = by_name_.find(wanted.name);
  if (found == by_name_.end() || nodes_[found->second].op != "Const")
    damaged("the plan uses constant " + wanted.name + ", which the graph does not have");
  return constant_message(nodes_[found->second]);
}

TensorValue Graph::constant_value(const Tensor& wanted, Charge& charge) const {
  TensorValue value = read_tensor(constant(wanted), charge);
  if (value.dtype != wanted.dtype || value.shape != wanted.shape || value.unknown_rank)
    damaged("constant " + wanted.name + " has another dtype or shape than the plan says");
  return value;
}

// The bytes of a constant as they stand in the .pb or its side file; empty: the file has its values in another form.
std::string_view Graph::content(const TensorValue& value, const Tensor& wanted) const {
  if (value.side && !side_file_) damaged("constant " + wanted.name + " is in a side file, but the graph names none");
  const std::string_view content = value.side ? side_file_->bytes(*value.side) : value.content;
  const std::size_t bytes = tensor_bytes(wanted);
  if ((value.side || !content.empty()) && content.size() != bytes)
    damaged("constant " + wanted.name + " has " + decimal(content.size()) + " bytes instead of " + decimal(bytes));
  return content;
}

const char* Graph::constant_in_place(const Tensor& wanted) const {
  if (!side_file_ || wanted.dtype == BOOL) return nullptr;      // bytes of bools may have to be changed
  Charge charge(charge_.host());
  const TensorValue value = constant_value(wanted, charge);
  return value.side ? content(value, wanted).data() : nullptr;
}

void Graph::copy_constant(const Tensor& wanted, char* target, std::size_t bytes) const {
  Charge charge(charge_.host());
  const TensorValue value = constant_value(wanted, charge);
  const std::string_view found = content(value, wanted);
  const DType* dtype = find_dtype(wanted.dtype);
  if (!found.empty()) {
    std::memcpy(target, found.data(), bytes);
    if (dtype->number == BOOL) normalise_bools(target, bytes);
    return;
  }
  copy_values(value, wanted.dtype, target, bytes / static_cast<std::size_t>(dtype->size), wanted.name, charge);
}

const SavedPlan& choose_plan(const Graph& graph, const std::string& signature) {
  if (graph.plans().empty())
    throw_error(GRAPHC_NOT_FOUND, graph.node_count()
                                      ? "the file is a graph without compiled plans; save it with graphc (gc.freeze, write_graph) "
                                        "so that it holds one"
                                      : "the file is empty or no graph");
  std::string names;
  for (const SavedPlan& saved : graph.plans()) {
    if (!signature.empty() && saved.signature != signature) {
      names += (names.empty() ? "" : ", ") + saved.signature;
      continue;
    }
    if (saved.version != FORMAT_VERSION)
      throw_error(GRAPHC_DATA_LOSS, "the plan has format version " + decimal(saved.version) + "; this runner reads version " +
                                        decimal(FORMAT_VERSION) +
                                        (saved.version > FORMAT_VERSION ? ": it was made by a newer graphc" : ""));
    if (saved.graph_hash != graph.hash())
      throw_error(GRAPHC_FAILED_PRECONDITION, "the plan was not made of this graph: the graph's nodes or constants were changed after "
                                              "it was compiled. Load it in Python and save it again");
    return saved;
  }
  throw_error(GRAPHC_NOT_FOUND, "the file has no signature " + signature + "; it has " + names);
}

std::size_t tensor_bytes(const Tensor& tensor) {
  const DType* dtype = find_dtype(tensor.dtype);
  if (!dtype || !dtype->size)
    throw_error(GRAPHC_UNIMPLEMENTED, tensor.name + ": dtype " + dtype_name(tensor.dtype) + " is not supported");
  if (tensor.shape.size() > GRAPHC_MAX_RANK) damaged(tensor.name + " has more than 8 axes");
  std::size_t bytes = static_cast<std::size_t>(dtype->size);
  for (const std::int64_t size : tensor.shape) {
    if (size < 0) damaged(tensor.name + " has a negative size");
    if (size && bytes > LARGEST_TENSOR / static_cast<std::size_t>(size)) damaged(tensor.name + " is too large");
    bytes *= static_cast<std::size_t>(size);
  }
  return bytes;
}

}  // namespace graphc_core
