// The command line of graphc-run.
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace graphc_core {

// A command line that means nothing; the message is a line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What graphc/commands/flags.py calls Arguments.
struct Arguments {
  std::string model;
  std::map<std::string, std::string> given;                   // the last value of each flag that is there once
  std::vector<std::pair<std::string, std::string>> feeds, each;     // name ("": a .npz file, all of it), file
  std::vector<std::string> fetches, outs;

  bool has(const std::string& flag) const { return given.count(flag) != 0; }
  std::string text(const std::string& flag) const { return has(flag) ? given.at(flag) : ""; }
  bool on_gpu() const;                                        // --device
  int gpu() const;                                            // which one
  long long number(const std::string& flag, long long otherwise) const;
};

// The words after the program's name. Throws UsageError.
Arguments parse_arguments(const std::vector<std::string>& words);

// What --help prints.
std::string help_text(const std::string& program);

}  // namespace graphc_core
