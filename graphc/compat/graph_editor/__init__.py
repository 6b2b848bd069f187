"""`tf.contrib.graph_editor`: what of a graph stands before and behind of something, copies of parts of a graph, and
other inputs for ops.

    select.py   lists of ops and tensors, walks along edges
    change.py   copies, rerouted edges, control inputs
"""
