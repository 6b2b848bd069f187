"""Runs on a GPU recorded as data, for programs in C++."""
