// graphc-run: runs a saved graph from the command line. `graphc-run --help` says how.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "dtypes.hpp"
#include "error.hpp"
#include "graphc.h"
#include "graphc.hpp"
#include "npy.hpp"

namespace {

const char HELP[] =
    "graphc-run MODEL.pb [options]\n"
    "  --info                 print inputs, outputs, variables and the instruction set, and stop\n"
    "  --feed NAME=FILE.npy   an input; NAME as --info prints it, ':0' may be left out\n"
    "  --feed-each NAME=FILE.npy   the same, a row of the array's first axis for each step; behind the last comes the first again\n"
    "  --fetch NAME           which outputs to write; default: all\n"
    "  --out FILE.npy         where to write the output of the --fetch before it (one output: no --fetch needed)\n"
    "  --steps N              run N times, such as steps of a training; outputs are the last run's; default: 1\n"
    "  --restore CHECKPOINT   begin with the variables of a checkpoint; default: those in the file\n"
    "  --save CHECKPOINT      save the variables behind the last step, as TensorFlow does: CHECKPOINT.index and .data-...\n"
    "  --bench N              run N times more and print the times\n"
    "  --threads N            threads, the calling one included; default: one a core\n"
    "  --signature NAME       which of the file's signatures; default: the first\n"
    "  --isa NAME             x86-64-v3, x86-64-v4, aarch64; default: the best of this machine\n"
    "  --memory BYTES         the most that the model may allocate; default: 3/4 of what the machine or control group has\n"
    "GRAPHC_TRACE=1 prints every kernel that is called.\n";

struct Arguments {
  std::string model, signature, isa, restore, save;
  std::map<std::string, std::string> feeds, each;             // name, file
  std::vector<std::pair<std::string, std::string>> fetches;   // name, file ("": only checked)
  std::vector<std::string> outs;
  bool info = false;
  long bench = 0, steps = 1;
  graphc_options options{};
};

[[noreturn]] void usage(const std::string& what) { throw graphc::Error(GRAPHC_INVALID_ARGUMENT, what + "\n" + HELP); }

long number(const std::string& text) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end || value < 0) usage("'" + text + "' is no number");
  return value;
}

std::pair<std::string, std::string> name_and_file(const std::string& option, const std::string& pair) {
  const std::size_t at = pair.find('=');
  if (at == std::string::npos) usage(option + " wants NAME=FILE.npy");
  return {pair.substr(0, at), pair.substr(at + 1)};
}

Arguments parse(int count, char** given) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string option = given[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= count) usage(option + " needs a value");
      return given[++i];
    };
    if (option == "--help") std::fputs(HELP, stdout), std::exit(0);
    else if (option == "--info") arguments.info = true;
    else if (option == "--bench") arguments.bench = number(value());
    else if (option == "--threads") arguments.options.threads = static_cast<int>(number(value()));
    else if (option == "--memory") arguments.options.memory_limit = number(value());
    else if (option == "--steps") arguments.steps = number(value());
    else if (option == "--restore") arguments.restore = value();
    else if (option == "--save") arguments.save = value();
    else if (option == "--signature") arguments.signature = value();
    else if (option == "--isa") arguments.isa = value();
    else if (option == "--fetch") arguments.fetches.emplace_back(value(), "");
    else if (option == "--out") {
      if (!arguments.fetches.empty()) arguments.fetches.back().second = value();
      else arguments.outs.push_back(value());
    } else if (option == "--feed" || option == "--feed-each") {
      const auto [name, file] = name_and_file(option, value());
      (option == "--feed" ? arguments.feeds : arguments.each)[name] = file;
    } else if (option.rfind("--", 0) == 0 || !arguments.model.empty()) {
      usage("what is '" + option + "'?");
    } else {
      arguments.model = option;
    }
  }
  if (arguments.model.empty()) usage("which model?");
  if (!arguments.steps) usage("--steps must be at least 1");
  arguments.options.size = sizeof(graphc_options);
  if (!arguments.signature.empty()) arguments.options.signature = arguments.signature.c_str();
  if (!arguments.isa.empty()) arguments.options.isa = arguments.isa.c_str();
  return arguments;
}

std::string shape_text(const graphc_info& info) {
  std::string text = "[";
  for (int i = 0; i < info.rank; ++i) text += (i ? ", " : "") + (info.sizes[i] < 0 ? "?" : std::to_string(info.sizes[i]));
  return text + "]";
}

void print_infos(const char* what, const std::vector<graphc_info>& infos) {
  for (const graphc_info& info : infos)
    std::printf("%-9s %-24s %-8s %s\n", what, info.name, graphc::dtype_name(info.dtype).c_str(), shape_text(info).c_str());
}

void print_model(const graphc::Model& model) {
  for (int32_t i = 0; i < graphc_signature_count(model.get()); ++i)
    std::printf("%-9s %s\n", "signature", graphc_signature_name(model.get(), i));
  print_infos("input", model.inputs());
  print_infos("output", model.outputs());
  print_infos("variable", model.variables());
  for (int32_t i = 0; i < graphc_host_count(model.get()); ++i)
    std::printf("%-9s %s\n", "calls", graphc_host_name(model.get(), i));
  std::printf("%-9s %s\n", "isa", graphc_isas());
  std::printf("%-9s %lld bytes\n", "memory", static_cast<long long>(graphc_memory_used(model.get())));
}

// Names with and without ":0" are the same.
bool same_name(const std::string& a, const std::string& b) {
  const auto plain = [](const std::string& name) {
    return name.size() > 2 && name.compare(name.size() - 2, 2, ":0") == 0 ? name.substr(0, name.size() - 2) : name;
  };
  return plain(a) == plain(b);
}

std::size_t find(const std::vector<graphc_info>& infos, const std::string& name, const char* what) {
  std::string known;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (same_name(infos[i].name, name)) return i;
    known += std::string(i ? ", " : "") + infos[i].name;
  }
  throw graphc::Error(GRAPHC_NOT_FOUND, std::string("the model has no ") + what + " '" + name + "'; it has " + known);
}

// What is fed: an array for each input; of those in `each`, a row for each step.
class Feeds {
 public:
  Feeds(const Arguments& arguments, const std::vector<graphc_info>& inputs) : arrays_(inputs.size()), each_(inputs.size()) {
    std::vector<bool> fed(inputs.size());
    for (const auto& [name, file] : arguments.feeds) {
      const std::size_t index = find(inputs, name, "input");
      arrays_[index] = graphc::read_npy(file);
      fed[index] = true;
    }
    for (const auto& [name, file] : arguments.each) {
      const std::size_t index = find(inputs, name, "input");
      arrays_[index] = graphc::read_npy(file);
      if (arrays_[index].sizes.empty() || !arrays_[index].sizes[0])
        throw graphc::Error(GRAPHC_INVALID_ARGUMENT, file + ": --feed-each needs an array of at least one row");
      each_[index] = fed[index] = true;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!fed[i])
        throw graphc::Error(GRAPHC_INVALID_ARGUMENT, std::string("input '") + inputs[i].name + "' is not fed: use --feed " +
                                                         inputs[i].name + "=FILE.npy");
  }

  std::vector<graphc_tensor> of_step(long step) {
    std::vector<graphc_tensor> tensors;
    for (std::size_t i = 0; i < arrays_.size(); ++i) tensors.push_back(each_[i] ? row(arrays_[i], step) : arrays_[i].tensor());
    return tensors;
  }

 private:
  static graphc_tensor row(graphc::Array& array, long step) {
    graphc_tensor made = array.tensor();
    const auto rows = static_cast<std::size_t>(made.sizes[0]);
    made.data = array.data.data() + static_cast<std::size_t>(step) % rows * (array.data.size() / rows);
    std::copy(made.sizes + 1, made.sizes + made.rank, made.sizes);
    --made.rank;
    return made;
  }

  std::vector<graphc::Array> arrays_;
  std::vector<bool> each_;
};

void bench(const graphc::Model& model, Feeds& feeds, long runs) {
  std::vector<double> times;
  for (long i = 0; i < runs; ++i) {
    const std::vector<graphc_tensor> tensors = feeds.of_step(i);
    const auto start = std::chrono::steady_clock::now();
    model.run(tensors);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf("%ld runs: median %.2f us, fastest %.2f us, slowest %.2f us\n", runs, times[times.size() / 2], times.front(),
              times.back());
}

void write_outputs(const Arguments& arguments, const graphc::Model& model, const graphc::Result& result) {
  const std::vector<graphc_info> outputs = model.outputs();
  std::vector<std::pair<std::string, std::string>> wanted = arguments.fetches;
  if (wanted.empty())
    for (std::size_t i = 0; i < outputs.size(); ++i)
      wanted.emplace_back(outputs[i].name, i < arguments.outs.size() ? arguments.outs[i] : "");
  std::vector<graphc::WholeFile> files;      // all of them or none get their names
  for (const auto& [name, file] : wanted) {
    const std::size_t index = find(outputs, name, "output");
    const graphc_tensor output = result.output(static_cast<std::int32_t>(index));
    graphc_info info = outputs[index];
    std::copy(output.sizes, output.sizes + output.rank, info.sizes);
    if (file.empty()) print_infos("output", {info});
    else files.push_back(graphc::npy_file(file, output));
  }
  for (graphc::WholeFile& file : files) file.commit();
}

void run(const Arguments& arguments) {
  graphc::Model model(arguments.model, &arguments.options);
  if (!arguments.restore.empty()) model.restore(arguments.restore);
  if (arguments.info) return print_model(model);
  Feeds feeds(arguments, model.inputs());
  for (long step = 0; step + 1 < arguments.steps; ++step) model.run(feeds.of_step(step));
  write_outputs(arguments, model, model.run(feeds.of_step(arguments.steps - 1)));
  if (!arguments.save.empty()) model.save(arguments.save);
  bench(model, feeds, arguments.bench);
}

}  // namespace

int main(int count, char** given) {
  try {
    run(parse(count, given));
    if (std::fflush(stdout) != 0) throw graphc::Error(GRAPHC_UNKNOWN, std::string("cannot print: ") + std::strerror(errno));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "graphc-run: %s\n", error.what());
    return 1;
  }
}
