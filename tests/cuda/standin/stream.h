// Streams, events and graphs: work that waits until somebody waits for it.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace standin {

// 0, or CUDA's number of what went wrong.
using Work = std::function<int()>;

struct Stream {
  std::vector<Work> queue;
  size_t done = 0;                     // of all that was ever put into it
  bool records = false;
  int device = 0;
  std::vector<Work> recorded;
  size_t put() const { return done + queue.size(); }
};

struct Event {
  Stream* stream = nullptr;            // where it was recorded, behind `after` pieces of work
  size_t after = 0;
  double time = 0;
};

struct Graph {
  std::vector<Work> work;
};

// Whether work waits as long as CUDA allows it to (GRAPHC_STANDIN=late, the default) or runs at once (now).
bool is_late();
// Records the work, or puts it into the queue.
void put(Stream& stream, Work work);
// Does what lies in the queue, up to that many pieces since the stream was made.
int finish(Stream& stream, size_t up_to = size_t(-1));
int finish_all();
Stream& make_stream();
void drop_stream(Stream* stream);

// The first thing that went wrong in a kernel or copy; all calls fail from then on, as a lost context does.
int broken();
void break_with(int status, const std::string& what);
const std::string& complaint();
void mend();

}  // namespace standin
