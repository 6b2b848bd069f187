#include "ways.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#include "error.hpp"
#include "library.hpp"
#include "read_file.hpp"

namespace graphc_core {

namespace {

constexpr std::string_view HEAD = "graphc ways 1";
constexpr std::int64_t MOST_WAYS = 1000;

[[noreturn]] void refuse(const std::string& path, std::string_view line) {
  throw_error(GRAPHC_DATA_LOSS, path + ": not a file of `graphc tune`, at \"" + std::string(line.substr(0, 60)) + "\"");
}

// Takes what comes before `end` off the text.
std::string_view next(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view found = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return found;
}

// A line: the kernel, whether its operand is packed beforehand, the way, dims and attributes.
void add(std::vector<std::int64_t>& table, const std::string& path, const std::string_view line) {
  std::string_view rest = line;
  const std::string_view kernel = next(rest, ' ');
  std::vector<std::int64_t> numbers;
  while (!rest.empty()) {
    const std::string word(next(rest, ' '));
    char* end = nullptr;
    numbers.push_back(std::strtoll(word.c_str(), &end, 10));
    if (word.empty() || *end) refuse(path, line);
  }
  if (numbers.size() < 2 || numbers[1] < 0 || numbers[1] > MOST_WAYS) refuse(path, line);
  const auto found = registry_names().kernels.find(kernel);
  if (found == registry_names().kernels.end()) return;
  table.insert(table.end(), {found->second, numbers[1] + 1, numbers[0], static_cast<std::int64_t>(numbers.size()) - 2});
  table.insert(table.end(), numbers.begin() + 2, numbers.end());
  ++table[0];
}

}  // namespace

}  // namespace graphc_core

using namespace graphc_core;

void gc_read_ways(const char* path, const std::shared_ptr<HostTable>& host, std::vector<std::int64_t>& table) {
  const Block bytes = read_file(path, host);
  std::string_view text(bytes.data(), bytes.bytes());
  if (const std::string_view head = next(text, '\n'); head != HEAD) refuse(path, head);
  table = {0};
  while (!text.empty())
    if (const std::string_view line = next(text, '\n'); !line.empty()) add(table, path, line);
}
