#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bundle.hpp"
#include "crc32c.hpp"
#include "dtypes.hpp"
#include "error.hpp"
#include "read_file.hpp"
#include "table.hpp"
#include "tensor_part.hpp"
#include "tensors.hpp"
#include "texts.hpp"
#include "wire.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

constexpr std::int64_t VERSION = 1, MOST_SHARDS = 100000;

struct Entry {                       // BundleEntry
  std::int64_t dtype = 0, shard = 0, offset = 0, size = 0;
  std::uint32_t checksum = 0;
  Shape shape;
  bool has_shape = true;
  std::vector<Extents> parts;
};

void read_shape(std::string_view message, Entry& entry, Charge& charge) {
  Reader r(message, &charge);
  while (r.next()) {
    if (r.field() == 3) entry.has_shape = r.integer() == 0;
    else if (r.field() != 2) r.skip();
    else {
      std::int64_t size = 0;
      for (Reader dim(r.bytes()); dim.next();) {
        if (dim.field() == 1) size = dim.integer();
        else dim.skip();
      }
      r.count(1, sizeof size);
      entry.shape.push_back(size);
    }
  }
}

Extents read_extents(std::string_view message, Charge& charge) {
  Extents extents;
  Reader r(message, &charge);
  while (r.next()) {
    if (r.field() != 1) {
      r.skip();
      continue;
    }
    Extent extent;
    for (Reader inner(r.bytes()); inner.next();) {
      if (inner.field() == 1) extent.start = inner.integer();
      else if (inner.field() == 2) extent.length = inner.integer();
      else inner.skip();
    }
    r.count(1, sizeof extent);
    extents.push_back(extent);
  }
  return extents;
}

Entry read_entry(std::string_view message, Charge& charge) {
  Entry entry;
  Reader r(message, &charge);
  while (r.next()) switch (r.field()) {
    case 1: entry.dtype = r.integer(); break;
    case 2: read_shape(r.bytes(), entry, charge); break;
    case 3: entry.shard = r.integer(); break;
    case 4: entry.offset = r.integer(); break;
    case 5: entry.size = r.integer(); break;
    case 6: entry.checksum = r.fixed32(); break;
    case 7:
      r.count(1, sizeof(Extents));
      entry.parts.push_back(read_extents(r.bytes(), charge));
      break;
    default: r.skip();
  }
  return entry;
}

// How many files of data there are. Throws for a checkpoint that needs another reader.
std::int64_t read_header(std::string_view message, const std::string& index) {
  std::int64_t shards = 0, big_endian = 0, needed = 0;
  Reader r(message);
  while (r.next()) switch (r.field()) {
    case 1: shards = r.integer(); break;
    case 2: big_endian = r.integer(); break;
    case 3:
      for (Reader version(r.bytes()); version.next();) {
        if (version.field() == 2) needed = version.integer();
        else version.skip();
      }
      break;
    default: r.skip();
  }
  if (shards < 1 || shards > MOST_SHARDS) damaged_file(index, "it says that there are " + decimal(shards) + " files of data");
  if (big_endian) throw_error(GRAPHC_UNIMPLEMENTED, index + ": the checkpoint was written by a big-endian machine");
  if (needed > VERSION) throw_error(GRAPHC_DATA_LOSS, index + ": the checkpoint was made by newer software");
  return shards;
}

class Checkpoint {
 public:
  Checkpoint(std::string prefix, std::shared_ptr<HostTable> host)
      : prefix_(std::move(prefix)), index_(prefix_ + ".index"), host_(std::move(host)), charge_(host_),
        file_(read_file(index_, host_)) {}

  // Finds what it has of these keys; others are not kept.
  void find(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) entries_.try_emplace(key);
    bool header = false;
    read_table({file_.data(), file_.bytes()}, index_, [&](std::string_view key, std::string_view value) {
      if (key.empty()) shards_ = read_header(value, index_), header = true;
      const auto wanted = entries_.find(key);
      if (wanted != entries_.end() && !wanted->second)
        wanted->second = std::make_unique<Entry>(read_entry(value, charge_));
    });
    if (!header) damaged_file(index_, "it has no header");
  }

  // The keys under which it has the parts of what was found.
  std::vector<std::string> part_keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, entry] : entries_)
      if (entry)
        for (const Extents& extents : entry->parts) keys.push_back(part_key(key, extents));
    return keys;
  }

  // A variable's value, of its whole tensor or its part of it.
  Block value(const Variable& variable) const {
    const TensorPart wanted = parse_part(variable.part, variable.tensor.shape);
    const Entry& entry = found(variable.key);
    require_kind(entry, variable, wanted.whole);
    const auto same = std::find(entry.parts.begin(), entry.parts.end(), wanted.extents);
    if (same != entry.parts.end()) return read(part(variable, *same, entry), variable);
    if (entry.parts.empty() && wanted.is_whole()) return read(entry, variable);
    const Block whole = entry.parts.empty() ? read(entry, variable) : joined(entry, variable);
    Block cut(host_, tensor_bytes(variable.tensor));
    cut_part(wanted, element_size(variable), whole.data(), cut.data());
    return cut;
  }

 private:
  static std::size_t element_size(const Variable& variable) {
    return static_cast<std::size_t>(find_dtype(variable.tensor.dtype)->size);
  }

  const Entry& found(const std::string& key) const {
    const auto at = entries_.find(key);
    if (at != entries_.end() && at->second) return *at->second;
    throw_error(GRAPHC_NOT_FOUND, "Key " + key + " not found in checkpoint " + prefix_);
  }

  void require_kind(const Entry& entry, const Variable& variable, const Shape& shape) const {
    if (entry.dtype == variable.tensor.dtype && entry.has_shape && entry.shape == shape) return;
    throw_error(GRAPHC_INVALID_ARGUMENT,
                "variable '" + variable.tensor.name + "' is of dtype " + dtype_name(variable.tensor.dtype) + " and shape " +
                    shape_text(shape.data(), shape.size()) + ", but '" + variable.key + "' in checkpoint " + prefix_ + " of " +
                    dtype_name(entry.dtype) + " and " + shape_text(entry.shape.data(), entry.shape.size()));
  }

  // The entry of a part that `whole` lists.
  const Entry& part(const Variable& variable, const Extents& extents, const Entry& whole) const {
    const TensorPart described{whole.shape, extents};
    require_inside(described);
    const auto at = entries_.find(part_key(variable.key, extents));
    if (at == entries_.end() || !at->second)
      damaged_file(index_, "it lists a part of '" + variable.key + "', but does not have it");
    if (at->second->dtype != whole.dtype || at->second->shape != described.shape())
      damaged_file(index_, "a part of '" + variable.key + "' has another dtype or shape than it should");
    return *at->second;
  }

  Block joined(const Entry& entry, const Variable& variable) const {
    Tensor tensor = variable.tensor;
    tensor.shape = entry.shape;
    Block whole(host_, tensor_bytes(tensor));
    std::size_t bytes = 0;
    for (const Extents& extents : entry.parts) {
      const Block value = read(part(variable, extents, entry), variable);
      put_part({entry.shape, extents}, element_size(variable), value.data(), whole.data());
      bytes += value.bytes();
    }
    if (bytes != whole.bytes()) damaged_file(index_, "the parts of '" + variable.key + "' are not as many elements as it has");
    return whole;
  }

  Block read(const Entry& entry, const Variable& variable) const {
    Tensor tensor = variable.tensor;
    tensor.shape = entry.shape;
    const std::size_t bytes = tensor_bytes(tensor);
    if (entry.size < 0 || static_cast<std::size_t>(entry.size) != bytes || entry.shard < 0 || entry.shard >= shards_)
      damaged_file(index_, "what it says of '" + variable.key + "' cannot be");
    char shard[32];
    std::snprintf(shard, sizeof shard, ".data-%05d-of-%05d", static_cast<int>(entry.shard), static_cast<int>(shards_));
    const std::string path = prefix_ + shard;
    const InputFile file(path);
    if (entry.offset < 0 || entry.offset > file.size() || bytes > static_cast<std::size_t>(file.size() - entry.offset))
      damaged_file(path, "it has " + decimal(file.size()) + " bytes, fewer than " + index_ + " says");
    Block value = file.read(entry.offset, bytes, host_);
    if (masked(crc32c({value.data(), bytes})) != entry.checksum)
      damaged_file(path, "the checksum of tensor '" + variable.key + "' is wrong");
    if (variable.tensor.dtype == BOOL) normalise_bools(value.data(), bytes);
    return value;
  }

  std::string prefix_, index_;
  std::shared_ptr<HostTable> host_;
  Charge charge_;
  Block file_;
  std::int64_t shards_ = 0;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;      // nullptr: not found
};

}  // namespace
}  // namespace graphc_core

void gc_restore_checkpoint(graphc_core::Values& values, const std::string& prefix,
                           const std::shared_ptr<graphc_core::HostTable>& host) {
  using namespace graphc_core;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < values.count(); ++i)
    if (!values.at(i).key.empty()) keys.push_back(values.at(i).key);
  if (keys.empty())
    throw_error(GRAPHC_FAILED_PRECONDITION, "the model's file lists no variables for checkpoints: save it with gc.export_model");
  Checkpoint checkpoint(prefix, host);
  std::vector<std::pair<Variable*, Block>> found;
  in_file(prefix + ".index", [&] {
    checkpoint.find(keys);
    if (const std::vector<std::string> parts = checkpoint.part_keys(); !parts.empty()) checkpoint.find(parts);
    for (std::size_t i = 0; i < values.count(); ++i)
      if (!values.at(i).key.empty()) found.emplace_back(&values.at(i), checkpoint.value(values.at(i)));
  });
  const std::unique_lock<std::shared_mutex> exclusive(values.mutex);
  for (auto& [variable, value] : found) {
    if (value.bytes()) std::memcpy(variable->value.data(), value.data(), value.bytes());
    variable->written();
  }
}
