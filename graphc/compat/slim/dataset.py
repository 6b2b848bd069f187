"""slim.dataset and slim.data_provider: what a data set is made of, and what gives its tensors."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphc.api.public import public
from graphc.compat.slim.parallel_reader import parallel_read


@public("contrib.slim.dataset.Dataset")
class Dataset:
    """A data set as data: sources, reader class, decoder, number of samples, descriptions, and whatever else is given.
    As `tf.contrib.slim.dataset.Dataset`."""

    def __init__(self, data_sources: Any, reader: Any, decoder: Any, num_samples: int,
                 items_to_descriptions: dict[str, str], **kwargs: Any) -> None:
        self.data_sources = data_sources
        self.reader = reader
        self.decoder = decoder
        self.num_samples = num_samples
        self.items_to_descriptions = items_to_descriptions
        vars(self).update(kwargs)


@public("contrib.slim.data_decoder.DataDecoder")
class DataDecoder:
    """Base of decoders: from a serialised example to its items."""

    def decode(self, data: Any, items: Sequence[str] | None = None) -> list[Any]:
        raise NotImplementedError(f"{type(self).__name__}.decode")

    def list_items(self) -> list[str]:
        raise NotImplementedError(f"{type(self).__name__}.list_items")


@public("contrib.slim.data_provider.DataProvider")
class DataProvider:
    """Tensors by the names of items."""

    def __init__(self, items_to_tensors: dict[str, Any], num_samples: int) -> None:
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
        return self._items_to_tensors.keys()

    def num_samples(self) -> int:
        return self._num_samples


@public("contrib.slim.dataset_data_provider.DatasetDataProvider")
class DatasetDataProvider(DataProvider):
    """The items of one example of a data set, read by queues that queue runners fill. As
    `tf.contrib.slim.dataset_data_provider.DatasetDataProvider`."""

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
