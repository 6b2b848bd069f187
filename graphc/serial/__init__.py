"""Graphs and Plans as protobuf (proto/): the only folder that knows the messages *_pb2.

graphdef, importer       Graph <-> GraphDef: nodes, attributes, functions (bodies), tensors, default_attributes
freeze, signatures       what is saved: constants for variables, and a compiled Plan for each kind of run
plan_proto, saved_plans  Plan <-> message; gpu_code: the file for GPUs in C++
side_files, large_graphs constants of graphs over 2 GB; files: write_graph, load_graph_def
lowered/                 TensorFlow's Switch, Merge, Enter, ... of files become loops and branches
resource_variables, variable_arguments, broadcast_gradients, reads_before_writes   where TensorFlow's form differs
"""

