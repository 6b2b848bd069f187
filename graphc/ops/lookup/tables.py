"""Lookup tables: the ops that make one, and those that look up, put in, take out, count and list.

A table belongs to the session (session/resources/tables.py; ops/control/session_objects.py says how).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import InvalidArgumentError, built_at
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int64, string
from graphc.ir.op import attr, register
from graphc.ir.spec import Shape, Spec, text
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation


class TableOp(SessionObject):
    """Makes a table."""

    results = ("table_handle",)
    kind = "table"
    key_dtype: DType
    value_dtype: DType

    def shape_of_values(self) -> Shape:
        """The shape of the value of one key."""
        return ()


@register
class HashTableV2(TableOp):
    """Filled once, by an initialiser."""

    key_dtype: DType = attr("type")
    value_dtype: DType = attr("type")
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    use_node_name_sharing: bool = attr("bool", False)


@register
class MutableHashTableV2(TableOp):
    """Scalars by keys; keys are put in and taken out at any time."""

    key_dtype: DType = attr("type")
    value_dtype: DType = attr("type")
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    use_node_name_sharing: bool = attr("bool", False)


class _OfTensors(TableOp):
    value_shape: Shape | None

    def shape_of_values(self) -> Shape:
        if self.value_shape is None or any(s is None or (isinstance(s, int) and s < 0) for s in self.value_shape):
            raise InvalidArgumentError(f"{self.type}: argument 'value_shape' must be known, but is {self.value_shape}")
        return self.value_shape


@register
class MutableHashTableOfTensorsV2(_OfTensors):
    """Tensors of one shape by keys."""

    key_dtype: DType = attr("type")
    value_dtype: DType = attr("type")
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    use_node_name_sharing: bool = attr("bool", False)
    value_shape: Shape | None = attr("shape", ())


@register
class MutableDenseHashTableV2(_OfTensors):
    """As MutableHashTableOfTensorsV2; keys may be vectors, and two keys stand for none."""

    operands = ("empty_key", "deleted_key")
    value_dtype: DType = attr("type")
    types: ClassVar = {"key_dtype": "empty_key"}
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    use_node_name_sharing: bool = attr("bool", False)
    value_shape: Shape | None = attr("shape", ())
    initial_num_buckets: int = attr("int", 131072)
    max_load_factor: float = attr("float", 0.8)


class TableUse(ObjectUse):
    """What is done with a table. checked: its operands, of what they are ("key", "value", or None)."""

    operands: ClassVar[tuple[str, ...]] = ("table_handle",)
    results: ClassVar[tuple[str, ...]] = ()
    uses = TableOp
    checked: ClassVar[tuple[str | None, ...]] = ()

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return ()

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        table = maker_dtypes(maker)
        for name, spec, role in zip(self.operands[1:], inputs, self.checked, strict=True):
            if role is not None and spec.dtype != table[role]:
                raise InvalidArgumentError(f"{self.type}: argument '{name}' has dtype {spec.dtype.name}, but the "
                                           f"{role}s of the table '{maker.name}' are {table[role].name}"
                                           f"{built_at(maker)}", maker)
        return self.found(maker, *inputs)

    def found(self, maker: Operation, *inputs: Spec) -> tuple[Spec, ...]:
        """The results' Specs."""
        return ()

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def maker_dtypes(maker: Operation) -> dict[str, DType]:
    definition: Any = maker.definition
    key = maker.inputs[0].dtype if maker.inputs else definition.key_dtype
    return {"key": key, "value": definition.value_dtype}


def key_shape(maker: Operation) -> Shape:
    """The shape of one key."""
    return (maker.inputs[0].spec.shape or ()) if maker.inputs else ()


@register
class LookupTableFindV2(TableUse):
    """The values of the keys, default_value for those that are not there."""

    operands = ("table_handle", "keys", "default_value")
    results = ("values",)
    types: ClassVar = {"Tin": "keys", "Tout": "default_value"}
    call = "find"
    checked = ("key", "value")

    def infer(self, handle: Spec, keys: Spec, default: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        return (Spec(default.dtype, None),)

    def found(self, maker: Operation, keys: Spec, default: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        definition: Any = maker.definition
        one, shape = key_shape(maker), keys.shape or ()
        if len(shape) < len(one):
            raise InvalidArgumentError(f"{self.type}: argument 'keys' has shape {text(shape)}, but keys of the table "
                                       f"'{maker.name}' have shape {text(one)}{built_at(maker)}", maker)
        return (Spec(default.dtype, (*shape[:len(shape) - len(one)], *definition.shape_of_values())),)


class _Filling(TableUse):
    operands = ("table_handle", "keys", "values")
    checked = ("key", "value")


@register
class LookupTableInsertV2(_Filling):
    """Gives keys values, in place of those that they had."""

    types: ClassVar = {"Tin": "keys", "Tout": "values"}
    call = "insert"


@register
class LookupTableImportV2(_Filling):
    """Makes keys and values the table's only ones."""

    types: ClassVar = {"Tin": "keys", "Tout": "values"}
    call = "replace"


@register
class InitializeTableV2(_Filling):
    """Fills a HashTableV2; a second time it may only be with as many keys."""

    types: ClassVar = {"Tkey": "keys", "Tval": "values"}
    call = "initialize"


@register
class InitializeTableFromTextFileV2(TableUse):
    """Fills a HashTableV2 from the lines of a file. key_index, value_index: of a column, -1: the line's number, -2: the
    line."""

    operands = ("table_handle", "filename")
    call = "initialize_from_file"
    checked = (None,)
    key_index: int = attr("int")
    value_index: int = attr("int")
    vocab_size: int = attr("int", -1)
    delimiter: str = attr("string", "\t")

    def call_options(self) -> tuple[Any, ...]:
        return ((self.key_index, self.value_index, self.vocab_size, self.delimiter),)

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        if inputs[0].dtype != string or inputs[0].shape != ():
            raise InvalidArgumentError(f"{self.type}: argument 'filename' must be one string, but is "
                                       f"{inputs[0].dtype.name} of shape {text(inputs[0].shape)}", maker)
        return ()


@register
class LookupTableRemoveV2(TableUse):
    """Takes keys out, if they are in."""

    operands = ("table_handle", "keys")
    types: ClassVar = {"Tin": "keys"}
    call = "remove"
    checked = ("key",)


@register
class LookupTableSizeV2(TableUse):
    """The number of keys."""

    results = ("size",)
    call = "size"

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return (Spec(int64, ()),)

    def found(self, maker: Operation, *inputs: Spec) -> tuple[Spec, ...]:
        return (Spec(int64, ()),)


@register
class LookupTableExportV2(TableUse):
    """All keys and their values."""

    results = ("keys", "values")
    call = "export"
    Tkeys: DType = attr("type")
    Tvalues: DType = attr("type")

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return Spec(self.Tkeys, None), Spec(self.Tvalues, None)

    def found(self, maker: Operation, *inputs: Spec) -> tuple[Spec, ...]:
        definition: Any = maker.definition
        table = maker_dtypes(maker)
        if (self.Tkeys, self.Tvalues) != (table["key"], table["value"]):
            raise InvalidArgumentError(f"{self.type}: {self.Tkeys.name} and {self.Tvalues.name} are wanted of the "
                                       f"table '{maker.name}' of {table['key'].name} and {table['value'].name}"
                                       f"{built_at(maker)}", maker)
        count = dims.symbol(f"{maker.name}.size")
        return (Spec(self.Tkeys, (count, *key_shape(maker))),
                Spec(self.Tvalues, (count, *definition.shape_of_values())))
