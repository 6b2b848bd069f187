"""A Plan on this machine.

engine      one Plan, opened and run: image (the Plan as a table of int64), frame and frames (bound for certain sizes),
            quick (a run as one C function), states (variables), slots, output_memory, messages (errors of the runtime)
library     the machine code: native (its functions), map_code, pass_code and jit (code of fused programs),
            code_queue (compiled beside the runs), ways (what `graphc tune` measured)
host        what the runtime asks Python for: Python functions (outside), strings and string_* (ops on strings)
pool, interrupt, shared_lock, machine_memory, machine_speed, guard   threads, signals, locks, limits, checks
reference   a Graph run by NumPy alone, for tests
cuda/       the same on a GPU
"""

