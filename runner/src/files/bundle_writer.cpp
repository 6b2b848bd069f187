#include <map>
#include <mutex>
#include <string>

#include "bundle.hpp"
#include "crc32c.hpp"
#include "error.hpp"
#include "tensor_part.hpp"
#include "whole_file.hpp"
#include "wire_writer.hpp"
#include "table.hpp"

namespace graphc_core {
namespace {

constexpr int VERSION = 1;

std::string header() {
  std::string version, made;
  wire::put_number(version, 1, VERSION);
  wire::put_number(made, 1, 1);                // shards
  wire::put_bytes(made, 3, version);
  return made;
}

// The first fields of a BundleEntry.
std::string described(std::int32_t dtype, const Shape& shape) {
  std::string sizes, made;
  for (const std::int64_t size : shape) {
    std::string dim;
    wire::put_number(dim, 1, size);
    wire::put_bytes(sizes, 2, dim);
  }
  wire::put_number(made, 1, dtype);
  wire::put_bytes(made, 2, sizes);
  return made;
}

std::string slice_message(const Extents& extents) {
  std::string made;
  for (const Extent& extent : extents) {
    std::string message;
    if (extent.length != WHOLE_AXIS) {
      wire::put_number(message, 1, extent.start);
      wire::put_varint(message, 2 << 3);       // written even if it is 0
      wire::put_varint(message, static_cast<std::uint64_t>(extent.length));
    }
    wire::put_bytes(made, 1, message);
  }
  return made;
}

class Writer {
 public:
  explicit Writer(const std::string& prefix) : data_(prefix + ".data-00000-of-00001"), index_(prefix + ".index") {}

  void add(const Variable& variable) {
    const TensorPart part = parse_part(variable.part, variable.tensor.shape);
    std::string key = variable.key;
    if (!part.is_whole()) {
      std::string& whole = entries_.try_emplace(key, described(variable.tensor.dtype, part.whole)).first->second;
      wire::put_bytes(whole, 7, slice_message(part.extents));
      key = part_key(key, part.extents);
    }
    if (!entries_.try_emplace(key, written(variable)).second)
      damaged("two variables have the key '" + variable.key + "' in checkpoints");
  }

  void commit() {
    entries_[""] = header();
    index_.write(table_bytes(entries_));
    index_.finish();
    data_.finish();
    data_.commit();
    index_.commit();                           // the last: it is what makes a checkpoint one
  }

 private:
  std::string written(const Variable& variable) {
    const std::string_view bytes(variable.value.data(), variable.value.bytes());
    data_.write(bytes);
    std::string entry = described(variable.tensor.dtype, variable.tensor.shape);
    wire::put_number(entry, 4, static_cast<std::int64_t>(offset_));
    wire::put_number(entry, 5, static_cast<std::int64_t>(bytes.size()));
    if (const std::uint32_t checksum = masked(crc32c(bytes))) {
      wire::put_varint(entry, 6 << 3 | 5);
      wire::put_fixed(entry, checksum);
    }
    offset_ += bytes.size();
    return entry;
  }

  WholeFile data_, index_;
  std::map<std::string, std::string> entries_;
  std::size_t offset_ = 0;
};

}  // namespace
}  // namespace graphc_core

void gc_save_checkpoint(graphc_core::Values& values, const std::string& prefix) {
  using namespace graphc_core;
  Writer writer(prefix);
  bool any = false;
  {
    const std::shared_lock<std::shared_mutex> shared(values.mutex);
    values.bring_all_home();
    for (std::size_t i = 0; i < values.count(); ++i) {
      const Variable& variable = values.at(i);
      if (variable.key.empty()) continue;
      if (!variable.has_value())
        throw_error(GRAPHC_FAILED_PRECONDITION, "variable '" + variable.tensor.name + "' has no value, so that no checkpoint can be "
                                                    "saved: run the signature that initialises it, or restore one");
      writer.add(variable);
      any = true;
    }
  }
  if (!any)
    throw_error(GRAPHC_FAILED_PRECONDITION, "the model's file lists no variables for checkpoints: save it with gc.export_model");
  writer.commit();
}
