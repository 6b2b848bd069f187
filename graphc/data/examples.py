"""Datasets of tf.Example messages: parse_example_dataset, make_batched_features_dataset."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data.dataset import Dataset
from graphc.data.files import TFRecordDataset


@public("data.experimental.parse_example_dataset", "contrib.data.parse_example_dataset")
def parse_example_dataset(features: dict[str, Any], num_parallel_calls: Any = 1) -> Callable[[Dataset], Dataset]:
    """Batches of serialised Examples become dicts of tensors, as `tf.data.experimental.parse_example_dataset`.

    Elements are vectors of strings (ValueError). Raises ValueError without features; an Example that cannot be read
    ends a run with InvalidArgumentError.

    >>> example = gc.train.Example()
    >>> example.features.feature["age"].int64_list.value.append(36)
    >>> batches = gc.data.Dataset.from_tensors([example.SerializeToString()])
    >>> parsed = batches.apply(gc.data.experimental.parse_example_dataset({"age": gc.FixedLenFeature([], gc.int64)}))
    >>> gc.get_default_session().run(parsed.make_one_shot_iterator().get_next())
    {'age': array([36])}
    """
    if not features:
        raise ValueError("Missing: features was None or empty.")
    return lambda dataset: dataset.map(lambda serialized: gc.parse_example(serialized, features))


@public("data.experimental.make_batched_features_dataset", "contrib.data.make_batched_features_dataset")
def make_batched_features_dataset(
        file_pattern: Any, batch_size: Any, features: dict[str, Any], reader: Callable[..., Any] = TFRecordDataset,
        label_key: str | None = None, reader_args: Any = None, num_epochs: Any = None, shuffle: bool = True,
        shuffle_buffer_size: int = 10000, shuffle_seed: Any = None, prefetch_buffer_size: Any = None,
        reader_num_threads: int = 1, parser_num_threads: int = 2, sloppy_ordering: bool = False,
        drop_final_batch: bool = False) -> Dataset:
    """Batches of the Examples in files, dicts of tensors (and the label), as
    `tf.data.experimental.make_batched_features_dataset`. Nothing is read ahead, and the order is the deterministic one.
    features: name -> FixedLenFeature, VarLenFeature or SparseFeature. num_epochs: None for ever. label_key: the
    feature that becomes the second part of each element.

    Raises ValueError without features, or if label_key is none of them.

    >>> with gc.io.TFRecordWriter("examples.tfrecord") as writer:
    ...     for n in range(3):
    ...         example = gc.train.Example()
    ...         example.features.feature["age"].int64_list.value.append(n)
    ...         writer.write(example.SerializeToString())
    >>> batches = gc.data.experimental.make_batched_features_dataset(
    ...     "examples.tfrecord", 2, {"age": gc.FixedLenFeature([], gc.int64)}, num_epochs=1, shuffle=False)
    >>> batch = batches.make_one_shot_iterator().get_next()
    >>> gc.get_default_session().run(batch)
    {'age': array([0, 1])}
    """
    files = Dataset.list_files(file_pattern, shuffle, shuffle_seed)
    examples = files.interleave(lambda name: reader(name, *(reader_args or ())), reader_num_threads)
    if examples.output_types == (gc.string, gc.string):
        examples = examples.map(lambda _, value: value)
    if shuffle:
        examples = examples.shuffle(shuffle_buffer_size, shuffle_seed)
    examples = examples.repeat(num_epochs)
    parsed = examples.batch(batch_size, drop_final_batch or num_epochs is None).apply(parse_example_dataset(features))
    if label_key is None:
        return parsed
    if label_key not in features:
        raise ValueError(f"The `label_key` provided ({label_key!r}) must be one of the `features` keys.")
    return parsed.map(lambda example: (example, example.pop(label_key)))
