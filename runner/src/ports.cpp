#include "ports.hpp"

#include <algorithm>

#include "dtypes.hpp"
#include "error.hpp"

namespace graphc_core {

void check_ports(const Plan& plan) {
  const Body& body = plan.bodies.at(0);
  const auto check = [&](const std::vector<Port>& ports, const Ids& ids, const char* what) {
    if (ports.size() != ids.size()) damaged(std::string("the plan names another number of ") + what + " than it has");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Buffer& buffer = body.buffers.at(static_cast<std::size_t>(ids[i]));
      if (in_memory(ports[i].dtype) != buffer.dtype || ports[i].shape.size() != buffer.dims.size())
        damaged("'" + ports[i].name + "' has another dtype or rank than its buffer");
      const DType* dtype = find_dtype(buffer.dtype);
      if (!dtype || !dtype->size)
        throw_error(GRAPHC_UNIMPLEMENTED, "'" + ports[i].name + "' is of dtype " + dtype_name(buffer.dtype) +
                                              ", which cannot be fed or fetched here");
    }
  };
  check(plan.inputs, body.inputs, "inputs");
  check(plan.outputs, body.outputs, "outputs");
}

bool has_strings(const Plan& plan) {
  for (const Tensor& state : plan.states)
    if (state.dtype == STRING)
      throw_error(GRAPHC_UNIMPLEMENTED, "variable '" + state.name + "' holds strings, and variables of strings are kept in Python "
                                            "only: save the graph with gc.freeze, which makes a constant of it");
  const auto any = [](const auto& rows) {
    return std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.dtype == STRING; });
  };
  const auto of_strings = [](const std::string& host) { return host.rfind("strings:", 0) == 0; };
  return any(plan.inputs) || any(plan.constants) || any(plan.outputs) ||
         std::any_of(plan.hosts.begin(), plan.hosts.end(), of_strings);
}

}  // namespace graphc_core
