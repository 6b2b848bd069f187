// Reads /proc/meminfo, /proc/self/cgroup, and memory.max (control groups v2) or memory.limit_in_bytes (v1) of every group on the
// way from the process' own up to the root: each of them holds.
#include "limits.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "texts.hpp"

namespace graphc_core {
namespace {

constexpr std::int64_t NONE = INT64_MAX;

// The number that a file holds, NONE if there is no file or no number in it ("max").
std::int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value && value > 0 ? value : NONE;    // v1 says "none" with a number near 2^63, which does no harm
}

// The smallest limit of `group` and the groups around it; files are called `name` and lie in `mount`.
std::int64_t group_limit(const std::string& mount, std::string group, const char* name) {
  std::int64_t least = NONE;
  for (;;) {
    while (!group.empty() && group.back() == '/') group.pop_back();
    least = std::min(least, number_in(mount + group + "/" + name));
    if (group.empty()) return least;
    group.erase(group.find_last_of('/') == std::string::npos ? 0 : group.find_last_of('/'));
  }
}

bool lists_memory(const std::string& controllers) {
  std::stringstream list(controllers);
  for (std::string one; std::getline(list, one, ',');)
    if (one == "memory") return true;
  return false;
}

// Lines of /proc/self/cgroup are "number:controllers:group"; v2 has no number and no controllers: "0::group".
std::int64_t control_group_limit(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  std::int64_t least = NONE;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    const std::string mounts = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      least = std::min(least, group_limit(mounts, group, "memory.max"));
      least = std::min(least, group_limit(mounts + "/unified", group, "memory.max"));
    } else if (lists_memory(controllers)) {
      least = std::min(least, group_limit(mounts + "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::int64_t machine_memory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string word;
  std::int64_t kilobytes = 0;
  while (file >> word)
    if (word == "MemTotal:" && file >> kilobytes && kilobytes > 0 && kilobytes < NONE / 1024) return kilobytes * 1024;
  return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::int64_t default_memory_limit(const std::string& root) {
  return std::min(machine_memory(root), control_group_limit(root)) / 4 * 3;
}

}  // namespace graphc_core
