"""HParams: named settings of a model, with their types; read from "name=value,..." and from JSON."""
from __future__ import annotations

import json
import numbers
import re
from collections.abc import Callable, Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public

# name, name[3] or name.part = value, or = [values]; then a comma or the end
_SETTING = re.compile(r"(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
                      r"((?P<value>[^,\[]*)|\[(?P<values>[^\]]*)\])($|,\s*)")

_BOOLS = {"true": True, "True": True, "false": False, "False": False}


@public("contrib.training.parse_values")
def parse_values(values: str, type_map: Mapping[str, Any], ignore_unknown: bool = False) -> dict[str, Any]:
    """{name: value, list of values, or {index: value}} of "name=1,list=[1,2],list[3]=4", as
    `tf.contrib.training.parse_values`. type_map: the type of each name.

    Raises ValueError for malformed text, an unknown name (unless ignore_unknown), a name that is set twice.

    >>> types = {"rate": float, "layers": int, "keep": str}
    >>> gc.contrib.training.parse_values("rate=0.5,layers=[8,4],keep[1]=no", types)
    {'rate': 0.5, 'layers': [8, 4], 'keep': {1: 'no'}}
    """
    found: dict[str, Any] = {}
    position = 0
    while position < len(values):
        match = _SETTING.match(values, position)
        if not match:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = match.end()
        name, index, several = match["name"], match["index"], match["values"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        read = _reader(name, type_map[name], values)
        if several is not None:
            if index is not None:
                raise ValueError(f"Assignment of a list to a list index: {name}[{index}] in {values}")
            _set_once(found, name, [read(v) for v in re.split("[ ,]", several) if v], values)
        elif index is None:
            _set_once(found, name, read(match["value"]), values)
        else:
            entries = found.setdefault(name, {})
            if not isinstance(entries, dict):
                raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
            _set_once(entries, int(index), read(match["value"]), values)
    return found


def _set_once(found: dict[Any, Any], name: Any, value: Any, values: str) -> None:
    if name in found:
        raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
    found[name] = value


def _reader(name: str, kind: type, values: str) -> Callable[[str], Any]:
    """From a value's text to the value."""
    def read(text: str) -> Any:
        try:
            if kind is bool:
                return _BOOLS[text] if text in _BOOLS else bool(int(text))
            return kind(text)
        except (TypeError, ValueError):
            raise ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{text}' in "
                             f"{values}") from None
    return read


@public("contrib.training.HParams")
class HParams:
    """Named settings of a model, as `tf.contrib.training.HParams`. A value keeps its type: number, bool, string, or a
    list of them. hparam_def: an HParamDef instead of keywords.

    Raises ValueError for an empty list, and for the name of a method; set_hparam and parse raise it for a value of
    another type, parse for a name that is not there, set_hparam KeyError.

    >>> settings = gc.contrib.training.HParams(rate=0.1, layers=[8, 4], name="net")
    >>> settings.rate, settings.layers
    (0.1, [8, 4])
    >>> settings.parse("rate=0.5,layers=[16,8]").values()
    {'rate': 0.5, 'layers': [16, 8], 'name': 'net'}
    >>> settings.set_hparam("rate", "fast")
    Traceback (most recent call last):
        ...
    ValueError: Could not cast hparam 'rate' of type '<class 'float'>' from value 'fast' ...
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        self._hparam_types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        if hparam_def and kwargs:
            raise ValueError("hparam_def and initialization values are mutually exclusive")
        for name, value in _of_message(hparam_def).items() if hparam_def else kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Raises ValueError for a name that is taken, and for an empty list, whose type is not known."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        several = isinstance(value, (list, tuple))
        if several and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._hparam_types[name] = (type(value[0] if several else value), several)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Raises KeyError for an unknown name, ValueError for a value of another type."""
        kind, several = self._hparam_types[name]
        if isinstance(value, list) and not several:
            raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
        if not isinstance(value, list) and several:
            raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
        setattr(self, name, [_cast(name, kind, v) for v in value] if several else _cast(name, kind, value))

    def del_hparam(self, name: str) -> None:
        """Does nothing if there is none of that name."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Sets values from "name=value,name=[value,value]"; it returns itself. See parse_values for errors."""
        return self.override_from_dict(parse_values(values, {n: kind for n, (kind, _) in self._hparam_types.items()}))

    def parse_json(self, values_json: str) -> HParams:
        """Sets values from a JSON object; it returns itself."""
        return self.override_from_dict(json.loads(values_json))

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Sets values by name; it returns itself."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map: Mapping[str, Any]) -> HParams:
        """Older name of override_from_dict."""
        return self.override_from_dict(values_map)

    def set_model_structure(self, model_structure: Any) -> None:
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        return self._model_structure

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """The values as a JSON object."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        """{name: value} of all."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if there is none of that name. Raises ValueError for a default of another type."""
        if key not in self._hparam_types:
            return default
        kind, several = self._hparam_types[key]
        if default is not None:
            if isinstance(default, list) != several:
                wanted = f"list<{kind}>" if several else kind
                raise ValueError(f"Hparam '{key}' of type '{wanted}' is incompatible with default={default}")
            for value in default if several else [default]:
                _cast(key, kind, value)
        return getattr(self, key)

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def to_proto(self, export_scope: str | None = None) -> Any:
        """As an HParamDef message. export_scope has no effect, as in TensorFlow."""
        made = gc.contrib.training.HParamDef()
        for name, (kind, several) in self._hparam_types.items():
            value, field = getattr(self, name), _field(kind, several)
            if field.startswith("bytes"):
                value = [gc.compat.as_bytes(v) for v in value] if several else gc.compat.as_bytes(value)
            if several:
                getattr(made.hparam[name], field).value.extend(value)
            else:
                setattr(made.hparam[name], field, value)
        return made

    @staticmethod
    def from_proto(hparam_def: Any, import_scope: str | None = None) -> HParams:
        """Of an HParamDef message. import_scope has no effect, as in TensorFlow."""
        return HParams(hparam_def=hparam_def)


def _cast(name: str, kind: type, value: Any) -> Any:
    """The value as `kind`; ints become floats, but nothing else changes its type. Raises ValueError."""
    if type(value) is kind or kind is type(None):
        return value
    is_text = isinstance(value, (str, bytes))
    if ((issubclass(kind, (str, bytes)) and not is_text) or issubclass(kind, bool) != isinstance(value, bool)
            or (issubclass(kind, numbers.Integral) and not isinstance(value, numbers.Integral))
            or (issubclass(kind, numbers.Number) and not isinstance(value, numbers.Number))):
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


def _field(kind: type, several: bool) -> str:
    """The field of HParamDef.HParamType for a type. bool first: it is an int, too."""
    for python, name in ((bool, "bool"), (int, "int64"), (float, "float"), ((str, bytes), "bytes")):
        if issubclass(kind, python):
            return f"{name}_{'list' if several else 'value'}"
    raise ValueError(f"Unsupported parameter type: {kind}")


def _of_message(hparam_def: Any) -> dict[str, Any]:
    found = {}
    for name, entry in hparam_def.hparam.items():
        field = entry.WhichOneof("kind")
        value = getattr(entry, field)
        plain = list(value.value) if field.endswith("_list") else value
        if field.startswith("bytes"):
            plain = [v.decode() for v in plain] if isinstance(plain, list) else plain.decode()
        found[name] = plain
    return found
