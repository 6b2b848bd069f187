#include "ports.hpp"

#include "dtypes.hpp"
#include "error.hpp"

namespace graphc_core {

void check_ports(const Plan& plan) {
  const Body& body = plan.bodies.at(0);
  const auto check = [&](const std::vector<Port>& ports, const Ids& ids, const char* what) {
    if (ports.size() != ids.size()) damaged(std::string("the plan names another number of ") + what + " than it has");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Buffer& buffer = body.buffers.at(static_cast<std::size_t>(ids[i]));
      if (ports[i].dtype != buffer.dtype || ports[i].shape.size() != buffer.dims.size())
        damaged("'" + ports[i].name + "' has another dtype or rank than its buffer");
      const DType* dtype = find_dtype(buffer.dtype);
      if (!dtype || !dtype->size)
        throw Error(GRAPHC_UNIMPLEMENTED, "'" + ports[i].name + "' is of dtype " + dtype_name(buffer.dtype) +
                                              ", which cannot be fed or fetched here");
    }
  };
  check(plan.inputs, body.inputs, "inputs");
  check(plan.outputs, body.outputs, "outputs");
}

// Strings are numbers in a table of the process that runs a plan (docs/adr/0022), and this library has none.
void check_strings(const Plan& plan) {
  const auto check = [](const auto& rows, const char* what) {
    for (const auto& row : rows)
      if (row.dtype == STRING)
        throw Error(GRAPHC_UNIMPLEMENTED, std::string(what) + " '" + row.name + "' holds strings, and strings are computed in "
                                              "Python only: compute there what is made of them, and feed that");
  };
  check(plan.inputs, "input");
  check(plan.constants, "constant");
  check(plan.states, "variable");
  check(plan.outputs, "output");
}

}  // namespace graphc_core
