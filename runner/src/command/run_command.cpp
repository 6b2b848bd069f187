#include "run_command.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "dtypes.hpp"
#include "error.hpp"
#include "graphc.h"
#include "graphc.hpp"
#include "graphc_layout.h"
#include "npz.hpp"
#include "run_arguments.hpp"
#include "run_feeds.hpp"
#include "tensors.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

constexpr char PROGRAM[] = "graphc-run";
constexpr std::size_t MOST_PRINTED = 8;

std::string shape_text(const graphc_info& info) {
  std::string text = "[";
  for (int i = 0; i < info.rank; ++i) text += (i ? ", " : "") + (info.sizes[i] < 0 ? "?" : decimal(info.sizes[i]));
  return text + "]";
}

void print_infos(const char* what, const std::vector<graphc_info>& infos) {
  for (const graphc_info& info : infos)
    std::printf("%-9s %-24s %-8s %s\n", what, info.name, dtype_name(info.dtype).c_str(), shape_text(info).c_str());
}

void print_model(const graphc::Model& model, graphc_model* handle) {
  for (int32_t i = 0; i < graphc_signature_count(handle); ++i)
    std::printf("%-9s %s\n", "signature", graphc_signature_name(handle, i));
  print_infos("input", model.inputs());
  print_infos("output", model.outputs());
  print_infos("variable", model.variables());
  for (int32_t i = 0; i < graphc_host_count(handle); ++i) std::printf("%-9s %s\n", "calls", graphc_host_name(handle, i));
  std::printf("%-9s %s\n", "isa", graphc_isas());
  std::printf("%-9s %lld bytes\n", "memory", static_cast<long long>(graphc_memory_used(handle)));
}

void print_version() {
  const std::string models = gc_made_for;
  std::printf("%s %s (%s)%s\n", PROGRAM, graphc_version(), graphc_isas(), models.empty() ? "" : (" for " + models).c_str());
}

// As Python writes it: b'a\n'.
std::string bytes_literal(std::string_view text) {
  const bool has_single = text.find('\'') != text.npos, has_double = text.find('"') != text.npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string made = std::string("b") + quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char hex[8];
    if (c == quote || c == '\\') made += '\\', made += c;
    else if (c == '\t' || c == '\n' || c == '\r') made += c == '\t' ? "\\t" : c == '\n' ? "\\n" : "\\r";
    else if (byte < 0x20 || byte > 0x7E) std::snprintf(hex, sizeof hex, "\\x%02x", byte), made += hex;
    else made += c;
  }
  return made + quote;
}

template <class Element>
Element load(const char* data) {
  Element value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

// An element as C prints it, a string as Python shows bytes; "" of 16-bit floats and complex numbers: --out gives their values.
std::string element_text(std::int32_t dtype, const char* data) {
  char text[32] = "";
  const auto print = [&](const char* form, auto value) { std::snprintf(text, sizeof text, form, value); };
  switch (dtype) {
    case STRING: {
      const auto one = load<graphc_string>(data);
      return bytes_literal({one.data, one.size});
    }
    case 1: print("%.6g", static_cast<double>(load<float>(data))); break;
    case 2: print("%.6g", load<double>(data)); break;
    case 3: return decimal(load<std::int32_t>(data));
    case 4: case BOOL: return decimal(load<std::uint8_t>(data));
    case 5: return decimal(load<std::int16_t>(data));
    case 6: return decimal(load<std::int8_t>(data));
    case 9: return decimal(load<std::int64_t>(data));
    case 17: return decimal(load<std::uint16_t>(data));
    case 22: return decimal(load<std::uint32_t>(data));
    case 23: print("%lu", load<unsigned long>(data)); break;
    default: break;
  }
  return text;
}

// Up to 8 elements.
void print_elements(const graphc_tensor& tensor) {
  const char zeros[16] = {};
  if (element_text(tensor.dtype, zeros).empty()) return;
  const std::size_t size = element_bytes(tensor.dtype), count = bytes_of(tensor) / size;
  std::string line = " ";
  for (std::size_t i = 0; i < std::min(count, MOST_PRINTED); ++i)
    line += " " + element_text(tensor.dtype, static_cast<const char*>(tensor.data) + i * size);
  std::printf("%s%s\n", line.c_str(), count > MOST_PRINTED ? " ..." : "");
}

void bench(const graphc::Model& model, Feeds& feeds, long long runs) {
  std::vector<double> times;
  for (long long i = 0; i < runs; ++i) {
    const std::vector<graphc_tensor> tensors = feeds.of_step(i);
    const auto start = std::chrono::steady_clock::now();
    model.run(tensors);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf("%lld runs: median %.2f us, fastest %.2f us, slowest %.2f us\n", runs, times[times.size() / 2], times.front(),
              times.back());
}

// A .npz file holds all outputs, once each.
void check_archive(const std::string& path, const Arguments& arguments, const std::vector<graphc_info>& outputs,
                   const std::vector<std::size_t>& wanted) {
  if (arguments.outs.size() > 1) throw UsageError("--out " + path + " is for all outputs: give no other --out");
  for (const std::size_t index : wanted)
    if (std::count(wanted.begin(), wanted.end(), index) > 1)
      throw UsageError("--out " + path + " holds output '" + plain(outputs[index].name) + "' once: fetch it once");
}

// Numbers of the outputs that are wanted.
std::vector<std::size_t> wanted_outputs(const Arguments& arguments, const std::vector<graphc_info>& outputs) {
  std::vector<std::size_t> wanted;
  for (const std::string& name : arguments.fetches) wanted.push_back(find_port(outputs, name, "output"));
  if (arguments.fetches.empty())
    for (std::size_t i = 0; i < outputs.size(); ++i) wanted.push_back(i);
  const auto archive = std::find_if(arguments.outs.begin(), arguments.outs.end(), is_archive);
  if (archive != arguments.outs.end()) check_archive(*archive, arguments, outputs, wanted);
  else if (!arguments.outs.empty() && arguments.outs.size() != wanted.size())
    throw UsageError(decimal(arguments.outs.size()) + " times --out for " + decimal(wanted.size()) +
                     " outputs: give one for each");
  return wanted;
}

void print_outputs(const std::vector<graphc_info>& infos, const std::vector<std::size_t>& wanted,
                   const std::vector<graphc_tensor>& outputs) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    graphc_info info = infos[wanted[i]];
    std::copy(outputs[i].sizes, outputs[i].sizes + outputs[i].rank, info.sizes);
    print_infos("output", {info});
    print_elements(outputs[i]);
  }
}

void write_outputs(const Arguments& arguments, const std::vector<graphc_info>& infos, const std::vector<std::size_t>& wanted,
                   const graphc::Result& result) {
  std::vector<graphc_tensor> outputs;
  for (const std::size_t index : wanted) outputs.push_back(result.output(static_cast<std::int32_t>(index)));
  if (arguments.outs.empty()) return print_outputs(infos, wanted, outputs);
  std::vector<WholeFile> files;         // all of them or none get their names
  if (is_archive(arguments.outs[0])) {
    std::vector<std::pair<std::string, graphc_tensor>> arrays;
    for (std::size_t i = 0; i < wanted.size(); ++i) arrays.emplace_back(plain(infos[wanted[i]].name), outputs[i]);
    files.push_back(npz_file(arguments.outs[0], arrays));
  } else {
    for (std::size_t i = 0; i < outputs.size(); ++i) files.push_back(npy_file(arguments.outs[i], outputs[i]));
  }
  for (WholeFile& file : files) file.commit();
}

void run(const Arguments& arguments) {
  const std::string signature = arguments.text("--signature"), isa = arguments.text("--isa");
  graphc_options options{};
  options.size = sizeof options;
  options.signature = signature.empty() ? nullptr : signature.c_str();
  options.isa = isa.empty() ? nullptr : isa.c_str();
  options.memory_limit = arguments.number("--memory", 0);
  options.threads = static_cast<std::int32_t>(arguments.number("--threads", 0));
  const std::string gpu_code = arguments.text("--gpu-code");
  if (arguments.on_gpu() && gpu_code.empty())
    throw UsageError("--device gpu wants --gpu-code FILE.gpu, which `graphc gpu " + arguments.model + "` makes");
  options.gpu_code = gpu_code.empty() ? nullptr : gpu_code.c_str();
  options.gpu = arguments.gpu();
  graphc::Model model(arguments.model, &options);
  if (arguments.has("--restore")) model.restore(arguments.text("--restore"));
  if (arguments.has("--info")) return print_model(model, model.get());
  const std::vector<graphc_info> outputs = model.outputs();
  const std::vector<std::size_t> wanted = wanted_outputs(arguments, outputs);
  Feeds feeds(arguments, model.inputs());
  const long long steps = arguments.number("--steps", 1);
  for (long long step = 0; step + 1 < steps; ++step) model.run(feeds.of_step(step));
  const graphc::Result result = model.run(feeds.of_step(steps - 1));
  if (arguments.has("--save")) model.save(arguments.text("--save"));
  write_outputs(arguments, outputs, wanted, result);
  bench(model, feeds, arguments.number("--bench", 0));
}

}  // namespace

int run_command(int count, char** given) {
  try {
    const Arguments arguments = parse_arguments({given + (count > 0), given + count});
    if (arguments.has("--help")) std::fputs(help_text(PROGRAM).c_str(), stdout);
    else if (arguments.has("--version")) print_version();
    else run(arguments);
    if (std::fflush(stdout) != 0) throw_error(GRAPHC_UNKNOWN, std::string("cannot print: ") + std::strerror(errno));
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n`%s --help` lists the flags\n", PROGRAM, error.what(), PROGRAM);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", PROGRAM, error.what());
    return 1;
  }
}

}  // namespace graphc_core
