// TensorProto: what a constant of a graph says of itself, and its values in the forms that a file may have them in.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"
#include "plan.hpp"
#include "side_file.hpp"

namespace graphc_core {

struct TensorValue {
  std::optional<SideTensor> side;
  std::int64_t dtype = 0;
  Shape shape;
  bool unknown_rank = false;
  std::string_view content;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;       // int_val, int64_val, bool_val, half_val, uint32_val
  std::vector<std::uint64_t> unsigneds;     // uint64_val
  std::vector<std::string_view> strings;    // string_val
};

// The views are into `message`; the lists are counted in `charge`.
TensorValue read_tensor(std::string_view message, Charge& charge);

// Fills `target`, which is zeroed, with the `count` elements of dtype `dtype` that the lists say. Throws UNIMPLEMENTED for a dtype
// that cannot be stored. name: of the constant, for errors.
void copy_values(const TensorValue& value, int dtype, char* target, std::size_t count, const std::string& name, Charge& charge);

}  // namespace graphc_core
