#include "running.hpp"

#include "error.hpp"

namespace graphc_core {
namespace {

thread_local Inside* innermost = nullptr;

}  // namespace

Running::Running(RunList& list) : list_(list) {
  const std::lock_guard<std::mutex> guard(list_.mutex_);
  behind_ = list_.first_;
  if (behind_) behind_->before_ = this;
  list_.first_ = this;
}

Running::~Running() {
  const std::lock_guard<std::mutex> guard(list_.mutex_);
  if (behind_) behind_->before_ = before_;
  (before_ ? before_->behind_ : list_.first_) = behind_;
}

void RunList::cancel() {
  const std::lock_guard<std::mutex> guard(mutex_);
  for (Running* run = first_; run; run = run->behind_) run->cancelled_ = 1;
}

Inside::Inside(const void* values) : values_(values), outer_(innermost) { innermost = this; }

Inside::~Inside() { innermost = outer_; }

bool Inside::is_inside(const void* values) {
  const Inside* one = innermost;
  while (one && one->values_ != values) one = one->outer_;
  return one != nullptr;
}

void Inside::refuse(const void* values) {
  if (is_inside(values))
    throw_error(GRAPHC_FAILED_PRECONDITION,
                "a host function may not use the model that calls it, nor one that shares its variables");
}

}  // namespace graphc_core
