"""The kernels of linear algebra: one unit of machine code for each dtype, so that what they share stands once."""
from __future__ import annotations

from ...contracts.calls import Functions
from ..products.micro import ISAS
from . import cholesky, lu, qr, substitution


def by_isa(types, made):
    """Functions of made(dtype, isa) -> (bind, run)."""
    found = {isa: made(types["T"], isa) for isa in ISAS}
    return Functions({isa: bind for isa, (bind, _) in found.items()}, {isa: run for isa, (_, run) in found.items()})


def make_cholesky(types):
    return by_isa(types, lambda dtype, isa: (cholesky.make_bind(dtype, isa), cholesky.make_run(dtype, isa)))


def make_lu(types):
    return by_isa(types, lambda dtype, isa: (lu.make_bind(dtype, isa), lu.make_run(dtype, isa)))


def make_lu_solve(types):
    return by_isa(types, substitution.make_factored)


def make_qr(types):
    return by_isa(types, lambda dtype, isa: (qr.make_bind(dtype, isa), qr.make_run(dtype, isa)))


def make_triangular_solve(types):
    return by_isa(types, substitution.make_triangular)
