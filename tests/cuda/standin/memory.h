// Memory of the stand-in's devices, and the host's pinned memory: each allocation ends at a page that nobody may touch,
// begins as garbage, and is never used again once it was freed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace standin {

enum class Kind { device, pinned };

// The address, 0 without memory left. Addresses are multiples of 256. device: whose memory it is, of pinned memory any.
uintptr_t allocate(size_t count, Kind kind, int device);
// False if nothing was allocated there. Says in `complaint` what had been written beside it.
bool release(uintptr_t address, Kind kind, std::string& complaint);
// Whether all of it lies in one allocation of that kind, and of that device (-1: of any).
bool inside(uintptr_t address, size_t count, Kind kind, int device = -1);
// Nobody may touch what belongs to other devices while a kernel of this one runs; -1: everybody may again.
void shield_others(int device);
bool is_pinned(uintptr_t address);
// What lies at or near an address, for messages.
std::string describe(uintptr_t address);
size_t bytes_in_use();                 // of the device
size_t device_bytes();
size_t allocations();

}  // namespace standin
