"""NVIDIA's libraries, where they are there: found, called by ctypes, taken for what they are measured to do faster."""
