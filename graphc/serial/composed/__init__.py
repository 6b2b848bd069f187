"""Nodes of files whose ops graphc has no class for, because it makes them of others.

    table.py          all of them, and whether a node is one
    kind.py           what each says: its results, and the function that makes them
    renamed.py        ops that another one is, under another name
    versions.py       newer and older versions of ops
    numbers.py        running sums of exponentials, Bessel functions, counts
    lists.py          Optionals, lists
    volumes.py        batch normalisation of volumes
    convolutions.py   convolutions in groups; those that TensorFlow's optimizer fused with what follows
    recurrent.py      the cells that are one op: LSTMBlockCell, BlockLSTM, GRUBlockCell
    features.py       Examples
    pictures.py       ScaleAndTranslate
    ragged.py         rows of different lengths, filled up
    placed.py         what depends on where and how TensorFlow runs a graph: on a CPU, channels last
"""
