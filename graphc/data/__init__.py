"""Input pipelines, as `tf.data`. Built only from public names.

    structure.py   what an element is made of
    pipeline.py    Step, a part of a pipeline, and Run, one opening of it
    functions.py   what a user's function of an element becomes
    sources.py, readers.py, order.py, batches.py, mapping.py, mixing.py    the steps
    dataset.py     Dataset: the methods that add steps
    iterator.py    Iterator: elements as tensors of the graph
    transformations.py, files.py, csv_files.py, examples.py   what stands beside them
"""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["data"])
__getattr__, __dir__ = lookup(__name__)
