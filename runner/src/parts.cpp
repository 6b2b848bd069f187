#include "parts.hpp"

#include "error.hpp"
#include "graphc_layout.h"

namespace graphc_core {

std::string lacking() {
  const std::string models = gc_made_for;
  return " is not in this runner, " + (models.empty() ? "which is older than the model's graphc"
                                                      : "which was made for " + models + " alone; `graphc runner "
                                                        "--only-for` takes several models");
}

void (*find_part(Part number, const char* what))() {
  if (!gc_parts[number]) throw_error(GRAPHC_UNIMPLEMENTED, what + lacking());
  return gc_parts[number];
}

}  // namespace graphc_core
