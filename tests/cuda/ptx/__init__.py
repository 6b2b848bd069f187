"""PTX on the CPU: an emulator of all threads at once, and LLVM text for the library in place of libcuda."""
