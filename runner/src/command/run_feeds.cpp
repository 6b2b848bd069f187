#include "run_feeds.hpp"

#include <algorithm>

#include "dtypes.hpp"
#include "error.hpp"
#include "npz.hpp"

namespace graphc_core {
namespace {

graphc_tensor row(Array& array, long long step) {
  graphc_tensor made = array.tensor();
  const auto rows = static_cast<std::size_t>(made.sizes[0]);
  made.data = array.data.data() + static_cast<std::size_t>(step) % rows * (array.data.size() / rows);
  std::copy(made.sizes + 1, made.sizes + made.rank, made.sizes);
  --made.rank;
  return made;
}

// What flags feed, name and file: of a .npz file that is given without a name all that it has.
std::vector<std::pair<std::string, std::string>> named(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [given, path] : pairs)
    for (const std::string& name : given.empty() ? names_in(path) : std::vector<std::string>{given}) all.emplace_back(name, path);
  return all;
}

// How Python would write an array of that dtype into the file.
std::string saving(const std::string& path, const std::string& name, const std::string& dtype) {
  const std::string array = "array.astype(\"" + dtype + "\")";
  return is_archive(path) ? "numpy.savez(\"" + path + "\", " + plain(name) + "=" + array + ")"
                          : "numpy.save(\"" + path + "\", " + array + ")";
}

}  // namespace

std::size_t find_port(const std::vector<graphc_info>& infos, const std::string& name, const char* what) {
  std::string known;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (plain(infos[i].name) == plain(name)) return i;
    known += std::string(i ? ", " : "") + infos[i].name;
  }
  throw_error(GRAPHC_NOT_FOUND, std::string("the model has no ") + what + " '" + name + "'; it has " +
                                    (known.empty() ? "none" : known));
}

Feeds::Feeds(const Arguments& arguments, const std::vector<graphc_info>& inputs)
    : arrays_(inputs.size()), each_(inputs.size()) {
  std::vector<bool> fed(inputs.size());
  for (const bool each : {false, true})
    for (const auto& [name, file] : named(each ? arguments.each : arguments.feeds)) {
      const std::size_t index = find_port(inputs, name, "input");
      read(inputs[index], index, file);
      if (each && (arrays_[index].sizes.empty() || !arrays_[index].sizes[0]))
        throw_error(GRAPHC_INVALID_ARGUMENT, file + ": --feed-each needs an array of at least one row");
      each_[index] = each;
      fed[index] = true;
    }
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!fed[i])
      throw_error(GRAPHC_INVALID_ARGUMENT, std::string("input '") + inputs[i].name + "' is not fed: use --feed " +
                                               plain(inputs[i].name) + "=FILE.npy");
}

void Feeds::read(const graphc_info& input, std::size_t index, const std::string& file) {
  arrays_[index] = read_array(file, input.name);
  const std::string wanted = dtype_name(input.dtype), held = dtype_name(arrays_[index].dtype);
  if (wanted != held)
    throw_error(GRAPHC_INVALID_ARGUMENT, file + " holds " + held + ", but input '" + input.name + "' is " + wanted +
                                             ": convert it, " + saving(file, input.name, input.dtype == STRING ? "bytes" : wanted));
}

std::vector<graphc_tensor> Feeds::of_step(long long step) {
  std::vector<graphc_tensor> tensors;
  for (std::size_t i = 0; i < arrays_.size(); ++i) tensors.push_back(each_[i] ? row(arrays_[i], step) : arrays_[i].tensor());
  return tensors;
}

}  // namespace graphc_core
