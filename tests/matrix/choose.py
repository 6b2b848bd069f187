"""Which cells of an op are run: those that hold every pair of levels, or all of them."""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from graphc.ir.host import Host
from graphc.ir.op import OPS, Effect
from graphc.ops.linalg.by_kernel import ByKernel

from matrix.cells import FACTORS, Cell, cell_of
from matrix.excluded import FIELDS_KNOWN, OPS_OF_KNOWN_FIELDS, RANK_BY_SIZE, SIZES_FIXED
from matrix.neighbours import BEHINDS, FRONTS
from matrix.oracle import results
from matrix.pairwise import full, pairwise
from matrix.subjects import matrix_samples, subject

MAIN = ("declared", "context", "front", "behind", "asked")


def pairs(op: str) -> list[Cell]:
    """Every pair of levels; every sample in at least one of them."""
    samples = tuple(range(len(matrix_samples(op))))
    return [cell_of(op, choice) for choice in
            pairwise({"sample": samples, **FACTORS}, lambda choice: is_possible(op, choice), turning="sample")]


def everything(op: str) -> list[Cell]:
    """Every combination of the levels of MAIN; the other factors and the samples by pairs among them."""
    factors = {"sample": tuple(range(len(matrix_samples(op)))), **FACTORS}
    return [cell_of(op, choice) for choice in full(factors, MAIN, lambda choice: is_possible(op, choice))]


def is_possible(op: str, choice: dict[str, Any]) -> bool:
    """Whether a choice (of some factors) makes a program."""
    return all(rule(op, choice) for rule in _RULES)


def _sample_has_sizes(op: str, choice: dict[str, Any]) -> bool:
    if "sample" not in choice or "sizes" not in choice:
        return True
    if op in SIZES_FIXED and choice["sizes"] != "given":
        return False
    return subject(op, choice["sample"], choice["sizes"], 0) is not None


def _front_fits(op: str, choice: dict[str, Any]) -> bool:
    if "front" not in choice or "sample" not in choice:
        return True
    operands = subject(op, choice["sample"], choice.get("sizes", "given"), 0)
    if operands is None:
        return False
    if not operands:
        return choice["front"] == "direct"
    return all(FRONTS[choice["front"]].takes(x) for x in operands)


def _behind_fits(op: str, choice: dict[str, Any]) -> bool:
    if choice.get("behind", "direct") == "direct" or "sample" not in choice:
        return True
    return all(BEHINDS[choice["behind"]].takes(y) for y in _results(op, choice["sample"]))


@cache
def _results(op: str, sample: int) -> list[np.ndarray]:
    operands = subject(op, sample, "given", 0)
    assert operands is not None
    return results(Cell(op, sample), operands, 0)


def _has_gradients(op: str, choice: dict[str, Any]) -> bool:
    from matrix.programs import differentiable

    if choice.get("asked") != "gradients":
        return True
    if choice.get("front") == "python":      # no gradient passes through Python
        return False
    if "sample" not in choice:
        return OPS[op].effect is Effect.PURE
    if OPS[op].effect is not Effect.PURE or not matrix_samples(op)[choice["sample"]].gradient:
        return False
    return any(differentiable(op, choice["sample"]))


def _declared(op: str, choice: dict[str, Any]) -> bool:
    how = choice.get("declared", "known")
    if how == "known":
        return True
    if choice.get("front") in ("constant", "variable") or op in RANK_BY_SIZE:
        return False                         # they have no placeholders; their rank depends on sizes
    return how == "unknown" or choice.get("machine") != "runner"     # saved inputs have a rank


def _known_rank_by_size(op: str, choice: dict[str, Any]) -> bool:
    return op not in RANK_BY_SIZE or choice.get("front") != "slice"


def _fed_fields(op: str, choice: dict[str, Any]) -> bool:
    if op in OPS_OF_KNOWN_FIELDS:
        return choice.get("fields") != "fed"
    return choice.get("fields") != "fed" or any(name not in FIELDS_KNOWN for name in OPS[op].field_operands())


def _machine_fits(op: str, choice: dict[str, Any]) -> bool:
    if choice.get("machine") != "runner":
        return True
    in_python = issubclass(OPS[op], Host) and not issubclass(OPS[op], ByKernel)
    return choice.get("front") != "python" and not in_python     # the runner has no Python


_RULES = (_sample_has_sizes, _front_fits, _behind_fits, _has_gradients, _declared, _known_rank_by_size, _fed_fields,
          _machine_fits)
