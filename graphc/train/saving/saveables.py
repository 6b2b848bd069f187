"""What a Saver saves: variables, parts of partitioned ones, and other objects that say how they are saved."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import graphc as gc

_VARIABLES = ("VariableV2", "Variable")


@dataclass(frozen=True)
class SaveSpec:
    """A tensor of a checkpoint: what is saved under `name`. slice_spec: of a part, "10 4 0,5:-"; else ""."""

    tensor: Any
    slice_spec: str
    name: str
    dtype: Any = None
    device: str = field(default="", compare=False)


class SaveableObject:
    """What is saved by `specs` and restored by `restore`, which makes the op; for classes derived from it."""

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = list(specs)
        self.name = name

    @property
    def device(self) -> str:
        return str(self.specs[0].device or self.specs[0].tensor.device)

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Sequence[Any] | None) -> Any:
        """The op that puts these tensors in place; restored_shapes: that they are to be brought to, or None."""
        raise ValueError("Calling an abstract method.")


class VariableSaveable(SaveableObject):
    """A variable, or its part of a partitioned one."""

    def __init__(self, ref: Any, slice_spec: str, name: str) -> None:
        super().__init__(ref, [SaveSpec(ref, slice_spec, name, ref.dtype)], name)

    def restore(self, restored_tensors: Sequence[Any], restored_shapes: Sequence[Any] | None) -> Any:
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = gc.reshape(value, restored_shapes[0])
        return gc.assign(self.op, value, validate_shape=restored_shapes is None and self.op.shape.is_fully_defined())


def all_saveable_objects() -> list[Any]:
    """What a Saver without var_list saves: of the default graph."""
    return [*gc.global_variables(), *gc.get_collection(gc.GraphKeys.SAVEABLE_OBJECTS)]


def saveables_of(var_list: Any) -> list[SaveableObject]:
    """Sorted by the names under which they are saved. var_list: a dictionary of name -> variable, or variables.

    Raises TypeError for what cannot be saved, ValueError for a name or variable that comes twice.
    """
    named = dict(var_list) if isinstance(var_list, Mapping) else _by_name(var_list)
    found: list[SaveableObject] = []
    for name in sorted(named, key=_checked_name):
        found += _saveables(named[name], name)
    seen: dict[Any, str] = {}
    for one in found:
        if one.op is not None and one.op in seen:
            raise ValueError(f"The same saveable will be restored with two names: {seen[one.op]} and {one.name}")
        seen[one.op] = one.name
    return found


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError("names_to_saveables must be a dict mapping string names to variables. Name is not a string: "
                        f"{name!r}")
    return name


def _by_name(var_list: Any) -> dict[str, Any]:
    if not isinstance(var_list, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {var_list!r}")
    named: dict[str, Any] = {}
    for one in sorted(_flattened(list(var_list)), key=lambda v: str(getattr(v, "name", v))):
        part = _part_info(one)
        name = part.full_name if part is not None else _name_of(one)
        if part is not None and isinstance(named.get(name, []), list):
            named.setdefault(name, []).append(one)
        elif name in named:
            raise ValueError(f"At least two variables have the same name: {name}")
        else:
            named[name] = one
    return named


def _flattened(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flattened(value)
        else:
            yield value


def _part_info(variable: Any) -> Any:
    """SaveSliceInfo of a part of a partitioned variable."""
    return getattr(variable, "_save_slice_info", None)


def _name_of(one: Any) -> str:
    if isinstance(one, SaveableObject) or _is_partitioned(one):
        return str(one.name)
    return str(_ref(one).op.name)


def _is_partitioned(one: Any) -> bool:
    return type(one).__name__ == "PartitionedVariable"


def _ref(one: Any) -> Any:
    """The variable itself (no read of it) of a Variable, or of a tensor that is one."""
    tensor = one._ref() if hasattr(one, "_ref") else one
    if not isinstance(tensor, gc.Tensor) or tensor.op.type not in _VARIABLES:
        raise TypeError(f"Variable to save is not a Variable: {one!r}")
    return tensor


def _saveables(one: Any, name: str) -> Iterator[SaveableObject]:
    if isinstance(one, SaveableObject):
        yield one
    elif isinstance(one, (list, tuple)) or _is_partitioned(one):
        yield from _parts(list(one), name)
    else:
        part = _part_info(one)
        yield VariableSaveable(_ref(one), part.spec if part is not None else "", name)


def _parts(parts: Sequence[Any], name: str) -> Iterator[SaveableObject]:
    full_name = None
    for variable in parts:
        if isinstance(variable, SaveableObject):
            yield variable
            continue
        info = _part_info(variable)
        if info is None:
            raise ValueError(f"Slices must all be slices: {variable!r}")
        full_name = full_name or info.full_name
        if info.full_name != full_name:
            raise ValueError(f"Slices must all be from the same tensor: {full_name} != {info.full_name}")
        yield VariableSaveable(_ref(variable), info.spec, name)
