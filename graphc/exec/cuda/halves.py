"""How a step's products are made on the device: by tensor cores or not.

Products of 16-bit floats are those of float32 (docs/adr/0021): a map widens them first. Where products alone read what
it writes, they read the 16-bit floats themselves (narrowed.py). Elsewhere what maps write, and nobody else, are
factors that tensor cores multiply exactly; other float32 they round, where the user lets them.
"""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Products
from graphc.exec.cuda.lives import Lives, Use
from graphc.kernels.contracts.all import kernel_of
from graphc.plan import plan as p

EXACT = {"f16": Products.EXACT_F16, "bf16": Products.EXACT_BF16}       # by what factors were before
# Of kernels that also multiply what they compute, or read what is no factor: which operands decide. The kernel rounds
# its own factors then, to more bits than 16-bit floats have.
FACTORS = {"attention": (0, 1, 2), "attention_kept": (0, 1, 2), "attention_grad": (0, 1, 2, 5),
           "attention_dropped": (0, 1, 2), "attention_general_grad": (0, 1, 2, 5)}


class ProductChoice:
    """Of one body's steps, by their numbers. lives: of its buffers, None where the device has no tensor cores; reduced:
    whether the user lets them round."""

    def __init__(self, lives: Lives | None, reduced: bool) -> None:
        self._lives, self._reduced = lives, reduced

    def __call__(self, number: int) -> Products:
        if self._lives is None:
            return Products.FUSED
        step = self._lives.body.steps[number]
        if not isinstance(step, p.Call):
            return Products.FUSED
        kernel = kernel_of(step.kernel)
        assert kernel is not None, step.kernel
        factors = FACTORS.get(kernel.name, [i for i, operand in enumerate(kernel.operands) if operand.role != "out"])
        kinds = {_kind(self._lives, number, i) for i in factors}
        if None not in kinds:
            return EXACT.get("".join(kinds), Products.EXACT)   # type: ignore[arg-type]
        return Products.ROUNDED if self._reduced else Products.FUSED


def _kind(lives: Lives, number: int, operand: int) -> str | None:
    """The 16-bit type that an operand of a step is or has been, "" of several; None of other numbers."""
    step = lives.body.steps[number]
    assert isinstance(step, p.Call)
    dtype = lives.body.buffers[step.operands[operand]].dtype
    if dtype in EXACT:
        return dtype
    life = lives.read_by(number, Use.READ, operand)
    return None if life is None else lives.widened_from(life)
