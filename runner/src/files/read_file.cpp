#include "read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "error.hpp"

namespace graphc_core {

InputFile::InputFile(std::string path) : path_(std::move(path)), file_(open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (file_ < 0 || fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    const std::string reason = file_ < 0 ? std::strerror(errno) : "not a regular file";
    if (file_ >= 0) close(file_);
    throw_error(GRAPHC_NOT_FOUND, "cannot read " + path_ + ": " + reason);
  }
  size_ = status.st_size;
}

InputFile::~InputFile() { close(file_); }

Block InputFile::read(std::int64_t offset, std::size_t bytes, const std::shared_ptr<HostTable>& host) const {
  Block data(host, bytes);
  for (std::size_t at = 0; at < bytes;) {
    const ssize_t got = pread(file_, data.data() + at, bytes - at, static_cast<off_t>(offset) + static_cast<off_t>(at));
    if (got > 0) at += static_cast<std::size_t>(got);
    else if (got == 0) throw_error(GRAPHC_DATA_LOSS, "cannot read " + path_ + ": it became shorter while it was read");
    else if (errno != EINTR) throw_error(GRAPHC_NOT_FOUND, "cannot read " + path_ + ": " + std::strerror(errno));
  }
  return data;
}

Block read_file(const std::string& path, const std::shared_ptr<HostTable>& host) {
  const InputFile file(path);
  return file.read(0, static_cast<std::size_t>(file.size()), host);
}

}  // namespace graphc_core
