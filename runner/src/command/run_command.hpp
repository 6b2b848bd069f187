// graphc-run, for programs that are linked with the library: graphc_run.cpp, and those that `graphc runner` makes.
#pragma once

namespace graphc_core {

// Does what the command line says; returns the exit status: 0, 1 with a message on stderr, 2 if the command line means nothing.
int run_command(int count, char** given);

}  // namespace graphc_core
