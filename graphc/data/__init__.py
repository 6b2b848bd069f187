"""Input pipelines, as `tf.data`. Built only from public names.

    structure.py   what an element is made of
    pipeline.py    Step, a part of a pipeline, and Run, one opening of it
    functions.py   what a user's function of an element becomes
    sources.py, readers.py, order.py, caches.py, batches.py, mapping.py, mixing.py    the steps
    words.py       TensorFlow's random numbers
    types.py, options.py   what datasets and iterators tell of themselves, and are told
    dataset.py     Dataset: the methods that add steps
    iterator.py    Iterator: elements as tensors of the graph
    transformations.py, resampling.py, files.py, csv_files.py, examples.py   what stands beside them
    imported.py    the datasets that the nodes of a GraphDef stand for
"""
from graphc.api.names import NAMES
from graphc.api.namespaces import lookup

__all__ = sorted(NAMES["data"])
__getattr__, __dir__ = lookup(__name__)
