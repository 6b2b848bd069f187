// A loaded signature of a graph: its plan verified, its constants in memory, ready to run from any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device_runs.hpp"
#include "frames.hpp"
#include "graph_reader.hpp"
#include "graphc.h"
#include "host_calls.hpp"
#include "library.hpp"
#include "memory.hpp"
#include "plan.hpp"
#include "running.hpp"
#include "strings.hpp"
#include "values.hpp"

namespace graphc_core {

struct Options {
  std::string signature, isa;
  std::int64_t memory_limit = 0;
  int threads = 0;
  std::shared_ptr<Values> values;      // of a model whose variables this one shares
  std::string gpu_code;                // the file with code for a GPU; "": it runs on the CPU
  int gpu = 0;                         // which one
};

struct Result {
  std::vector<Block> memory;
  std::vector<graphc_tensor> outputs;
};

class Model {
 public:
  // Reads and verifies; the data of `file` are not used afterwards. host: a table made with options.memory_limit. Throws Error.
  Model(const GraphFile& file, const Options& options, std::shared_ptr<HostTable> host);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Plan& plan() const { return plan_; }
  const std::vector<std::string>& signatures() const { return signatures_; }
  const std::shared_ptr<HostTable>& host() const { return host_; }
  const std::shared_ptr<Values>& values() const { return values_; }

  std::unique_ptr<Result> run(const graphc_tensor* inputs, std::size_t count);
  void cancel() { runs_.cancel(); }
  void set_host(const std::string& name, HostFunction function);

 private:
  void read_device(const Graph& graph, const Options& options);
  void load(const Graph& graph, const Options& options);
  void find_variables(const Graph& graph);
  void verify();
  void open(int threads, std::int64_t tables);
  void open_device();
  void run_frame(Frame& frame, std::int64_t number, const Running& running, const std::vector<std::int64_t>& addresses,
                 Result& result);
  void run_with_device(Frame& frame, std::int64_t number, const Running& running, const std::vector<std::int64_t>& sizes,
                       const std::vector<std::int64_t>& addresses, Result& result);
  void make_outputs(const Frame& frame, Result& result);
  void copy_outputs(const Frame& frame, Result& result);
  void name_strings(RunStrings& strings, Result& result) const;
  [[noreturn]] void fail(const std::int64_t* record) const;

  const Library& library_;
  std::shared_ptr<HostTable> host_;
  Charge charge_;                      // for the plan and the image
  Plan plan_;
  std::vector<std::string> signatures_;
  std::vector<std::int64_t> image_;
  std::shared_ptr<Values> values_;
  std::vector<std::int64_t> constant_table_, state_table_, info_table_, ways_;
  HostCalls host_calls_;
  std::int64_t store_ = 0, model_ = 0;
  bool writes_states_ = false;
  RunList runs_;
  Frames frames_;
  std::unique_ptr<DeviceRuns> device_;     // nullptr: the CPU
  std::shared_ptr<Strings> strings_;       // nullptr: the plan has none
};

}  // namespace graphc_core
