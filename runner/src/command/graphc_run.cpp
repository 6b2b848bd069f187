// graphc-run: runs a saved graph from the command line. `graphc-run --help` says how.
#include "run_command.hpp"

int main(int count, char** given) { return graphc_core::run_command(count, given); }
