#include "crc32c.hpp"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace graphc_core {
namespace {

// Eight bytes at a time: row k of the table is the checksum of a byte with k zero bytes after it.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

const Tables& tables() {
  static const Tables all = [] {
    Tables made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0x82F63B78u ^ (value >> 1) : value >> 1;
      made[0][i] = value;
    }
    for (std::size_t row = 1; row < 8; ++row)
      for (std::size_t i = 0; i < 256; ++i) made[row][i] = made[0][made[row - 1][i] & 0xFF] ^ (made[row - 1][i] >> 8);
    return made;
  }();
  return all;
}

std::uint32_t by_tables(const char* data, std::size_t bytes, std::uint32_t crc) {
  const Tables& t = tables();
  for (; bytes >= 8; data += 8, bytes -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) crc ^= t[7 - byte][word >> (8 * byte) & 0xFF];
  }
  for (; bytes; ++data, --bytes) crc = t[0][(crc ^ static_cast<unsigned char>(*data)) & 0xFF] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const char* data, std::size_t bytes, std::uint32_t start) {
  std::uint64_t crc = start;
  for (; bytes >= 8; data += 8, bytes -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; bytes; ++data, --bytes) crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), static_cast<unsigned char>(*data));
  return static_cast<std::uint32_t>(crc);
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view data, std::uint32_t before) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return ~by_instruction(data.data(), data.size(), ~before);
#endif
  return ~by_tables(data.data(), data.size(), ~before);
}

}  // namespace graphc_core
