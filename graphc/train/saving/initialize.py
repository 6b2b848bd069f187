"""Variables that begin with the values of a checkpoint: init_from_checkpoint, warm_start."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.errors import built_at
from graphc.train.saving.reader import CheckpointReader, checkpoint_name
from graphc.train.saving.vocabularies import in_new_order


@public("train.init_from_checkpoint", "contrib.framework.init_from_checkpoint")
def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Any) -> None:
    """Replaces initializers: they put in values of the checkpoint, as `tf.train.init_from_checkpoint`.

    assignment_map: a dictionary, or pairs, of a name in the checkpoint -> a variable, the parts of a partitioned one,
    or the name of one that get_variable made; or of scopes, "old/" -> "new/" ("/": all). Raises ValueError for what
    is not there, and for shapes that do not fit. Raises NotFoundError if there is no such checkpoint; a variable of
    another dtype ends the initializer's run with InvalidArgumentError.

    >>> v = gc.get_variable("old/v", initializer=[1., 2.])
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver([v]).save(gc.get_default_session(), "./model")
    >>> w = gc.get_variable("new/v", [2])
    >>> gc.train.init_from_checkpoint(path, {"old/": "new/"})
    >>> w.initializer.run()
    >>> w.eval()
    array([1., 2.], dtype=float32)
    """
    _Initializing(ckpt_dir_or_file).all(assignment_map)


class _Initializing:
    def __init__(self, checkpoint: Any) -> None:
        self.given = checkpoint
        self.name = checkpoint_name(checkpoint)
        self.shapes = CheckpointReader(self.name).get_variable_to_shape_map()
        self.stored = dict(gc.python.ops.variable_scope._get_default_variable_store()._vars)

    def all(self, assignment_map: Any) -> None:
        pairs = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
        for old, new in sorted(pairs, key=lambda pair: pair[0]):
            variable = self.variable(new) if isinstance(new, str) else new
            if variable is not None:
                self.one(old, variable)
            else:
                self.scope(old, new)

    def variable(self, name: str) -> Any:
        """The variable of that name, or its parts; None if there is none."""
        if name in self.stored:
            return self.stored[name]
        parts: list[Any] = []
        while f"{name}/part_{len(parts)}" in self.stored:
            parts.append(self.stored[f"{name}/part_{len(parts)}"])
        return parts or None

    def scope(self, old: str, new: str) -> None:
        scope = new.rpartition("/")[0]
        if not old.endswith("/"):
            raise ValueError(f"Assignment map with scope only name {scope} should map to scope only {old}. Should be "
                             f"'scope/': 'other_scope/'. (gc.get_variable made no variable '{new}')")
        names = {name.partition("/part_")[0] for name in self.stored if not scope or name.startswith(f"{scope}/")}
        for name in sorted(names):
            inner = name.removeprefix(f"{scope}/") if scope else name
            full = inner if old == "/" else f"{old}{inner}"
            if full not in self.shapes:
                raise ValueError(f"Tensor {full} ({inner} in {old}) is not found in {self.given} checkpoint"
                                 f"{built_at(_first(self.variable(name)).op)}")
            self.one(full, self.variable(name))

    def one(self, name: str, variable: Any) -> None:
        if name not in self.shapes:
            raise ValueError(f"Tensor {name} is not found in {self.given} checkpoint {self.shapes}")
        if isinstance(variable, (list, tuple)) or type(variable).__name__ == "PartitionedVariable":
            parts = list(variable)
            names = {part._save_slice_info.full_name for part in parts}
            if len(names) > 1:
                raise ValueError(f"Slices must all be from the same tensor: {' != '.join(sorted(names))}")
            for part in parts:
                self.set(part, name, part._save_slice_info.spec)
            return
        if not variable.shape.is_compatible_with(self.shapes[name]):
            raise ValueError(f"Shape of variable {variable.name} ({variable.shape}) doesn't match with shape of tensor "
                             f"{name} ({self.shapes[name]}) from checkpoint reader.{built_at(variable.op)}")
        self.set(variable, name, "")

    def set(self, variable: Any, name: str, slice_spec: str) -> None:
        with variable.graph.as_default(), gc.control_dependencies(None), gc.device(variable.device):
            value = self.restored(variable, name, slice_spec)
            value.set_shape(variable.shape)
            variable._set_initializer(gc.assign(variable, value).op, value)

    def set_in_new_order(self, variable: Any, name: str, vocabularies: Any) -> None:
        """vocabularies: a VocabInfo, which says which rows of the checkpoint's tensor become which."""
        if name not in self.shapes:
            raise ValueError(f"Tensor {name} is not found in {self.given} checkpoint {self.shapes}")
        with variable.graph.as_default(), gc.control_dependencies(None), gc.device(variable.device):
            old = self.restored(variable, name, "")
            old.set_shape(self.shapes[name])
            value = in_new_order(variable, old, vocabularies)
            variable._set_initializer(gc.assign(variable, value).op, value)

    def restored(self, variable: Any, name: str, slice_spec: str) -> Any:
        return gc.raw_ops.RestoreV2(self.name, [name], [slice_spec], [variable.dtype], name="checkpoint_initializer")[0]


def _first(variable: Any) -> Any:
    return variable[0] if isinstance(variable, list) else variable


@public("train.warm_start")
def warm_start(ckpt_to_initialize_from: Any, vars_to_warm_start: Any = ".*", var_name_to_vocab_info: Any = None,
               var_name_to_prev_var_name: Mapping[str, str] | None = None) -> None:
    """init_from_checkpoint for variables that are chosen, as `tf.train.warm_start`. vars_to_warm_start: a regular
    expression (of trainable variables), several (of all), or variables; None: none. var_name_to_vocab_info: name of a
    variable -> gc.train.VocabInfo, if its rows stand for the words of another vocabulary than before.

    Raises ValueError for what the checkpoint does not have, for other shapes, for a list of both kinds, and for a name
    in the dictionaries that is not used; NotFoundError if there is no such checkpoint.

    >>> v = gc.get_variable("old/v", initializer=[1., 2.])
    >>> gc.global_variables_initializer().run()
    >>> path = gc.train.Saver().save(gc.get_default_session(), "warm/model")
    >>> w = gc.get_variable("new/v", [2])
    >>> gc.train.warm_start(path, "new/.*", var_name_to_prev_var_name={"new/v": "old/v"})
    >>> w.initializer.run()
    >>> w.eval()
    array([1., 2.], dtype=float32)
    """
    old_names, vocabularies = dict(var_name_to_prev_var_name or {}), dict(var_name_to_vocab_info or {})
    chosen: dict[str, list[Any]] = {}
    for variable in _chosen(vars_to_warm_start):
        part = getattr(variable, "_save_slice_info", None)
        chosen.setdefault(part.full_name if part else variable.op.name, []).append(variable)
    for name, variables in chosen.items():
        whole = variables if getattr(variables[0], "_save_slice_info", None) else variables[0]
        old_name = old_names.pop(name, name)
        if name not in vocabularies:
            init_from_checkpoint(ckpt_to_initialize_from, {old_name: whole})
            continue
        info = vocabularies.pop(name)
        for variable in variables:
            _Initializing(ckpt_to_initialize_from).set_in_new_order(variable, old_name, info)
    for argument, left in (("var_name_to_prev_var_name", old_names), ("var_name_to_vocab_info", vocabularies)):
        if left:
            raise ValueError(f"You provided the following variables in {argument} that were not used: {sorted(left)}.  "
                             f"Perhaps you misspelled them?  Here is the list of variables used: {sorted(chosen)}")


def _chosen(given: Any) -> Sequence[Any]:
    if given is None:
        return []
    if isinstance(given, str):
        return gc.trainable_variables(given)
    if not isinstance(given, (list, tuple)):
        raise ValueError("If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given "
                         f"{given!r}")
    if all(isinstance(one, str) for one in given):
        return list(dict.fromkeys(v for one in given for v in gc.global_variables(one)))
    if any(isinstance(one, str) for one in given):
        raise ValueError(f"If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given {given!r}")
    return [part for one in given for part in (one if isinstance(one, (list, tuple)) else [one])]
