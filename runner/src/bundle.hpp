// Checkpoints, format V2, of the variables that a model's signatures share (proto/bundle.proto): TensorFlow's and Python's.
#pragma once
#include <memory>
#include <string>

#include "memory.hpp"
#include "values.hpp"

namespace graphc_core {

// Writes PREFIX.index and PREFIX.data-00000-of-00001, each whole or not at all, of the variables that have a key. Throws
// FAILED_PRECONDITION if one has no value, or the file lists none.
void save_bundle(Values& values, const std::string& prefix);

// Gives all of them the checkpoint's values, or none of them. Throws NOT_FOUND for what is not there, INVALID_ARGUMENT for
// another dtype or shape, DATA_LOSS for what is damaged.
void restore_bundle(Values& values, const std::string& prefix, const std::shared_ptr<HostTable>& host);

}  // namespace graphc_core
