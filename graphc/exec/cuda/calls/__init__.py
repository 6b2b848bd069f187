"""Kernels that plans call, on the device: what each of them launches."""
