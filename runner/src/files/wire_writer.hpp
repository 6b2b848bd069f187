// Writes protobuf's wire format, and the numbers of LevelDB's tables, which are the same.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace graphc_core::wire {

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value > 127; value >>= 7) out += static_cast<char>((value & 127) | 128);
  out += static_cast<char>(value);
}

// Little-endian.
template <class Integer>
void put_fixed(std::string& out, Integer value) {
  for (unsigned shift = 0; shift < 8 * sizeof(Integer); shift += 8) out += static_cast<char>(value >> shift & 0xFF);
}

// A field of proto3: nothing for 0.
inline void put_number(std::string& out, unsigned field, std::int64_t value) {
  if (!value) return;
  put_varint(out, field << 3);
  put_varint(out, static_cast<std::uint64_t>(value));
}

inline void put_bytes(std::string& out, unsigned field, std::string_view value) {
  put_varint(out, field << 3 | 2);
  put_varint(out, value.size());
  out += value;
}

}  // namespace graphc_core::wire
