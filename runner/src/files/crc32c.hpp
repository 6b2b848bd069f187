// CRC-32C (Castagnoli), the checksum of checkpoints and side files: by the processor's instruction where there is one.
#pragma once
#include <cstdint>
#include <string_view>

namespace graphc_core {

// Of `data`, which comes behind what has the checksum `before`.
std::uint32_t crc32c(std::string_view data, std::uint32_t before = 0);

// As files hold it beside the data that it is of (proto/bundle.proto).
constexpr std::uint32_t masked(std::uint32_t checksum) { return (checksum >> 15 | checksum << 17) + 0xA282EAD8u; }

}  // namespace graphc_core
