"""Models in the C++ library, on the CPU and on a GPU, side by side: the machine's GPU if GRAPHC_TEST_GPU=1, else the
library in place of libcuda, which compiles kernels in this process."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import graphc as gc
from graphc.commands.gpu import make_gpu_code
from graphc.commands.plan_runs import PlanRuns
from graphc.serial.plan_proto import load_plan

import native as n
from files import build_runner
from on_both import DEVICES, ON_GPU
from stand_in_driver import driver_standing_in

WHERE = [where for where in DEVICES if where != "emulator"]


@contextmanager
def gpu(where: str, **settings: int) -> Iterator[Any]:
    """Inside, the C++ library finds a GPU; nothing may be complained of, or be left there, at its end."""
    if ON_GPU:
        yield None
        return
    with driver_standing_in(where, **settings) as library:
        library.mend()
        before = library.allocations()
        yield library
        said, left = library.complaint(), library.allocations() - before
        library.mend()
        assert not said, said
        assert not left, f"{left} allocations are left"


class Pair:
    """The signatures of a model, loaded on both devices; those of one device share their variables."""

    def __init__(self, model: gc.GraphDef, folder: Path, sets: Sequence[Mapping[str, Sequence[int]]] = (),
                 **settings: Any) -> None:
        self.native, self.file = n.Native(build_runner() / "libgraphc.so"), model.SerializeToString()
        self.code = folder / "m.gpu"
        self.code.write_bytes(make_gpu_code(model, [{k: tuple(v) for k, v in one.items()} for one in sets], **settings))
        names = [plan.signature for plan in model.plans]
        self.cpu = self._load(names)
        self.gpu = self._load(names, gpu_code=str(self.code).encode())

    def _load(self, names: Sequence[str], **options: Any) -> dict[str, n.Model]:
        found: dict[str, n.Model] = {}
        for name in names:
            first = next(iter(found.values()), None)
            found[name] = self.native.load(self.file, first, signature=name.encode(), **options)
        return found

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        for model in (*self.gpu.values(), *self.cpu.values()):
            model.__exit__()

    def run(self, signature: str, *inputs: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """(the GPU's outputs, the CPU's)"""
        return self.gpu[signature].run(inputs), self.cpu[signature].run(inputs)

    def in_python(self, model: gc.GraphDef, signature: str) -> PlanRuns:
        """The same on the GPU of this process: nothing but the walk through the plan is another program."""
        saved = next(plan for plan in model.plans if plan.signature == signature)
        return PlanRuns(model, load_plan(saved), gpu=0)

    def refused(self, signature: str, *inputs: np.ndarray) -> str:
        """What both say of a run that cannot be."""
        said = []
        for models in (self.gpu, self.cpu):
            try:
                models[signature].run(inputs)
                said.append("nothing")
            except n.NativeError as error:
                said.append(f"{error.status} {error}")
        assert said[0] == said[1]
        return said[0]

    def assert_close(self, signature: str, *inputs: np.ndarray, tolerance: float = 1e-5) -> None:
        for ours, theirs in zip(*self.run(signature, *inputs), strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)

    def assert_same_states(self, tolerance: float = 1e-5) -> None:
        ours, theirs = (next(iter(models.values())).states() for models in (self.gpu, self.cpu))
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


def exported(signatures: Any) -> gc.GraphDef:
    """A model of what `signatures` makes in a fresh graph: signatures by their names; variables have their first
    values."""
    with gc.Graph().as_default(), gc.Session() as session:
        gc.set_random_seed(3)
        made = signatures()
        if gc.global_variables():
            session.run(gc.global_variables_initializer())
        return gc.export_model(session, made)


