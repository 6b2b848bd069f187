// Prints the default memory limit of a machine whose /proc and /sys lie in the folder given.
#include <cstdio>

#include "limits.hpp"

int main(int, char** arguments) { std::printf("%lld\n", static_cast<long long>(graphc_core::default_memory_limit(arguments[1]))); }
