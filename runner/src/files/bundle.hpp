// Checkpoints, format V2, of the variables that a model's signatures share (proto/bundle.proto): TensorFlow's and Python's. Both
// functions are parts (parts.hpp).
#pragma once
#include <memory>
#include <string>

#include "memory.hpp"
#include "values.hpp"

extern "C" {

// Writes PREFIX.index and PREFIX.data-00000-of-00001, each whole or not at all, of the variables that have a key. Throws
// FAILED_PRECONDITION if one has no value, or the file lists none.
void gc_save_checkpoint(graphc_core::Values& values, const std::string& prefix);

// Gives all of them the checkpoint's values, or none of them. Throws NOT_FOUND for what is not there, INVALID_ARGUMENT for
// another dtype or shape, DATA_LOSS for what is damaged.
void gc_restore_checkpoint(graphc_core::Values& values, const std::string& prefix,
                           const std::shared_ptr<graphc_core::HostTable>& host);

}  // extern "C"
