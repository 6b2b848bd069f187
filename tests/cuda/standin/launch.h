// Kernels on the host: the threads of a block one after the other, or as fibers if they wait for each other.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace standin {

struct Fiber;

// What a kernel knows of its thread; ptx/host_text.py reads it.
struct Thread {
  uint32_t numbers[16];                // tid.x, ntid.x, ctaid.x, y, z, nctaid.x, y, z, laneid, warpid
  uint64_t shared;
  Fiber* fiber;
};
static_assert(offsetof(Thread, shared) == 64);

using Code = void (*)(const void* parameters, Thread*);

struct Kernel {
  std::string name;
  Code code;
  std::vector<unsigned> sizes;         // of its parameters, in bytes
  size_t shared;                       // bytes, without what a launch adds
  unsigned most_threads;               // 0: nothing is said
  bool together;                       // whether threads wait for each other
  size_t most_dynamic = 0;             // what cuFuncSetAttribute allowed
};

struct Launch {
  const Kernel* kernel;
  unsigned grid[3], threads;
  size_t dynamic;
  std::vector<uint64_t> words;
};

// 0, or CUDA's number for what went wrong, and a sentence about it.
int run(const Launch& launch, std::string& complaint);

// For functions that a kernel's threads call: the launch fails; or other threads run until holds(at, which). False: all
// threads wait, as a GPU's try_wait ends after a while; a kernel that asks on and on fails.
[[noreturn]] void fail(const Thread& t, const std::string& what);
bool wait_until(Thread& t, bool (*holds)(const void* at, uint32_t which), const void* at, uint32_t which);

// Warps (warp.cpp): what a lane brings and what it gets.
struct Lane {
  uint32_t mask;
  const uint64_t* given;
  uint64_t* results;
};
// lanes: of one warp, null if it does not take part.
void run_warp(int operation, Lane* const (&lanes)[32]);
float half_value(uint16_t bits);       // of a float16

}  // namespace standin
