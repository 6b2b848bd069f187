"""slim.tfexample_decoder: from serialised tf.train.Example messages to pictures, boxes and tensors."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.slim.dataset import DataDecoder


@public("contrib.slim.tfexample_decoder.ItemHandler")
class ItemHandler:
    """Base of handlers, which make an item of the features `keys`: `tensors_to_item` is to be written.

    keys: a string or a list of them. One that is not written raises NotImplementedError. As
    `tf.contrib.slim.tfexample_decoder.ItemHandler`.

    >>> class Doubled(gc.contrib.slim.tfexample_decoder.ItemHandler):
    ...     def tensors_to_item(self, keys_to_tensors):
    ...         return 2 * keys_to_tensors[self.keys[0]]
    >>> Doubled("x").tensors_to_item({"x": gc.constant([1, 2])}).eval()
    array([2, 4], dtype=int32)
    """

    def __init__(self, keys: Sequence[str] | str) -> None:
        self._keys = list(keys) if isinstance(keys, (tuple, list)) else [keys]

    @property
    def keys(self) -> list[str]:
        """The names of the features that it needs."""
        return self._keys

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """The item, of the parsed features by their names."""
        raise NotImplementedError(f"{type(self).__name__}.tensors_to_item")


@public("contrib.slim.tfexample_decoder.ItemHandlerCallback")
class ItemHandlerCallback(ItemHandler):
    """An item made by a function of the dict of features.

    func takes the dict and gives the item, of any shape and dtype. As
    `tf.contrib.slim.tfexample_decoder.ItemHandlerCallback`.

    >>> ItemHandlerCallback = gc.contrib.slim.tfexample_decoder.ItemHandlerCallback
    >>> handler = ItemHandlerCallback(["a", "b"], lambda found: found["a"] + found["b"])
    >>> handler.tensors_to_item({"a": gc.constant(1), "b": gc.constant(2)}).eval()
    np.int32(3)
    """

    def __init__(self, keys: Sequence[str], func: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(keys)
        self._func = func

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._func(keys_to_tensors)


@public("contrib.slim.tfexample_decoder.BoundingBox")
class BoundingBox(ItemHandler):
    """Boxes [number of boxes, 4] of the features prefix + ymin, xmin, ymax and xmax, dense or sparse.

    keys: four other names in their place; ValueError if there are not four. The features are vectors of one size
    (ValueError if not) and one dtype (TypeError), which the boxes have. As
    `tf.contrib.slim.tfexample_decoder.BoundingBox`.

    >>> sides = {"box/ymin": gc.constant([0., 0.5]), "box/xmin": gc.constant([0., 0.1]),
    ...          "box/ymax": gc.constant([1., 0.6]), "box/xmax": gc.constant([1., 0.9])}
    >>> gc.contrib.slim.tfexample_decoder.BoundingBox(prefix="box/").tensors_to_item(sides).eval()
    array([[0. , 0. , 1. , 1. ],
           [0.5, 0.1, 0.6, 0.9]], dtype=float32)
    """

    def __init__(self, keys: Sequence[str] | None = None, prefix: str = "") -> None:
        keys = ["ymin", "xmin", "ymax", "xmax"] if keys is None else keys
        if len(keys) != 4:
            raise ValueError(f"BoundingBox expects 4 keys but got {len(keys)}")
        super().__init__([prefix + key for key in keys])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        sides = [_dense_values(keys_to_tensors[key]) for key in self.keys]
        return gc.transpose(gc.concat([gc.expand_dims(side, 0) for side in sides], 0))


def _dense_values(tensor: Any) -> Any:
    return tensor.values if isinstance(tensor, gc.SparseTensor) else tensor


def _dense(tensor: Any, default: Any = 0) -> Any:
    return gc.sparse_tensor_to_dense(tensor, default) if isinstance(tensor, gc.SparseTensor) else tensor


@public("contrib.slim.tfexample_decoder.Tensor")
class Tensor(ItemHandler):
    """A feature as a dense tensor, of a fixed shape or of one that other features say.

    shape_keys: the feature, or features, with the sizes; shape: the fixed one; ValueError for both. default_value:
    fills a sparse feature up. The item has the feature's dtype, and its shape where none is given. A shape of another
    size is a ValueError, a feature that was not parsed a KeyError. As `tf.contrib.slim.tfexample_decoder.Tensor`.

    >>> found = {"pixels": gc.constant([1, 2, 3, 4, 5, 6]), "height": gc.constant(2), "width": gc.constant(3)}
    >>> gc.contrib.slim.tfexample_decoder.Tensor("pixels", shape_keys=["height", "width"]).tensors_to_item(found).eval()
    array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    """

    def __init__(self, tensor_key: str, shape_keys: Any = None, shape: Any = None, default_value: Any = 0) -> None:
        if shape_keys and shape is not None:
            raise ValueError("Cannot specify both shape_keys and shape parameters.")
        self._shape_keys = [shape_keys] if isinstance(shape_keys, str) else list(shape_keys or ())
        self._tensor_key = tensor_key
        self._shape = shape
        self._default_value = default_value
        super().__init__([tensor_key, *self._shape_keys])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        tensor, shape = keys_to_tensors[self._tensor_key], self._shape
        if self._shape_keys:
            shape = gc.reshape(gc.stack([_dense(keys_to_tensors[key]) for key in self._shape_keys]), [-1])
        if isinstance(tensor, gc.SparseTensor):
            return _dense(tensor if shape is None else gc.sparse_reshape(tensor, shape), self._default_value)
        return tensor if shape is None else gc.reshape(tensor, shape)


@public("contrib.slim.tfexample_decoder.LookupTensor")
class LookupTensor(Tensor):
    """A feature looked up in a table; the other arguments are those of `Tensor`.

    table: with keys of the feature's dtype, TypeError if not; the item has its shape, and the dtype of the table's
    values. As `tf.contrib.slim.tfexample_decoder.LookupTensor`.

    >>> table = gc.contrib.lookup.index_table_from_tensor(["cat", "dog"])
    >>> handler = gc.contrib.slim.tfexample_decoder.LookupTensor("name", table)
    >>> label = handler.tensors_to_item({"name": gc.constant(["dog"])})
    >>> gc.tables_initializer().run()
    >>> label.eval()
    array([1])
    """

    def __init__(self, tensor_key: str, table: Any, shape_keys: Any = None, shape: Any = None,
                 default_value: Any = "") -> None:
        self._table = table
        super().__init__(tensor_key, shape_keys, shape, default_value)

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._table.lookup(super().tensors_to_item(keys_to_tensors))


@public("contrib.slim.tfexample_decoder.BackupHandler")
class BackupHandler(ItemHandler):
    """The item of one handler, or of another one where that is empty. Raises ValueError for what is no ItemHandler.

    Both items have one dtype; ValueError if not. As `tf.contrib.slim.tfexample_decoder.BackupHandler`.

    >>> decoder = gc.contrib.slim.tfexample_decoder
    >>> handler = decoder.BackupHandler(decoder.Tensor("label"), decoder.Tensor("guess"))
    >>> handler.tensors_to_item({"label": gc.constant([], gc.int64), "guess": gc.constant([3], gc.int64)}).eval()
    array([3])
    """

    def __init__(self, handler: ItemHandler, backup: ItemHandler) -> None:
        for name, given in (("Primary", handler), ("Backup", backup)):
            if not isinstance(given, ItemHandler):
                raise ValueError(f"{name} handler is of type {type(given).__name__} instead of ItemHandler")
        super().__init__(handler.keys + backup.keys)
        self._handler = handler
        self._backup = backup

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        item = self._handler.tensors_to_item(keys_to_tensors)
        return gc.cond(gc.equal(gc.reduce_prod(gc.shape(item)), 0),
                       lambda: self._backup.tensors_to_item(keys_to_tensors), lambda: item)


@public("contrib.slim.tfexample_decoder.SparseTensor")
class SparseTensor(ItemHandler):
    """A SparseTensor of two features: where its values are, and the values. densify: as a dense tensor.

    shape_key: the feature with its shape; shape: a fixed one; without both the shape is that of the indices' feature.
    Both features are sparse; the indices integers, the values of any dtype, which the item has. As
    `tf.contrib.slim.tfexample_decoder.SparseTensor`.

    >>> indices, values = gc.SparseTensor([[0], [1]], [1, 3], [2]), gc.SparseTensor([[0], [1]], [5, 7], [2])
    >>> found = {"indices": indices, "values": values}
    >>> gc.contrib.slim.tfexample_decoder.SparseTensor(shape=[5], densify=True).tensors_to_item(found).eval()
    array([0, 5, 0, 7, 0], dtype=int32)
    """

    def __init__(self, indices_key: str | None = None, values_key: str | None = None, shape_key: str | None = None,
                 shape: Any = None, densify: bool = False, default_value: Any = 0) -> None:
        self._indices_key = indices_key or "indices"
        self._values_key = values_key or "values"
        self._shape_key = shape_key
        self._shape = shape
        self._densify = densify
        self._default_value = default_value
        super().__init__([self._indices_key, self._values_key, *([shape_key] if shape_key else [])])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        indices, values = keys_to_tensors[self._indices_key], keys_to_tensors[self._values_key]
        shape = _dense(keys_to_tensors[self._shape_key]) if self._shape_key else self._shape or indices.dense_shape
        ids = gc.reshape(gc.to_int64(indices.values), [-1, 1])
        outer = indices.indices[:, :-1]              # the last axis says which place, the ids which one it is
        item = gc.SparseTensor(gc.concat([outer, ids], 1), values.values, shape)
        return _dense(item, self._default_value) if self._densify else item


@public("contrib.slim.tfexample_decoder.Image")
class Image(ItemHandler):
    """A picture [height, width, channels]: encoded (PNG, JPEG, GIF, BMP), or raw where the feature format_key is "raw".

    image_key and format_key: by default image/encoded and image/format. shape: of the picture; a raw one needs it.
    dtype: uint8 by default. repeated: the feature holds many pictures. dct_method: libjpeg's. Both features are string
    scalars, the picture's a vector if repeated. A picture that cannot be decoded, and a raw one without shape, ends the
    run with InvalidArgumentError. As `tf.contrib.slim.tfexample_decoder.Image`.

    >>> picture = gc.constant(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    >>> found = {"image/encoded": gc.image.encode_png(picture), "image/format": gc.constant("png")}
    >>> gc.contrib.slim.tfexample_decoder.Image().tensors_to_item(found).eval()[0]
    array([[0, 1, 2],
           [3, 4, 5]], dtype=uint8)
    """

    def __init__(self, image_key: str | None = None, format_key: str | None = None, shape: Any = None,
                 channels: int = 3, dtype: Any = gc.uint8, repeated: bool = False, dct_method: str = "") -> None:
        self._image_key = image_key or "image/encoded"
        self._format_key = format_key or "image/format"
        self._shape = shape
        self._channels = channels
        self._dtype = gc.as_dtype(dtype)
        self._repeated = repeated
        self._dct_method = dct_method
        super().__init__([self._image_key, self._format_key])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        image, kind = keys_to_tensors[self._image_key], keys_to_tensors[self._format_key]
        if self._repeated:
            return gc.map_fn(lambda x: self._decode(x, kind), image, dtype=self._dtype)
        return self._decode(image, kind)

    def _decode(self, image: Any, kind: Any) -> Any:
        def encoded() -> Any:
            return self._shaped(gc.cond(gc.image.is_jpeg(image), self._jpeg(image), self._any(image), name="cond_jpeg"))

        is_raw = gc.logical_or(gc.equal(kind, "raw"), gc.equal(kind, "RAW"))
        return self._shaped(gc.case([(is_raw, lambda: self._raw(image))], default=encoded, exclusive=True))

    def _shaped(self, image: Any) -> Any:
        if self._shape is not None:
            return gc.reshape(image, self._shape)
        image.set_shape([None, None, self._channels])
        return image

    def _raw(self, image: Any) -> Any:
        """Raw bytes have no shape of their own: both branches must have the rank of a picture."""
        if self._shape is not None:
            return gc.reshape(gc.decode_raw(image, self._dtype), self._shape)
        with gc.control_dependencies([gc.Assert(False, ["Image: raw pictures need the argument `shape`"])]):
            return gc.reshape(gc.decode_raw(image, self._dtype), [-1, 1, self._channels])

    def _jpeg(self, image: Any) -> Callable[[], Any]:
        return lambda: gc.cast(gc.image.decode_jpeg(image, channels=self._channels, dct_method=self._dct_method),
                               self._dtype)

    def _any(self, image: Any) -> Callable[[], Any]:
        return lambda: gc.cast(gc.image.decode_image(image, channels=self._channels), self._dtype)


@public("contrib.slim.tfexample_decoder.TFExampleDecoder")
class TFExampleDecoder(DataDecoder):
    """Items of a serialised gc.train.Example.

    keys_to_features: how it is parsed, as `gc.parse_single_example`. items_to_handlers: what is made of it, handlers by
    the names of items. `decode` takes a string scalar (ValueError for another shape or dtype); an example without a
    feature that it needs ends the run with InvalidArgumentError. As
    `tf.contrib.slim.tfexample_decoder.TFExampleDecoder`.

    >>> slim, train = gc.contrib.slim, gc.train
    >>> feature = train.Feature(int64_list=train.Int64List(value=[1, 2, 3, 4]))
    >>> example = train.Example(features=train.Features(feature={"grid": feature})).SerializeToString()
    >>> square = slim.tfexample_decoder.Tensor("grid", shape=[2, 2])
    >>> features = {"grid": gc.FixedLenFeature([4], gc.int64)}
    >>> decoder = slim.tfexample_decoder.TFExampleDecoder(features, {"square": square})
    >>> decoder.list_items(), decoder.decode(example)[0].eval()
    (['square'], array([[1, 2],
           [3, 4]]))
    """

    def __init__(self, keys_to_features: dict[str, Any], items_to_handlers: dict[str, ItemHandler]) -> None:
        self._keys_to_features = keys_to_features
        self._items_to_handlers = items_to_handlers

    def list_items(self) -> list[str]:
        """The names of the items."""
        return list(self._items_to_handlers)

    def decode(self, data: Any, items: Sequence[str] | None = None) -> list[Any]:
        """The tensors of these items, by default of all, of a serialised Example, a string scalar."""
        parsed = gc.parse_single_example(data, self._keys_to_features)
        for key, feature in sorted(self._keys_to_features.items()):
            if isinstance(feature, gc.FixedLenFeature):
                parsed[key] = gc.reshape(parsed[key], feature.shape)
        handlers = [self._items_to_handlers[item] for item in items or self.list_items()]
        return [handler.tensors_to_item({key: parsed[key] for key in handler.keys}) for handler in handlers]
