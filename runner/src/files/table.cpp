#include "table.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "crc32c.hpp"
#include "error.hpp"
#include "texts.hpp"
#include "wire.hpp"
#include "wire_writer.hpp"

namespace graphc_core {
namespace {

using wire::Reader;

constexpr std::uint64_t MAGIC = 0xDB4775248B80FB57u;
constexpr std::size_t FOOTER = 48, TRAILER = 5;
constexpr std::size_t BLOCK_SIZE = 1 << 18;    // a block ends after the entry that brings it here, as TensorFlow's do
constexpr std::size_t RESTART_INTERVAL = 16;

std::uint32_t fixed32_at(std::string_view data, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, data.data() + at, sizeof value);
  return value;
}

// The contents of the block that the next two numbers of `handle` are the position and size of.
std::string_view block(std::string_view data, Reader& handle, const std::string& path) {
  const std::uint64_t offset = handle.varint(), size = handle.varint();
  const std::size_t room = data.size() - FOOTER;
  if (offset > room || size > room - offset || TRAILER > room - offset - size)
    damaged_file(path, "a block at byte " + decimal(offset) + " is not inside its " + decimal(data.size()) + " bytes");
  const std::string_view found = data.substr(offset, size);
  const char kind = data[offset + size];
  if (kind)
    throw_error(GRAPHC_UNIMPLEMENTED, path + ": a block is compressed, which TensorFlow's checkpoints are not; save it with "
                                             "TensorFlow again");
  if (masked(crc32c(data.substr(offset, size + 1))) != fixed32_at(data, offset + size + 1))
    damaged_file(path, "the checksum of the block at byte " + decimal(offset) + " is wrong");
  return found;
}

void block_entries(std::string_view block, const std::string& path,
                   const std::function<void(std::string_view, std::string_view)>& take) {
  if (block.size() < 4) damaged_file(path, "a block has " + decimal(block.size()) + " bytes");
  const std::uint64_t restarts = std::uint64_t{4} * fixed32_at(block, block.size() - 4) + 4;
  if (restarts > block.size()) damaged_file(path, "a block is smaller than its list of restarts");
  Reader r(block.substr(0, block.size() - restarts));
  std::string key;
  while (r.left()) {
    const std::uint64_t shared = r.varint(), more = r.varint(), size = r.varint();
    if (shared > key.size()) damaged_file(path, "a key shares more bytes with the one before than that has");
    key.resize(shared);
    key += r.next_bytes(more);
    take(key, r.next_bytes(size));
  }
}

void read_blocks(std::string_view data, const std::string& path,
                 const std::function<void(std::string_view, std::string_view)>& take) {
  Reader footer(data.substr(data.size() - FOOTER, FOOTER - 8));
  footer.varint(), footer.varint();              // the metaindex, which is empty
  std::string before;
  bool first = true;
  block_entries(block(data, footer, path), path, [&](std::string_view, std::string_view value) {
    Reader handle(value);
    block_entries(block(data, handle, path), path, [&](std::string_view key, std::string_view found) {
      if (!first && key <= before) damaged_file(path, "its keys are not in order");
      first = false;
      before = key;
      take(key, found);
    });
  });
}

}  // namespace

void read_table(std::string_view data, const std::string& path,
                const std::function<void(std::string_view, std::string_view)>& take) {
  if (data.size() < FOOTER) damaged_file(path, "it has " + decimal(data.size()) + " bytes, a table at least 48");
  std::uint64_t magic = 0;
  std::memcpy(&magic, data.data() + data.size() - 8, sizeof magic);
  if (magic != MAGIC) damaged_file(path, "it does not end as a table does");
  in_file(path, [&] { read_blocks(data, path, take); });
}

// Writing

namespace {

std::size_t shared_bytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
                                  a.begin());
}

class TableBlock {
 public:
  explicit TableBlock(std::size_t interval) : interval_(interval) {}

  void add(const std::string& key, std::string_view value) {
    std::size_t shared = 0;
    if (entries_ && entries_ % interval_ == 0) restarts_.push_back(static_cast<std::uint32_t>(data_.size()));
    else if (entries_) shared = shared_bytes(last_, key);
    wire::put_varint(data_, shared);
    wire::put_varint(data_, key.size() - shared);
    wire::put_varint(data_, value.size());
    data_ += key.substr(shared);
    data_ += value;
    last_ = key;
    ++entries_;
  }

  bool empty() const { return !entries_; }
  bool full() const { return data_.size() + 4 * restarts_.size() + 4 >= BLOCK_SIZE; }

  // Puts the block, uncompressed, after what was made; gives its handle.
  std::string append_to(std::string& made) const {
    std::string whole = data_;
    for (const std::uint32_t restart : restarts_) wire::put_fixed(whole, restart);
    wire::put_fixed(whole, static_cast<std::uint32_t>(restarts_.size()));
    std::string handle;
    wire::put_varint(handle, made.size());
    wire::put_varint(handle, whole.size());
    whole += '\0';
    made += whole;
    wire::put_fixed(made, masked(crc32c(whole)));
    return handle;
  }

 private:
  std::size_t interval_, entries_ = 0;
  std::string data_, last_;
  std::vector<std::uint32_t> restarts_{0};
};

// The shortest key, at least `low` and less than `high`, that LevelDB finds.
std::string between(const std::string& low, const std::string& high) {
  const std::size_t at = shared_bytes(low, high);
  if (at >= std::min(low.size(), high.size())) return low;
  const auto byte = static_cast<unsigned char>(low[at]);
  if (byte == 255 || byte + 1 >= static_cast<unsigned char>(high[at])) return low;
  return low.substr(0, at) + static_cast<char>(byte + 1);
}

// The shortest key, at least `key`, that LevelDB finds.
std::string behind(const std::string& key) {
  for (std::size_t at = 0; at < key.size(); ++at)
    if (const auto byte = static_cast<unsigned char>(key[at]); byte < 255) return key.substr(0, at) + static_cast<char>(byte + 1);
  return key;
}

}  // namespace

std::string table_bytes(const std::map<std::string, std::string>& entries) {
  std::string made;
  TableBlock index(1), current(RESTART_INTERVAL);
  std::string last;
  for (const auto& [key, value] : entries) {
    if (current.full()) {
      index.add(between(last, key), current.append_to(made));
      current = TableBlock(RESTART_INTERVAL);
    }
    current.add(key, value);
    last = key;
  }
  if (!current.empty()) index.add(behind(last), current.append_to(made));
  std::string footer = TableBlock(RESTART_INTERVAL).append_to(made);
  footer += index.append_to(made);
  footer.resize(FOOTER - 8);
  wire::put_fixed(footer, MAGIC);
  return made + footer;
}

}  // namespace graphc_core
