// Parts of partitioned tensors: how a variable says which it is, and the key under which a checkpoint has it (proto/bundle.proto).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan.hpp"

namespace graphc_core {

constexpr std::int64_t WHOLE_AXIS = -1;

struct Extent {
  std::int64_t start = 0, length = WHOLE_AXIS;
  bool operator==(const Extent& other) const { return start == other.start && length == other.length; }
};
using Extents = std::vector<Extent>;

struct TensorPart {
  Shape whole;                       // the shape of the whole tensor
  Extents extents;                   // one for each of its axes

  bool is_whole() const;
  Shape shape() const;
};

// Of "10 4 0,5:-": rows 0 to 4 of a tensor of shape 10, 4. Of "": all of a tensor of that shape. Throws DATA_LOSS.
TensorPart parse_part(const std::string& text, const Shape& shape);

// Throws DATA_LOSS if the extents are not inside the tensor.
void require_inside(const TensorPart& part);

// The key of a part of the tensor `name`.
std::string part_key(std::string_view name, const Extents& extents);

// Copies the elements of a part, of `element` bytes each, into the whole tensor, or out of it.
void put_part(const TensorPart& part, std::size_t element, const char* from, char* whole);
void cut_part(const TensorPart& part, std::size_t element, const char* whole, char* to);

}  // namespace graphc_core

// A part (parts.hpp). Throws DATA_LOSS if `part` is none of a variable of this shape.
extern "C" void gc_check_part(const std::string& part, const graphc_core::Shape& shape);
