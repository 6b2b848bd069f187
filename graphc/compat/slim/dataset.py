"""slim.dataset and slim.data_provider: what a data set is made of, and what gives its tensors."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphc.api.public import public
from graphc.compat.slim.parallel_reader import parallel_read


@public("contrib.slim.dataset.Dataset")
class Dataset:
    """What a data set is made of: files, the class that reads them, the decoder of a record, the number of samples.

    data_sources: names or patterns of files. reader: a class as gc.TFRecordReader. decoder: a DataDecoder.
    items_to_descriptions: what each item is. All, and what else is given by name, are attributes. Nothing is read or
    checked here. As `tf.contrib.slim.dataset.Dataset`.

    >>> slim = gc.contrib.slim
    >>> decoder = slim.tfexample_decoder.TFExampleDecoder({}, {})
    >>> flowers = slim.dataset.Dataset("flowers-*.tfrecord", gc.TFRecordReader, decoder, num_samples=3320,
    ...                                items_to_descriptions={"label": "from 0 to 4"}, num_classes=5)
    >>> flowers.num_samples, flowers.num_classes
    (3320, 5)
    """

    def __init__(self, data_sources: Any, reader: Any, decoder: Any, num_samples: int | None,
                 items_to_descriptions: dict[str, str], **kwargs: Any) -> None:
        self.data_sources = data_sources
        self.reader = reader
        self.decoder = decoder
        self.num_samples = num_samples
        self.items_to_descriptions = items_to_descriptions
        vars(self).update(kwargs)


@public("contrib.slim.data_decoder.DataDecoder")
class DataDecoder:
    """Base of decoders, which make items of a serialised example: `decode` and `list_items` are to be written.

    Those that are not written raise NotImplementedError. As `tf.contrib.slim.data_decoder.DataDecoder`.

    >>> class Words(gc.contrib.slim.data_decoder.DataDecoder):
    ...     def list_items(self):
    ...         return ["words"]
    ...     def decode(self, data, items=None):
    ...         return [gc.string_split([data]).values]
    >>> Words().decode("one two")[0].eval()
    array([b'one', b'two'], dtype=object)
    """

    def decode(self, data: Any, items: Sequence[str] | None = None) -> list[Any]:
        """The tensors of these items, by default of all, of a string scalar."""
        raise NotImplementedError(f"{type(self).__name__}.decode")

    def list_items(self) -> list[str]:
        """The names of the items."""
        raise NotImplementedError(f"{type(self).__name__}.list_items")


@public("contrib.slim.data_provider.DataProvider")
class DataProvider:
    """Tensors by the names of items, as `tf.contrib.slim.data_provider.DataProvider`.

    items_to_tensors: tensors of any shape and dtype by names; num_samples: a number. `get` takes a list of names and
    gives a list; it raises ValueError for an unknown name and for what is no list.

    >>> tensors = {"image": gc.zeros([8, 8, 3]), "label": gc.constant(2)}
    >>> provider = gc.contrib.slim.data_provider.DataProvider(tensors, num_samples=100)
    >>> [label] = provider.get(["label"])
    >>> label.eval(), list(provider.list_items()), provider.num_samples()
    (np.int32(2), ['image', 'label'], 100)
    """

    def __init__(self, items_to_tensors: dict[str, Any], num_samples: int | None) -> None:
        self._items_to_tensors = items_to_tensors
        self._num_samples = num_samples

    def get(self, items: Sequence[str]) -> list[Any]:
        """The tensors of these items. Raises ValueError for an unknown one."""
        if not isinstance(items, (list, tuple)):
            raise ValueError(f"items must be a list or tuple, but is {items!r}")
        for item in items:
            if item not in self._items_to_tensors:
                raise ValueError(f"Item [{item}] is invalid. Valid entries include: {list(self.list_items())}")
        return [self._items_to_tensors[item] for item in items]

    def list_items(self) -> Iterable[str]:
        """The names of all items."""
        return self._items_to_tensors.keys()

    def num_samples(self) -> int | None:
        """How many samples the data set has."""
        return self._num_samples


@public("contrib.slim.dataset_data_provider.DatasetDataProvider")
class DatasetDataProvider(DataProvider):
    """The items of one example of a data set, read by queues that queue runners fill.

    shuffle: the order is random, from a queue that keeps common_queue_min records back; num_readers, reader_kwargs,
    num_epochs (needs `gc.local_variables_initializer`), common_queue_capacity and seed as `parallel_read`. record_key:
    the name of the item that is the record's key. Raises ValueError if the decoder has an item of this name, or there
    are no files. As `tf.contrib.slim.dataset_data_provider.DatasetDataProvider`.

    >>> slim, train = gc.contrib.slim, gc.train
    >>> with gc.io.TFRecordWriter("labels.tfrecord") as writer:
    ...     for label in [7, 2]:
    ...         feature = train.Feature(int64_list=train.Int64List(value=[label]))
    ...         writer.write(train.Example(features=train.Features(feature={"y": feature})).SerializeToString())
    >>> decoder = slim.tfexample_decoder.TFExampleDecoder({"y": gc.FixedLenFeature([], gc.int64)},
    ...                                                   {"label": slim.tfexample_decoder.Tensor("y")})
    >>> dataset = slim.dataset.Dataset("labels.tfrecord", gc.TFRecordReader, decoder, 2, {})
    >>> [label] = slim.dataset_data_provider.DatasetDataProvider(dataset, shuffle=False).get(["label"])
    >>> with slim.queues.QueueRunners(gc.get_default_session()):
    ...     [label.eval() for _ in range(2)]
    [np.int64(7), np.int64(2)]
    """

    def __init__(self, dataset: Any, num_readers: int = 1, reader_kwargs: dict[str, Any] | None = None,
                 shuffle: bool = True, num_epochs: int | None = None, common_queue_capacity: int = 256,
                 common_queue_min: int = 128, record_key: str = "record_key", seed: int | None = None,
                 scope: str | None = None) -> None:
        key, data = parallel_read(
            dataset.data_sources, dataset.reader, num_epochs, num_readers, reader_kwargs, shuffle,
            capacity=common_queue_capacity, min_after_dequeue=common_queue_min, seed=seed, scope=scope)
        items = dataset.decoder.list_items()
        tensors = dict(zip(items, dataset.decoder.decode(data, items), strict=True))
        if record_key in tensors:
            raise ValueError("The item name used for `record_key` cannot also be used for a dataset item: "
                             f"{record_key}")
        super().__init__({**tensors, record_key: key}, dataset.num_samples)
