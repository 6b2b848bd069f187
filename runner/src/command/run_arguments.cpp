// Reads a command line as graphc/commands/flags.py does, by the same table.
#include "run_arguments.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "npz.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

// The texts stand in it, as in dtypes.hpp.
struct Flag {
  char name[12], value[16];     // value: what stands behind it, "" for a switch
  int least;                    // the smallest number that it may be; -1: it is no number
  char help[104];

  bool is(std::string_view wanted) const { return wanted == name; }
  bool is_switch() const { return !value[0]; }
};

constexpr long long LARGEST = 1LL << 62, LARGEST_THREADS = (1LL << 31) - 1;

constexpr Flag FLAGS[] = {
#define GRAPHC_FLAG(name, value, least, help) {name, value, least, help},
#include "flags.inc"
#undef GRAPHC_FLAG
};

// At most 19 digits, so that it fits.
bool is_number(const std::string& text, long long least, long long most) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || text.size() > 19) return false;
  const unsigned long long value = std::strtoull(text.c_str(), nullptr, 10);
  return value >= static_cast<unsigned long long>(least) && value <= static_cast<unsigned long long>(most);
}

// "cpu", "gpu", "gpu:12".
bool is_device(const std::string& text) {
  const std::string number = text.substr(std::min<std::size_t>(text.size(), 4));
  return text == "cpu" || text == "gpu" || (text.compare(0, 4, "gpu:") == 0 && number.size() <= 4 && is_number(number, 0, 9999));
}

void take(Arguments& found, const Flag& flag, const std::string& value) {
  const std::string name = flag.name;
  if (flag.is("--feed") || flag.is("--feed-each")) {
    const std::size_t equals = value.find('=');
    const bool is_whole = equals == std::string::npos;      // a .npz file, all of it
    if (is_whole && !is_archive(value))
      throw UsageError(name + " wants " + flag.value + ", or FILE.npz, not '" + value + "'");
    (flag.is("--feed") ? found.feeds : found.each)
        .emplace_back(is_whole ? "" : value.substr(0, equals), is_whole ? value : value.substr(equals + 1));
  } else if (flag.is("--fetch")) {
    found.fetches.push_back(value);
  } else if (flag.is("--out")) {
    found.outs.push_back(value);
  } else {
    const long long most = flag.is("--threads") ? LARGEST_THREADS : LARGEST;
    if (flag.least >= 0 && !is_number(value, flag.least, most))
      throw UsageError(name + " wants a number from " + decimal(flag.least) + " on, not '" + value + "'");
    if (flag.is("--device") && !is_device(value)) throw UsageError("--device wants cpu, gpu or gpu:N, not '" + value + "'");
    found.given[name] = value;
  }
}

}  // namespace

long long Arguments::number(const std::string& flag, long long otherwise) const {
  return has(flag) ? std::atoll(given.at(flag).c_str()) : otherwise;
}

bool Arguments::on_gpu() const { return text("--device").compare(0, 3, "gpu") == 0; }

int Arguments::gpu() const {
  const std::string device = text("--device");
  return device.size() > 4 ? std::atoi(device.c_str() + 4) : 0;
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments found;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word[0] != '-' || word == "-") {
      if (!found.model.empty()) throw UsageError("what is '" + word + "'? the model is " + found.model);
      found.model = word;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word == "-h" ? "--help" : word.substr(0, equals);
    const Flag* flag = std::find_if(std::begin(FLAGS), std::end(FLAGS), [&](const Flag& one) { return one.is(name); });
    const bool has_value = equals != std::string::npos;
    if (flag == std::end(FLAGS) || (has_value && flag->is_switch())) throw UsageError("what is '" + word + "'?");
    if (!flag->is_switch() && !has_value && i + 1 == words.size())
      throw UsageError(name + " needs a value: " + name + " " + flag->value);
    take(found, *flag, has_value ? word.substr(equals + 1) : flag->is_switch() ? "" : words[++i]);
  }
  if (found.model.empty() && !found.has("--help") && !found.has("--version")) throw UsageError("which model?");
  if (found.has("--gpu-code") && !found.on_gpu()) throw UsageError("--gpu-code is for --device gpu");
  return found;
}

std::string help_text(const std::string& program) {
  constexpr std::size_t COLUMN = 27;
  std::string text = program + " MODEL.pb [options]\n";
  for (const Flag& flag : FLAGS) {
    std::string left = std::string("  ") + flag.name + (flag.is_switch() ? "" : " ") + flag.value;
    if (left.size() < COLUMN - 1) left.append(COLUMN - left.size(), ' ');
    else left += "\n" + std::string(COLUMN, ' ');
    text += left + flag.help + "\n";
  }
  return text + "GRAPHC_TRACE=1 prints every kernel that is called.\n";
}

}  // namespace graphc_core
