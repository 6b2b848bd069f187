"""A pytest plugin that runs other folders' tests on a GPU: the library in place of libcuda (`make test-cuda`), or the
machine's with GRAPHC_TEST_GPU=1 (`make gpu`).

    PYTHONPATH=tests/cuda pytest -p everything_on_gpu tests/session

Every session wants a GPU unless its ConfigProto says how many; what the GPU lacks runs on the CPU, and the summary
lists it. With GRAPHC_TEST_GPUS=2 there are two, and every other op is placed on the second one. A test that asks what
only the CPU's engine knows is left out, by name and with the reason (ELSEWHERE).
"""
from __future__ import annotations

import dataclasses
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from graphc.exec.cuda.driver import find_devices
from graphc.exec.cuda.engine import CudaEngine, DeviceEngine
from graphc.exec.cuda.support import lacks
from graphc.session.placement import Chosen, Placement

from on_both import ON_GPU
from stand_in_driver import Library, Work, driver_standing_in

GPUS = int(os.environ.get("GRAPHC_TEST_GPUS", "1"))
ELSEWHERE = {
    "test_session.py::test_devices": "counts the devices of a machine without a GPU",
    "test_session.py::test_trace_lists_kernels": "lists what the CPU calls",
    "test_session.py::test_make_callable": "looks at what the CPU was timed for",
    "test_session.py::test_placement_is_told_once_a_kind_of_run": "is told that the CPU computes",
    "test_config.py::test_devices": "counts the devices of a machine without a GPU",
    "test_config.py::test_settings_that_have_an_effect": "counts the CPU's threads and its code",
    "test_config.py::test_statistics_of_a_long_loop_name_each_step_once": "reads the CPU's row of them",
    "test_bfloat16_weights_session.py": "is about weights that the CPU rounds",
    "test_rounded_products_session.py": "is about products that the CPU rounds",
    "test_quick_runs.py": "is about the CPU's quick runs",
    "test_tuning.py": "is about the ways of the CPU's kernels",
    "test_winograd_session.py": "is about the CPU's way of convolutions",
    "test_warmup.py::test_the_first_run_has_its_code": "is about the CPU's code",
    "test_warmup.py::test_nothing_is_compiled_in_a_thread_that_runs": "is about the CPU's code",
    "test_warmup.py::test_python_s_lock_is_handed_over": "is about the CPU's code",
    "test_forks.py::test_a_child_gets_whole_variables": "forks a process that has used the GPU",
    "test_host_steps.py::test_of_weights_is_done_once_in_prepare": "weights are not prepared for a GPU",
    "test_memory.py::test_code_that_is_not_used_is_unloaded": "counts the CPU's code",
    "tests/session/test_code.py": "is about the CPU's code",
    "tests/session/test_explain.py": "counts what the CPU does; test_cuda_traces.py is about a GPU",
}


class EverythingOnGpu:
    """The hooks. lacking: why the GPU did not do a step, and how many plans have such."""

    def __init__(self) -> None:
        self.lacking: Counter[str] = Counter()
        self.plans: Counter[str] = Counter()
        self._inside = ExitStack()
        self.library: Library | None = None if ON_GPU else self._inside.enter_context(driver_standing_in(devices=GPUS))
        self.work: Work | None = self.library.work() if self.library else None

    def begin(self) -> None:
        make, tell, begin = Placement.__init__, Placement.tell, DeviceEngine.__init__
        choose = Placement._chosen

        def makes(placement: Placement, settings: Any, *rest: Any) -> None:
            make(placement, dataclasses.replace(settings, gpus=1) if settings.gpus is None else settings, *rest)

        def tells(placement: Placement, plan: Any, operations: Any) -> None:
            self.lacking.update({reason for _, reason in lacks(plan)})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tell(placement, plan, operations)

        def begins(engine: Any, *arguments: Any) -> None:
            begin(engine, *arguments)
            self.plans["wholly" if type(engine) is CudaEngine else "in parts"] += 1

        def chooses(placement: Placement, operations: Any, numbers: Any) -> Chosen:
            given = list(operations)
            found = choose(placement, given, numbers)
            if GPUS == 1:
                return found
            sides = {(op.name, op.type): i % GPUS for i, op in enumerate(given)}
            return Chosen(tuple(find_devices()), tuple(range(GPUS)), {**sides, **found.sides})

        for owner, name, function in ((Placement, "__init__", makes), (Placement, "tell", tells),
                                      (Placement, "_chosen", chooses),
                                      (DeviceEngine, "__init__", begins)):
            before = getattr(owner, name)
            self._inside.callback(setattr, owner, name, before)
            setattr(owner, name, function)

    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for name, reason in ELSEWHERE.items():
                if name in item.nodeid:
                    item.add_marker(pytest.mark.skip(reason=reason))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[Any]:
        try:
            return (yield)
        finally:
            if self.library:
                said = self.library.complaint()
                self.library.mend()
                assert not said, said

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        write = terminalreporter.write_line
        write(f"plans on the GPU: {dict(self.plans)}; work: {dict(self.work or {})}")
        for reason, count in self.lacking.most_common():
            write(f"{count:6} plans need the CPU for {reason}")

    def end(self) -> None:
        self._inside.close()


def pytest_configure(config: pytest.Config) -> None:
    plugin = EverythingOnGpu()
    plugin.begin()
    config.pluginmanager.register(plugin, "everything_on_gpu_hooks")


def pytest_unconfigure(config: pytest.Config) -> None:
    plugin = config.pluginmanager.unregister(name="everything_on_gpu_hooks")
    if isinstance(plugin, EverythingOnGpu):
        plugin.end()
