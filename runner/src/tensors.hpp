// Tensors as the C ABI has them (graphc_tensor): how many bytes they have, their shapes as text, and those that the runtime made.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "graphc.h"

namespace graphc_core {

inline std::int64_t address_of(const void* pointer) { return reinterpret_cast<std::int64_t>(pointer); }
inline std::int64_t* words_at(std::int64_t address) { return reinterpret_cast<std::int64_t*>(address); }

// Bytes of an element of a tensor outside of the runtime.
std::size_t element_bytes(std::int32_t dtype);

// Bytes of a tensor with sizes of at least 0; false if no memory could hold it.
bool bytes_of(const graphc_tensor& tensor, std::size_t& bytes);

// The same; throws RESOURCE_EXHAUSTED.
std::size_t bytes_of(const graphc_tensor& tensor);

// "[3, any]".
[[gnu::cold]] std::string shape_text(const std::int64_t* sizes, std::size_t rank);

// The tensor that a SLOT record of the runtime describes (kernels/runtime/tables.py).
graphc_tensor slot_tensor(const std::int64_t* slot);

}  // namespace graphc_core
