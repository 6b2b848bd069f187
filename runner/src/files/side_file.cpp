#include "side_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "error.hpp"
#include "texts.hpp"

namespace graphc_core {
namespace {

constexpr std::string_view MAGIC = "graphcSD";
constexpr std::uint32_t VERSION = 1;
constexpr std::size_t HEADER = 64, ALIGNMENT = 64, ID = 16, ID_BYTES = 32;

std::string path_of(const std::string& graph_path, const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    damaged("the name of its side file is none of a file in the same folder");
  const std::size_t slash = graph_path.rfind('/');
  return slash == std::string::npos ? name : graph_path.substr(0, slash + 1) + name;
}

}  // namespace

SideFile::SideFile(const std::string& graph_path, const SideFileInfo& info) : path_(path_of(graph_path, info.name)) {
  const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    const std::string reason = file < 0 ? std::strerror(errno) : "not a regular file";
    if (file >= 0) close(file);
    throw_error(GRAPHC_NOT_FOUND, "cannot read " + path_ + ", where the graph has its constants: " + reason +
                                      ". The two files must be kept together");
  }
  void* mapped = MAP_FAILED;
  const bool whole = status.st_size == info.size && info.size >= static_cast<std::int64_t>(HEADER);
  if (whole) mapped = mmap(nullptr, static_cast<std::size_t>(info.size), PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  close(file);
  if (!whole)
    throw_error(GRAPHC_DATA_LOSS, path_ + " has " + decimal(status.st_size) + " bytes, but the graph says " +
                                      decimal(info.size) + ": it is cut short, or belongs to another graph");
  if (mapped == MAP_FAILED) throw_error(GRAPHC_RESOURCE_EXHAUSTED, "cannot map " + path_ + ": " + std::strerror(error));
  data_ = static_cast<const char*>(mapped);
  size_ = static_cast<std::size_t>(info.size);
  try {
    check(info);
  } catch (...) {
    munmap(mapped, size_);
    throw;
  }
}

SideFile::~SideFile() { munmap(const_cast<char*>(data_), size_); }

void SideFile::check(const SideFileInfo& info) const {
  std::uint32_t version = 0;
  std::memcpy(&version, data_ + MAGIC.size(), sizeof version);
  if (std::string_view(data_, MAGIC.size()) != MAGIC || version != VERSION)
    throw_error(GRAPHC_DATA_LOSS, path_ + " is no side file of version 1: it is damaged, or made by a newer graphc");
  if (info.id.size() != ID_BYTES || std::string_view(data_ + ID, ID_BYTES) != info.id)
    throw_error(GRAPHC_DATA_LOSS, path_ + " belongs to another graph: the two files must be written together");
}

std::string_view SideFile::bytes(const SideTensor& tensor) const {
  const auto offset = static_cast<std::size_t>(tensor.offset), size = static_cast<std::size_t>(tensor.size);
  if (tensor.id != std::string_view(data_ + ID, ID_BYTES)) damaged("a constant is said to be in a side file of another graph");
  if (tensor.offset < static_cast<std::int64_t>(HEADER) || tensor.size < 0 || offset % ALIGNMENT || offset > size_ ||
      size > size_ - offset)
    damaged("a constant is not inside the graph's side file, or not at a multiple of 64");
  return {data_ + offset, size};
}

}  // namespace graphc_core
