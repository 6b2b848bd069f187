"""TensorFlow 1's control flow (Enter, Switch, Merge, ...) of a file, turned into loops and branches: docs/adr/0026.

    parts.py      what a file's nodes become: parts of a region, loops, branches
    frames.py     nodes to a region of parts: every frame becomes a loop with two regions of its own
    contexts.py   of each part of a region, on which sides of which predicates it runs
    branches.py   a region's parts in an order in which they can be built, those on a side of a predicate in branches
    values.py     what names stand for while a region is built
    building.py   that order to operations; building_loops.py, building_branches.py: loops to While, branches to If
    handles.py    TensorArrays and stacks, which ops share by a handle, as lists that are values
"""
