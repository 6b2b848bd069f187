#include "stream.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace standin {
namespace {

std::vector<std::unique_ptr<Stream>> streams;
int status;
std::string said;

}  // namespace

bool is_late() {
  const char* mode = getenv("GRAPHC_STANDIN");
  return !mode || strcmp(mode, "now");
}

int broken() { return status; }
const std::string& complaint() { return said; }

void break_with(int number, const std::string& what) {
  if (status) return;
  status = number;
  said = what;
}

void mend() {
  for (auto& stream : streams) stream->done += stream->queue.size(), stream->queue.clear(), stream->records = false;
  status = 0;
  said.clear();
}

void put(Stream& stream, Work work) {
  if (stream.records) {
    stream.recorded.push_back(std::move(work));
    return;
  }
  stream.queue.push_back(std::move(work));
  if (!is_late()) finish(stream);
}

int finish(Stream& stream, size_t up_to) {
  while (!stream.queue.empty() && stream.done < up_to && !status) {
    Work work = std::move(stream.queue.front());
    stream.queue.erase(stream.queue.begin());
    stream.done++;
    if (int wrong = work()) break_with(wrong, said);
  }
  return status;
}

int finish_all() {
  for (size_t i = 0; i < streams.size(); i++) finish(*streams[i]);
  return status;
}

Stream& make_stream() {
  streams.push_back(std::make_unique<Stream>());
  return *streams.back();
}

void drop_stream(Stream* stream) {
  finish(*stream);
  streams.erase(std::find_if(streams.begin(), streams.end(), [&](auto& s) { return s.get() == stream; }));
}

}  // namespace standin
