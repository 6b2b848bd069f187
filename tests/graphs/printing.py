"""A program as a Python script that stands alone: what a finding is reported as."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import DType

from programs import Apply, Block, Call, Cond, Gradients, Input, Program, While, everywhere

HEAD = '''import numpy as np
from numpy import *  # noqa: F403

import graphc as gc
from graphc.ir.op import OPS
from graphc.ir.apply import apply


def op(kind, *inputs, **attributes):
    """One op of the graph; lists are the inputs of an operand that takes any number."""
    return apply(OPS[kind], *inputs, **attributes)


def ref(variable):
    return variable._ref()
'''
TWICE = '''

def twice(x):
    return gc.py_func(lambda array: array + array, [x], x.dtype)
'''
INVARIANT = '''

def invariant(tensor, wanted):
    tensor = gc.convert_to_tensor(tensor)
    if wanted is None or tensor.shape.ndims is None:
        return gc.TensorShape(None)
    return gc.TensorShape([None if s is None or w is None else s for s, w in zip(tensor.shape.as_list(), wanted)])
'''


def script(program: Program, comments: str = "", expected: Any = None) -> str:
    """comments: what is wrong, for the top. expected: of each run the oracle's values, or the text of its error."""
    lines = [f"# {line}".rstrip() for line in comments.splitlines()]
    lines.append(HEAD)
    kinds = {type(s) for s in everywhere(program.statements)}
    if any(isinstance(s, Call) and s.function == "twice" for s in everywhere(program.statements)):
        lines.append(TWICE)
    if While in kinds:
        lines.append(INVARIANT)
    lines.append("\n")
    for statement in program.statements:
        lines += _statement(statement)
    fed = [s for s in program.statements if isinstance(s, Input) and s.kind == "placeholder"]
    lines.append("\nfeeds = [")
    for number in range(program.sets):
        lines.append("    {" + ", ".join(f"{s.name}: {_array(s.values[number])}" for s in fed) + "},")
    lines += ["]", "with gc.Session() as session:", "    session.run(gc.global_variables_initializer())",
              f"    for number in {list(program.schedule)!r}:",
              f"        print(session.run([{', '.join(program.fetches)}], feeds[number]))"]
    if expected is not None:
        lines.append("\n# By the NumPy evaluator:")
        for run in expected:
            lines += [f"# {line}" for line in str(run).splitlines()]
    return "\n".join(lines) + "\n"


def _statement(s: Any, depth: int = 0) -> list[str]:
    space = "    " * depth
    if isinstance(s, Input):
        return [space + _input(s)]
    after = getattr(s, "after", ())
    if after:
        body = _plain(s, depth + 1)
        return [f"{space}with gc.control_dependencies([{', '.join(after)}]):", *body]
    return _plain(s, depth)


def _plain(s: Any, depth: int) -> list[str]:
    space = "    " * depth
    if isinstance(s, Apply):
        if not s.outputs:
            return [f"{space}op({_arguments(s)})"]
        targets = ", ".join(s.outputs) if len(s.outputs) > 1 or _listed(s) else s.outputs[0]
        return [f"{space}{targets}{',' if len(s.outputs) == 1 and _listed(s) else ''} = op({_arguments(s)})"]
    if isinstance(s, Call):
        return [f"{space}{s.outputs[0]} = {_call(s)}"]
    if isinstance(s, Gradients):
        return [f"{space}{', '.join(s.outputs)}{',' if len(s.outputs) == 1 else ''} = map("
                f"gc.convert_to_tensor, gc.gradients([{', '.join(s.ys)}], [{', '.join(s.xs)}], "
                "unconnected_gradients='zero'))"]
    outputs = ", ".join(s.outputs) + ("," if len(s.outputs) == 1 else "")
    if isinstance(s, Cond):
        return [*_function(f"then_{s.outputs[0]}", (), s.then, depth),
                *_function(f"else_{s.outputs[0]}", (), s.otherwise, depth),
                f"{space}{outputs} = gc.cond({s.pred}, then_{s.outputs[0]}, else_{s.outputs[0]}, strict=True)"]
    shapes = ", ".join(f"invariant({i}, {w!r})" for i, w in zip(s.initial, s.invariants, strict=True))
    return [*_function(f"test_{s.outputs[0]}", s.params, s.test, depth, single=True),
            *_function(f"body_{s.outputs[0]}", s.params, s.body, depth),
            f"{space}{outputs} = gc.while_loop(test_{s.outputs[0]}, body_{s.outputs[0]}, [{', '.join(s.initial)}],",
            f"{space}    shape_invariants=[{shapes}], return_same_structure=True)"]


def _function(name: str, params: tuple[str, ...], block: Block, depth: int, single: bool = False) -> list[str]:
    space = "    " * depth
    results = ", ".join(block.results)
    lines = [line for s in block.statements for line in _statement(s, depth + 1)]
    return [f"{space}def {name}({', '.join(params)}):", *lines,
            f"{space}    return {results if single else f'[{results}]'}"]


def _listed(s: Apply) -> bool:
    from graphc.ir.op import OPS

    results = OPS[s.op].results
    return bool(results) and results[-1].endswith("*")


def _arguments(s: Apply) -> str:
    from graphc.ir.op import OPS

    from programs import grouped, takes_variable

    op = OPS[s.op]
    parts: list[Any] = [f"ref({i})" if takes_variable(op, n) else i for n, i in enumerate(s.inputs)]
    texts = [f"[{', '.join(map(_text, g))}]" if isinstance(g, list) else _text(g) for g in grouped(op, parts)]
    return ", ".join([repr(s.op), *texts, *(f"{k}={_attribute(v)}" for k, v in s.attributes.items())])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _array(value)


def _call(s: Call) -> str:
    given = ", ".join(s.inputs)
    forms = {"gc.Print": f"gc.Print({given}, [{given}], first_n=0)", "gc.Assert": f"gc.Assert({given}, [{given}])",
             "gc.placeholder_with_default": f"gc.placeholder_with_default({given}, None)"}
    return forms.get(s.function, f"{s.function}({given})")


def _attribute(value: Any) -> str:
    if isinstance(value, DType):
        return f"gc.{value.name}"
    return _array(value) if isinstance(value, np.ndarray) else repr(value)


def _input(s: Input) -> str:
    if s.kind == "placeholder":
        static = None if s.static is None else list(s.static)
        return f"{s.name} = gc.placeholder(gc.{_name(s.dtype)}, {static!r})"
    made = "gc.Variable" if s.kind == "variable" else "gc.constant"
    return f"{s.name} = {made}({_array(s.values[0])})"


def _name(dtype: np.dtype[Any]) -> str:
    return {"b": "bool", "O": "string"}.get(dtype.kind, dtype.name)


def _array(value: np.ndarray) -> str:
    value = np.asarray(value)
    kind = "bool_" if value.dtype.kind == "b" else value.dtype.name
    if not value.size:
        return f"np.zeros({value.shape!r}, {kind})"
    if value.size > 4 and np.all(value == value.flat[0]):
        return f"np.full({value.shape!r}, {value.flat[0].item()!r}, {kind})"
    return f"array({value.tolist()!r}, {kind})"
