#include "pool.hpp"

#include <sched.h>

#include <algorithm>

#include <map>
#include <mutex>
#include <thread>

#include "error.hpp"
#include "memory.hpp"

namespace graphc_core {
namespace {

constexpr int MOST_THREADS = 256;
constexpr std::int64_t SPIN = 40000;    // looks at what a thread waits for before it sleeps: about 200 us

}  // namespace

int core_count() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return count > 0 ? count : 1;
}

std::int64_t shared_pool(const Library& library, int threads) {
  // Never destroyed: workers sleep in it until the process ends, and a model may be freed by another static object.
  static auto* pools = new std::map<const Library*, std::int64_t>;
  static auto* memory = new HostTable(0);
  static std::mutex mutex;
  const int wanted = std::min(threads > 0 ? threads : core_count(), MOST_THREADS);
  if (wanted < 2) return 0;
  const std::lock_guard<std::mutex> guard(mutex);
  const auto found = pools->find(&library);
  if (found != pools->end()) return found->second;
  const std::int64_t workers = wanted - 1;
  const std::int64_t pool = library.gc_pool_open(memory->address(), workers, wanted <= core_count() ? SPIN : 0);
  if (!pool) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "no memory for the worker pool");
  for (std::int64_t i = 0; i < workers; ++i) std::thread(library.gc_worker, pool).detach();
  return (*pools)[&library] = pool;
}

}  // namespace graphc_core
