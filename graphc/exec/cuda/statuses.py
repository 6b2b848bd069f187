"""What the driver's statuses mean for the user, where their names do not say it."""
from __future__ import annotations

OUT_OF_MEMORY, NO_DEVICE = 2, 100
_KERNEL = ("a kernel failed, and the GPU's state is lost; this is a bug of graphc. Restart the program, and report it; "
           "without gc.device('/gpu:0') it runs on the CPU")
_HARDWARE = ("the hardware reports an error that it could not mend, and the GPU's state is lost: nvidia-smi -q and the "
             "system's log say more. Restart the program; if it comes again, the GPU has to be reset or replaced")
_TOO_LONG = ("a kernel ran for longer than the system lets it on a GPU that a display uses, or under Windows, and the "
             "GPU's state is lost: use smaller batches, or another GPU")
# After these the context is lost: each later call gives the same error.
STICKY = {214: _HARDWARE, 220: _HARDWARE, 226: _HARDWARE, 702: _TOO_LONG, **dict.fromkeys(
    (700, 714, 715, 716, 717, 718, 719), _KERNEL)}
# Why a driver that is there may not begin.
BEGINNINGS = {34: "the library is a toolkit's stub, not the driver's: take it off the loader's path",
              46: "another process has the GPU for itself (nvidia-smi -q -d COMPUTE)",
              802: "the system is not ready yet: on machines with NVSwitch its fabric manager must run",
              803: "the driver's library and its kernel module are of different versions: restart the machine",
              804: "the library is one for forward compatibility, which this GPU does not have"}
