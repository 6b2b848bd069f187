#include "whole_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "error.hpp"

namespace graphc_core {
namespace {

// The file that `path` leads to through symbolic links, so that a link stays one.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> found(realpath(path.c_str(), nullptr), std::free);
  return found ? found.get() : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The mode that a file made by open(..., 0666) would have.
mode_t usual_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

WholeFile::WholeFile(const std::string& path) : path_(real_path(path)) {
  struct stat old {};
  const bool exists = stat(path_.c_str(), &old) == 0, direct = exists && !S_ISREG(old.st_mode);
  mode_ = exists ? old.st_mode & 07777 : usual_mode();
  std::string name = path_ + ".XXXXXX";
  file_ = direct ? open(path_.c_str(), O_WRONLY | O_CLOEXEC) : mkostemp(&name[0], O_CLOEXEC);
  if (file_ < 0) throw_error(GRAPHC_NOT_FOUND, "cannot write " + path + ": " + std::strerror(errno));
  if (!direct) temporary_ = name;
}

WholeFile::WholeFile(WholeFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, "")), mode_(other.mode_),
      file_(std::exchange(other.file_, -1)) {}

WholeFile::~WholeFile() {
  if (file_ >= 0) close(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void WholeFile::fail(int error) const {
  throw_error(GRAPHC_UNKNOWN, "cannot write " + path_ + ": " + std::strerror(error));
}

void WholeFile::write(std::string_view data) {
  while (!data.empty()) {
    const ssize_t done = ::write(file_, data.data(), std::min(data.size(), std::size_t{1} << 30));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail(errno);
    data.remove_prefix(static_cast<std::size_t>(done));
  }
}

void WholeFile::finish() {
  if (!temporary_.empty() && (fchmod(file_, mode_) != 0 || fsync(file_) != 0)) fail(errno);
  if (close(std::exchange(file_, -1)) != 0) fail(errno);
}

void WholeFile::commit() {
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
  const int folder = open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);    // so that the new name lasts
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

}  // namespace graphc_core
