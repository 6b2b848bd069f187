#include "tensors.hpp"

#include "dtypes.hpp"
#include "error.hpp"
#include "texts.hpp"

namespace graphc_core {

namespace L = layout;

std::size_t element_bytes(std::int32_t dtype) {
  return dtype == STRING ? sizeof(graphc_string) : static_cast<std::size_t>(find_dtype(dtype)->size);
}

bool bytes_of(const graphc_tensor& tensor, std::size_t& bytes) {
  static constexpr std::size_t LARGEST = std::size_t{1} << 46;
  bytes = element_bytes(tensor.dtype);
  bool fits = true;
  for (std::int32_t axis = 0; axis < tensor.rank; ++axis) {
    const auto size = static_cast<std::size_t>(tensor.sizes[axis]);
    if (!size) return bytes = 0, true;
    fits = fits && bytes <= LARGEST / size;
    if (fits) bytes *= size;
  }
  return fits;
}

std::size_t bytes_of(const graphc_tensor& tensor) {
  std::size_t bytes = 0;
  if (!bytes_of(tensor, bytes)) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "a tensor that is too large for any memory");
  return bytes;
}

std::string shape_text(const std::int64_t* sizes, std::size_t rank) {
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i ? ", " : "") + (sizes[i] < 0 ? "any" : decimal(sizes[i]));
  return text + "]";
}

graphc_tensor slot_tensor(const std::int64_t* slot) {
  graphc_tensor tensor{};
  tensor.dtype = static_cast<std::int32_t>(slot[L::SLOT_DTYPE]);
  tensor.rank = static_cast<std::int32_t>(slot[L::SLOT_RANK]);
  for (std::int64_t axis = 0; axis < slot[L::SLOT_RANK]; ++axis) tensor.sizes[axis] = slot[L::SLOT_SIZES + axis];
  tensor.data = reinterpret_cast<void*>(slot[L::SLOT_ADDRESS]);
  return tensor;
}

}  // namespace graphc_core
