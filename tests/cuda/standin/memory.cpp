#include "memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

namespace standin {
namespace {

constexpr size_t page = 4096, alignment = 256, reserved = size_t{1} << 42;
constexpr unsigned char garbage = 0xAB, beside = 0xFE;

struct Allocation {
  size_t count;
  Kind kind;
  uintptr_t begin;                     // of its pages
  size_t pages;                        // bytes of them, without the guard
  int device;
};

std::map<uintptr_t, Allocation> live;
uintptr_t next;
size_t used;

size_t rounded(size_t count, size_t to) { return (count + to - 1) / to * to; }

void* fixed(uintptr_t begin, size_t count, int allowed) {
  return mmap(reinterpret_cast<void*>(begin), count, allowed, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

const std::pair<const uintptr_t, Allocation>* below(uintptr_t address) {
  auto found = live.upper_bound(address);
  return found == live.begin() ? nullptr : &*--found;
}

bool clean(const unsigned char* from, const unsigned char* to) {
  while (from < to && *from == beside) from++;
  return from == to;
}

}  // namespace

size_t device_bytes() {
  const char* given = getenv("GRAPHC_STANDIN_MEMORY");
  return given ? strtoull(given, nullptr, 10) : size_t{1} << 30;
}

size_t bytes_in_use() { return used; }
size_t allocations() { return live.size(); }

uintptr_t allocate(size_t count, Kind kind, int device) {
  if (!next) next = reinterpret_cast<uintptr_t>(mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (kind == Kind::device && used + count > device_bytes()) return 0;
  size_t pages = rounded(rounded(count, alignment), page);
  uintptr_t begin = next;
  if (fixed(begin, pages, PROT_READ | PROT_WRITE) == MAP_FAILED) return 0;
  next += pages + page;
  uintptr_t address = begin + pages - rounded(count, alignment);
  memset(reinterpret_cast<void*>(begin), beside, pages);
  memset(reinterpret_cast<void*>(address), garbage, count);
  live[address] = {count, kind, begin, pages, device};
  if (kind == Kind::device) used += count;
  return address;
}

bool release(uintptr_t address, Kind kind, std::string& complaint) {
  auto found = live.find(address);
  if (found == live.end() || found->second.kind != kind) return false;
  const Allocation& of = found->second;
  auto bytes = reinterpret_cast<const unsigned char*>(0);
  if (!clean(bytes + of.begin, bytes + address) || !clean(bytes + address + of.count, bytes + of.begin + of.pages))
    complaint = "something was written beside " + describe(address);
  fixed(of.begin, of.pages, PROT_NONE);
  if (kind == Kind::device) used -= of.count;
  live.erase(found);
  return true;
}

bool inside(uintptr_t address, size_t count, Kind kind, int device) {
  auto found = below(address);
  return found && found->second.kind == kind && address + count <= found->first + found->second.count &&
         (device < 0 || device == found->second.device);
}

void shield_others(int device) {
  for (auto& [_, of] : live)
    if (of.kind == Kind::device && of.device != device)
      mprotect(reinterpret_cast<void*>(of.begin), of.pages, device < 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
}

bool is_pinned(uintptr_t address) { return inside(address, 0, Kind::pinned); }

std::string describe(uintptr_t address) {
  auto found = below(address);
  if (!found) return "no allocation";
  const Allocation& of = found->second;
  return std::string(of.kind == Kind::device ? "an allocation" : "pinned memory") + " of " + std::to_string(of.count) +
         " bytes, byte " + std::to_string(address - found->first);
}

}  // namespace standin
