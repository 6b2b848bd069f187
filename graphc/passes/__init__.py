"""The passes: from the user's graph to a Flow of few steps. `pipeline.py` lists them in the order in which they run.

driver, report    run the pipeline, and say what each pass did
shared            what passes are written with: rules to a fixpoint, groups of nodes, the ops that only the compiler has
snapshot          from the user's Graph to the first Flow
simplification    algebra on single nodes: constants, equal nodes, ops that are made of others
loops             loops and branches: unused results, rows, loops in two
attention, norms, softmax    patterns of many nodes that become one step
images            channels last, pads, sizes of images
weights           work on weights alone, which is done before the run
fusion            last: neighbouring nodes become one step
"""
