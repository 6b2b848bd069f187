// The runs of a model that are going on, which can be ended from outside.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>

namespace graphc_core {

class Running;

class RunList {
 public:
  // Ends those that have begun and not ended; they poll. What begins later is not touched.
  void cancel();

 private:
  friend class Running;
  std::mutex mutex_;
  Running* first_ = nullptr;
};

// A run from its call on: the flag that ends it, which the runtime polls.
class Running {
 public:
  explicit Running(RunList& list);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  const std::atomic<std::int64_t>* flag() const { return &cancelled_; }

 private:
  friend class RunList;
  RunList& list_;
  std::atomic<std::int64_t> cancelled_{0};
  Running *before_ = nullptr, *behind_ = nullptr;
};

// On the thread of a run, while it lasts: a function that the run calls and that uses the same variables again would wait for
// itself.
class Inside {
 public:
  explicit Inside(const void* values);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  // Throws FAILED_PRECONDITION if this thread is in a run that works on `values`.
  static void refuse(const void* values);
  static bool is_inside(const void* values);

 private:
  const void* values_;
  Inside* outer_;
};

}  // namespace graphc_core
