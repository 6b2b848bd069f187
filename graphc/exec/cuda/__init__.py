"""Plans on an NVIDIA GPU: the driver by ctypes, maps and kernels as PTX, an engine whose runs are CUDA graphs.

The files in the order in which a plan comes by them; docs/cuda.md says what it does, docs/adr/0032, 0040 and 0041 why.

 1. Whether and where: support.py (steps that a GPU has kernels for), worth.py (whether a run that nobody placed wins),
    residence.py (which steps a GPU does, which values stay there), listed.py (which lists hold such values).
 2. Divided: split.py (the plan that is left for the host, and the parts), split_lists.py (its steps on lists),
    host_body.py (a body of it while it is made), part.py (a part as data).
 3. Bound to sizes: frame.py (a part's memory and graphs), lives.py (what its buffers hold, from when to when),
    narrowed.py (16-bit floats that stay such), arena.py (where its values lie), step_work.py (a step as launches:
    maps.py, calls/, which write code/, and vendor/, NVIDIA's libraries), halves.py (how it multiplies),
    warpgroup_choice.py and warpgroup_probe.py (whether compute capability 9.0's products are right and faster).
 4. Run: engine.py (a plan that a GPU does alone), mixed.py (one of both), list_calls.py and run_memory.py (lists in a
    run), timing.py (a run that is traced), out_of_memory.py (what is said then).
 5. Below: work.py (launches and copies as data), memory.py (blocks, variables' copies), tensor_map.py (what TMA
    copies), driver.py (libcuda), statuses.py (what its statuses mean).
 6. Ahead of time, for C++: recorder.py (a device that notes what it would do), recorded.py (a run as data),
    recorded_parts.py (the same of a plan of both).
"""
