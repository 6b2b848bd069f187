// A loaded graph: its plan verified, its constants in memory, ready to run from any thread.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "graphc.h"
#include "graph_reader.hpp"
#include "library.hpp"
#include "memory.hpp"
#include "plan.hpp"

namespace graphc {

struct Options {
  std::string signature, isa;
  std::int64_t memory_limit = 0;
  int threads = 0;
};

struct Result {
  std::vector<Block> memory;
  std::vector<graphc_tensor> outputs;
};

struct HostFunction {
  graphc_host_function function = nullptr;
  void* user = nullptr;
};

class Model {
 public:
  // Reads and verifies; `file` is not used afterwards. host: a table made with options.memory_limit. Throws Error.
  Model(std::string_view file, const Options& options, std::shared_ptr<HostTable> host);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Plan& plan() const { return plan_; }
  const char* isa() const { return library_.isa; }
  std::int64_t memory_used() const { return host_->used(); }

  std::unique_ptr<Result> run(const graphc_tensor* inputs, std::size_t count);

  // Ends the runs that have begun and not ended; they poll. What begins later is not touched.
  void cancel();

  void set_state(std::size_t index, const graphc_tensor& value);
  void get_state(std::size_t index, void* data, std::size_t bytes);
  void set_host(const std::string& name, HostFunction function);

 private:
  // A frame of the runtime, the input sizes that it is bound for, and what follows from these alone: the shapes of the
  // outputs (rank -1: known only when it has run). The runtime's own table of outputs says of the others what the last run made.
  struct Frame {
    std::int64_t handle = 0;
    bool bound = false;
    std::vector<std::int64_t> sizes;
    std::vector<graphc_tensor> outputs;
  };

  // A run from its call on: the flag that ends it, which the runtime polls, in the list of those that are going on.
  struct Running {
    explicit Running(Model& model);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    Model& model;
    std::atomic<std::int64_t> cancelled{0};
    Running *before = nullptr, *behind = nullptr;
  };

  void load(std::string_view file, const Options& options);
  void verify();
  void check_ports() const;
  void check_strings() const;
  void check_hosts() const;
  void load_values(const Graph& graph);
  void make_states();
  void open(int threads, std::int64_t tables);
  std::vector<std::int64_t> checked_sizes(const graphc_tensor* inputs, std::size_t count) const;
  Frame take_frame(const std::vector<std::int64_t>& sizes);
  void note_outputs(Frame& frame) const;
  void give_back(Frame frame);
  void run_frame(Frame& frame, std::int64_t number, Running& running, const std::vector<std::int64_t>& addresses, Result& result);
  void make_outputs(const Frame& frame, Result& result);
  void copy_outputs(const Frame& frame, Result& result);
  [[noreturn]] void fail(const std::int64_t* record) const;
  static std::int32_t call_host(std::int64_t context, std::int64_t host, std::int64_t record);

  const Library& library_;
  std::shared_ptr<HostTable> host_;
  Charge charge_;                      // for the plan and the image
  Plan plan_;
  std::vector<std::int64_t> image_;
  std::vector<Block> constants_, states_, infos_;
  std::vector<std::int64_t> constant_table_, state_table_, info_table_;
  std::int64_t store_ = 0, model_ = 0;
  bool writes_states_ = false;
  std::atomic<std::int64_t> runs_{0};
  std::mutex running_mutex_;
  Running* running_ = nullptr;         // the runs that are going on, linked
  std::shared_mutex states_mutex_;     // shared by runs that only read states, exclusive for those that write
  std::mutex frames_mutex_;
  std::vector<Frame> idle_;            // most recently used last
  std::map<std::string, HostFunction> hosts_;
};

// What a host function sees of the call it serves.
struct HostRequest {
  HostTable* host;
  const Library* library;
  const std::int64_t* slots;           // addresses of the SLOT records to fill
  std::int64_t count;
};

void* make_host_output(HostRequest& request, std::int64_t index, std::int32_t dtype, std::int32_t rank,
                       const std::int64_t* sizes);

}  // namespace graphc
