"""What graphs are made of. The user's graph and the compiler's graph have operations of the same classes.

Values   dtypes, values (Python values to arrays), dims (sizes as polynomials), spec (all that is known of a tensor),
         known and element_values (values known while compiling), tensor_shape (shapes as users see them)
Ops      op (what an op class declares; read its header first), op_base, elementwise, half, host, registry,
         steps (how an op says what computes it), builder (how a gradient makes ops), access (strided access)
Graph    graph, tensor (Operation, Tensor), func_graph (bodies of loops and branches), apply (from a call to an
         operation), infer, names, scopes, graph_scopes, stacks, device, nest, user_frame
Flow     node (the compiler's graph), flow_ops (its ends), verify (what must hold of it), text
Basics   records (quick dataclasses), computed, locks, late_imports, axes, operators
"""

