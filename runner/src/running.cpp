#include "running.hpp"

namespace graphc {

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

}  // namespace graphc
