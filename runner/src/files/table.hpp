// LevelDB's tables, in which checkpoints keep their index: sorted keys, each with a value (proto/bundle.proto).
//
// What a file says of itself is not believed: every length and position is checked against the bytes there are, every block
// against its checksum.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace graphc_core {

// Calls `take` with each key and its value, in order; the views are good only meanwhile. path: what errors call the file. Throws
// DATA_LOSS, UNIMPLEMENTED for compressed blocks.
void read_table(std::string_view data, const std::string& path,
                const std::function<void(std::string_view key, std::string_view value)>& take);

// The table of these entries, byte for byte TensorFlow's.
std::string table_bytes(const std::map<std::string, std::string>& entries);

}  // namespace graphc_core
