#include "launch.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstring>

#include "memory.h"

// Saves the registers that a callee must keep, and goes on where another fiber did so.
extern "C" void standin_switch(void** save, void* to);
asm(R"(
.text
.globl standin_switch
.hidden standin_switch
standin_switch:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");

namespace standin {

enum class State { ready, at_barrier, with_warp, waiting, done };

struct Copy {
  void* to;
  std::vector<unsigned char> bytes;
  long group;
};

struct Fiber {
  Thread thread;
  void* stack;
  State state;
  int operation;
  Lane lane;
  long groups;                         // of copies, committed so far
  std::vector<Copy> copies;            // on their way
  bool (*holds)(const void*, uint32_t);                // what it waits for
  const void* at;
  uint32_t which;
};

namespace {

constexpr size_t stack_bytes = 1 << 16, page = 4096;
constexpr unsigned most_in_vain = 1000;                // times that all threads of a block wait for phases
constexpr int illegal_address = 700, misaligned_address = 716, failed = 719;

struct Escape {
  sigjmp_buf place;
  int status;
  std::string complaint;
};

thread_local Escape* escape;
thread_local std::vector<Fiber> fibers;
thread_local Fiber* now;
thread_local void* scheduler;
thread_local const Launch* running;
thread_local const void* words;

[[noreturn]] void leave(int status, const std::string& what) {
  escape->status = status;
  escape->complaint = what;
  siglongjmp(escape->place, 1);
}

std::string where(const Thread& t) {
  return "kernel " + running->kernel->name + ", block " + std::to_string(t.numbers[2]) + ", thread " +
         std::to_string(t.numbers[0]);
}

thread_local Thread alone;             // the thread that runs without a fiber

struct sigaction before[3];
constexpr int signals[3] = {SIGSEGV, SIGBUS, SIGFPE};

void on_fault(int number, siginfo_t* info, void* context) {
  if (escape) {
    auto at = reinterpret_cast<uintptr_t>(info->si_addr);
    leave(number == SIGFPE ? failed : illegal_address,
          where(now ? now->thread : alone) + ": touches what is not its own, near " + describe(at));
  }
  for (int i = 0; i < 3; i++)
    if (signals[i] == number) {
      if (before[i].sa_flags & SA_SIGINFO) return before[i].sa_sigaction(number, info, context);
      sigaction(number, &before[i], nullptr);
    }
}

void watch() {
  static bool watches = [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int i = 0; i < 3; i++) sigaction(signals[i], &action, &before[i]);
    return true;
  }();
  (void)watches;
  thread_local char* room = nullptr;
  if (!room) {
    room = static_cast<char*>(mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    stack_t stack{room, 0, stack_bytes};
    sigaltstack(&stack, nullptr);
  }
}

// Shared memory between pages that nobody may touch; its end lies at the upper one. All of it has one prefix of address,
// since what wgmma is told of a matrix has the lower bits only.
uintptr_t shared_memory(size_t count) {
  constexpr size_t most = 1 << 18;
  thread_local char* room = nullptr;
  if (!room) {
    auto* all = static_cast<char*>(mmap(nullptr, 3 * most, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    room = all + most - uintptr_t(all) % most;
    mprotect(room, most, PROT_READ | PROT_WRITE);
  }
  char* begin = room + most - (count + 127) / 128 * 128;
  memset(begin, 0xCD, count);
  return reinterpret_cast<uintptr_t>(begin);
}

void give_up() { standin_switch(&now->stack, scheduler); }

void first_words() {
  running->kernel->code(words, &now->thread);
  if (!now->copies.empty()) leave(failed, where(now->thread) + ": cp.async was not waited for");
  now->state = State::done;
  give_up();
}

void number(Thread& t, unsigned thread, const unsigned (&block)[3], uintptr_t shared) {
  const unsigned* grid = running->grid;
  uint32_t numbers[] = {thread, running->threads, block[0], block[1], block[2], grid[0], grid[1], grid[2], thread % 32,
                        thread / 32};
  memcpy(t.numbers, numbers, sizeof numbers);
  t.shared = shared;
}

// True if a warp's instruction was run.
bool run_one_warp(unsigned first, unsigned count) {
  Lane* lanes[32] = {};
  uint32_t there = 0, exists = 0, mask = 0;
  int operation = -1;
  for (unsigned i = 0; i < 32 && first + i < count; i++) {
    Fiber& f = fibers[first + i];
    exists |= 1u << i;
    if (f.state != State::with_warp || (operation >= 0 && (f.operation != operation || f.lane.mask != mask))) continue;
    operation = f.operation;
    mask = f.lane.mask;
    lanes[i] = &f.lane;
    there |= 1u << i;
  }
  if (operation < 0 || there != (mask & exists)) return false;
  run_warp(operation, lanes);
  for (unsigned i = 0; i < 32; i++)
    if (lanes[i]) fibers[first + i].state = State::ready;
  return true;
}

// Threads that wait for a phase go on without; false: there are none.
bool wake_waiting() {
  bool woken = false;
  for (Fiber& f : fibers)
    if (f.state == State::waiting) f.state = State::ready, woken = true;
  return woken;
}

void run_fibers(bool backwards) {
  unsigned count = running->threads, in_vain = 0;
  for (;;) {
    bool ran = false;
    for (unsigned i = 0; i < count; i++) {
      now = &fibers[backwards ? count - 1 - i : i];
      if (now->state == State::waiting && now->holds(now->at, now->which)) now->state = State::ready;
      if (now->state != State::ready) continue;
      ran = true;
      standin_switch(&scheduler, now->stack);
    }
    for (unsigned first = 0; first < count; first += 32) ran |= run_one_warp(first, count);
    unsigned waiting = 0, done = 0;
    for (Fiber& f : fibers) waiting += f.state == State::at_barrier, done += f.state == State::done;
    if (done == count) return;
    if (waiting == count) {
      for (Fiber& f : fibers) f.state = State::ready;
    } else if (!ran && !(++in_vain < most_in_vain && wake_waiting())) {
      leave(failed, where(fibers[0].thread) + ": " + std::to_string(waiting) + " of " + std::to_string(count) +
                        " threads wait at a barrier, " + std::to_string(done) + " have ended, others wait for their warp or a phase");
    }
  }
}

void start_fibers(const unsigned (&block)[3], uintptr_t shared) {
  thread_local char* stacks = nullptr;
  if (!stacks) {
    stacks = static_cast<char*>(mmap(nullptr, 1024 * stack_bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    for (size_t i = 0; i < 1024; i++) mprotect(stacks + i * stack_bytes, page, PROT_NONE);
  }
  fibers.resize(running->threads);
  for (unsigned i = 0; i < running->threads; i++) {
    Fiber& f = fibers[i];
    void** top = reinterpret_cast<void**>(stacks + (i + 1) * stack_bytes) - 2;
    *top = reinterpret_cast<void*>(first_words);
    f.stack = top - 6;
    f.state = State::ready;
    f.groups = 0;
    f.copies.clear();
    number(f.thread, i, block, shared);
    f.thread.fiber = &f;
  }
}

void run_block(const unsigned (&block)[3], uintptr_t shared, bool backwards) {
  if (running->kernel->together) {
    start_fibers(block, shared);
    run_fibers(backwards);
    now = nullptr;
    return;
  }
  for (unsigned i = 0; i < running->threads; i++) {
    number(alone, backwards ? running->threads - 1 - i : i, block, shared);
    running->kernel->code(words, &alone);
  }
}

}  // namespace

int run(const Launch& launch, std::string& complaint) {
  static unsigned launches = 0;
  bool backwards = launches++ % 2;     // so that results that depend on the order of threads are seen to change
  watch();
  Escape here{};
  running = &launch;
  words = launch.words.data();
  now = nullptr;
  escape = &here;
  if (!sigsetjmp(here.place, 1)) {
    size_t blocks = size_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
    for (size_t i = 0; i < blocks; i++) {
      size_t at = backwards ? blocks - 1 - i : i;
      unsigned block[3] = {unsigned(at % launch.grid[0]), unsigned(at / launch.grid[0] % launch.grid[1]),
                           unsigned(at / launch.grid[0] / launch.grid[1])};
      run_block(block, shared_memory(launch.kernel->shared + launch.dynamic), backwards);
    }
  }
  escape = nullptr;
  complaint = here.complaint;
  return here.status;
}

void fail(const Thread& t, const std::string& what) { leave(failed, where(t) + ": " + what); }

bool wait_until(Thread& t, bool (*holds)(const void*, uint32_t), const void* at, uint32_t which) {
  if (holds(at, which)) return true;
  Fiber& f = *t.fiber;
  f.holds = holds;
  f.at = at;
  f.which = which;
  f.state = State::waiting;
  give_up();
  return holds(at, which);
}

extern "C" {

void standin_barrier(Thread* t) {
  t->fiber->state = State::at_barrier;
  give_up();
}

void standin_warp(Thread* t, int operation, uint32_t mask, const uint64_t* given, uint64_t* results) {
  Fiber& f = *t->fiber;
  f.operation = operation;
  f.lane = {mask, given, results};
  f.state = State::with_warp;
  give_up();
}

// cp.async: comes when it is waited for; until then garbage is there.
void standin_copy(Thread* t, void* to, const void* from, uint32_t size, uint32_t count) {
  Copy copy{to, std::vector<unsigned char>(size, 0), t->fiber->groups};
  memcpy(copy.bytes.data(), from, count);
  memset(to, 0xCD, size);
  t->fiber->copies.push_back(copy);
}

void standin_copies_commit(Thread* t) { t->fiber->groups++; }

void standin_copies_wait(Thread* t, int all_but) {
  Fiber& f = *t->fiber;
  std::vector<Copy> left;
  for (Copy& copy : f.copies) {
    if (copy.group < f.groups - all_but) memcpy(copy.to, copy.bytes.data(), copy.bytes.size());
    else left.push_back(copy);
  }
  f.copies = left;
}

void standin_misaligned(Thread* t, uint64_t, uint64_t width) {
  leave(misaligned_address, where(*t) + ": an address that is no multiple of " + std::to_string(width));
}

}  // extern "C"
}  // namespace standin
