"""Errors of the runtime as the exceptions and messages a user gets (kernels/runtime/tables.py: codes and ERROR)."""
from __future__ import annotations

from typing import Any

from graphc import errors
from graphc.ir import dtypes
from graphc.ir.op import OPS, REFUSED, Op
from graphc.kernels.contracts.calls import Status  # not where it is used: a signal may strike there
from graphc.kernels.runtime import tables as t
from graphc.plan import plan as p

_RELATIONS = {p.GuardKind.EQUAL: "must be equal", p.GuardKind.LESS_EQUAL: "the first must not be greater",
              p.GuardKind.LESS: "the first must be less"}


def bad_image(plan: p.Plan, error: Any) -> errors.OpError:
    """What gc_verify found."""
    body, step = int(error[t.ERROR_BODY]), int(error[t.ERROR_STEP])
    where = f" in body {plan.bodies[body].name}" if 0 <= body < len(plan.bodies) else ""
    origin = _origin(plan, body, step)
    name = f", step {step} ({_blame(origin)})" if origin is not None else (f", step {step}" if step >= 0 else "")
    return errors.InternalError(f"the plan does not verify{where}{name}: check {int(error[t.ERROR_A])}, detail "
                                f"{int(error[t.ERROR_B])}; this is a bug of graphc or a damaged file", origin)


def run_error(plan: p.Plan, error: Any, cause: BaseException | None) -> errors.OpError:
    """The exception for the error record of a run."""
    code, body, step = (int(error[f]) for f in (t.ERROR_CODE, t.ERROR_BODY, t.ERROR_STEP))
    a, b, c = (int(error[f]) for f in (t.ERROR_A, t.ERROR_B, t.ERROR_C))
    origin = _origin(plan, body, step)
    if code == t.GUARD:
        guard = plan.bodies[body].guards[c]
        origin = plan.origins[guard.origin] if 0 <= guard.origin < len(plan.origins) else None
        return _made(errors.InvalidArgumentError, origin, f"{guard.message}: {a} and {b}, {_RELATIONS[guard.kind]}")
    if code == t.HOST_FAILED:
        name = plan.hosts[a] if 0 <= a < len(plan.hosts) else "?"
        if isinstance(cause, errors.OpError):
            return _made(type(cause), origin, cause.message)
        return _made(errors.UnknownError, origin, f"{name} raised {type(cause).__name__}: {cause}")
    if code == Status.UNINITIALISED:
        return _made(errors.FailedPreconditionError, origin,
                     f"Attempting to use uninitialized value {_state_name(plan, body, step)}: run its initializer "
                     "first, session.run(gc.global_variables_initializer())")
    if code == t.INPUT_SHAPE:
        port = plan.inputs[c // 8].name if body == 0 and c // 8 < len(plan.inputs) else f"input {c // 8} of body {body}"
        return _made(errors.InvalidArgumentError, origin, f"axis {c % 8} of {port} is {a}, {b} is wanted")
    if code == Status.INDEX_TUPLE:
        return _made(errors.InvalidArgumentError, origin, _bad_tuple(a, b, error))
    if code == Status.INVALID_VALUE:
        known = origin is not None and origin.op_type in OPS
        refusal = OPS[origin.op_type].refusal if known and origin is not None else Op.refusal
        return _made(errors.InvalidArgumentError, origin, refusal.format(a, b))
    kind, text = _text(code, a, b, c)
    return _made(kind, origin, text)


def _bad_tuple(number: int, length: int, error: Any) -> str:
    """What an index tuple is that names no place. number: which of them, row-major."""
    detail = [int(word) for word in error[t.ERROR_DETAIL:t.ERROR_DETAIL + t.DETAIL_WORDS]]
    half = t.DETAIL_WORDS // 2
    sizes = ", ".join(map(str, detail[half:half + length]))
    return (f"indices {detail[:length]} (tuple {number} of them) do not index into shape [{sizes}]: each must be at "
            f"least 0 and less than its axis' size")


def _text(code: int, a: int, b: int, c: int) -> tuple[type[errors.OpError], str]:
    invalid, internal = errors.InvalidArgumentError, errors.InternalError
    if code == t.LIST_TYPE:
        held, wanted = (f"{dtypes.as_dtype(v // 16).name} of rank {v % 16}" for v in (a, b))
        return invalid, f"the list holds {held}, {wanted} is wanted"
    table: dict[int, tuple[type[errors.OpError], str]] = {
        Status.INDEX_OUT_OF_RANGE: (invalid, f"index {a} is not in [0, {b})"),
        Status.DIVISION_BY_ZERO: (invalid, REFUSED["zero"][1]),
        Status.NEGATIVE_EXPONENT: (invalid, REFUSED["negative"][1]),
        Status.NOT_DEFINITE: (invalid, "Cholesky decomposition was not successful. The input might not be valid: it "
                                       f"must be symmetric and positive definite (matrix {a}, row {b})"),
        Status.NOT_INVERTIBLE: (invalid, f"Input matrix is not invertible (matrix {a}: no pivot in column {b})"),
        t.NO_MEMORY: (errors.ResourceExhaustedError, f"no memory for {a} bytes, or memory_limit is too low"),
        t.DIM_VALUE: (
            invalid,
            f"a size cannot be computed from {a} and {b} (division by 0, sizes that do not broadcast, or too"
            f" large a tensor; dim {c})",
        ),
        t.RELATION: (invalid, f"sizes do not fit the kernel (relation {c} is {a})"),
        t.EXTENT: (internal, f"operand {c} has {b} elements, {a} would be touched"),
        t.CANCELLED: (errors.CancelledError, "the run was cancelled"),
        t.EMPTY_LIST: (invalid, "an element is taken from an empty list"),
        t.LIST_INDEX: (invalid, f"{'Tried to write to' if c else 'Tried to read from'} index {a}, but the TensorArray "
                                + ("is not resizeable and its size is" if c else "has the size") + f": {b}"),
        t.LIST_UNWRITTEN: (invalid, f"Could not read from TensorArray index {a}: nothing was written there, and no "
                                    "element tells its shape; write it, or give the TensorArray an element_shape"),
        t.LIST_SHAPES: (invalid, f"TensorArray has inconsistent shapes: a size of the element at index {a} is {b}, "
                                 f"another one has {c} there" if a >= 0 else
                        "gradients of one TensorArray element have different shapes"),
        t.LIST_COUNT: (invalid, f"a TensorArray cannot have {a} elements" if a < 0 else
                       f"{a} elements or rows do not fit {b}"),
        t.SLOT_SHAPE: (invalid, f"axis {c} of the value is {a}, {b} was expected"),
        t.BUFFER_SIZE: (invalid, f"a tensor would have {a} elements (buffer {c}, expected {b})"),
        t.ACCESS: (internal, f"operand {c} of a fused step is accessed out of its memory ({a}, {b})"),
        t.MAP_FAILED: (internal, f"a fused step cannot be bound, status {a}"),
        t.TILES: (invalid, f"a step is too large ({a}, {b})"),
        t.EPILOGUE: (internal, f"a fused step does not follow its kernel's output ({a}, {b}, {c})"),
        t.HOST_SLOT: (internal, f"a Python function gave no result {c}"),
    }
    return table.get(code, (internal, f"the runtime failed with code {code} ({a}, {b}, {c})"))


def _made(kind: type[errors.OpError], origin: p.Origin | None, text: str) -> errors.OpError:
    if origin is None:
        return kind(text)
    return kind(f"{_blame(origin)}: {text}{errors.built_at(origin)}", origin)


def _blame(origin: p.Origin) -> str:
    return f"{origin.op_type} '{origin.op_name}'"


def _origin(plan: p.Plan, body: int, step: int) -> p.Origin | None:
    if not (0 <= body < len(plan.bodies) and 0 <= step < len(plan.bodies[body].steps)):
        return None
    origins = [o for o in plan.bodies[body].steps[step].origins if 0 <= o < len(plan.origins)]
    return plan.origins[origins[0]] if origins else None


def _state_name(plan: p.Plan, body: int, step: int) -> str:
    """The state whose info the step reads."""
    where = plan.bodies[body]
    found = where.steps[step] if 0 <= step < len(where.steps) else None
    for buffer in found.operands if isinstance(found, p.Call) else ():
        if where.buffers[buffer].kind == p.BufferKind.STATE_INFO:
            return plan.states[where.buffers[buffer].index].name
    return "?"
