"""The Plan, and how a Flow becomes one.

plan        the Plan as data, and what must hold of it; verify checks that, text prints it
compile     compile_graph: the compiler's one entrance: snapshot, passes, lowering
lower       a Flow's nodes to steps: schedule and placement (order, results in place), lower_fused and map_shape (maps),
            scalar_program with complex_scalars and unsigned_scalars (their programs), dim_table (sizes),
            builder and plan_builder (what they are written into)
known_sizes, costs, uses, joined, uncarried   what is derived from a Plan that is there
"""

