"""Makes the hand-written Plans, the samples and the C++ runner importable from every folder of tests."""
import gc
import importlib.util
import linecache
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "plan"))
sys.path.insert(0, str(Path(__file__).parent / "ops"))
sys.path.insert(0, str(Path(__file__).parent / "runner"))

os.environ["GRAPHC_TUNED"] = "0"       # what was measured on this machine is neither used nor changed

# tests/peers needs TensorFlow, and has an environment of its own: `make peers`.
collect_ignore = [] if importlib.util.find_spec("tensorflow") else ["peers"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What collecting makes, most of a million objects, stays to the end: Python's garbage collections, by themselves
    and in tests about memory, need not go through it each time (half a second)."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Nor through what the modules before have left behind, which takes six seconds near the end of the suite."""
    result = yield
    if nextitem is not None and nextitem.path != item.path:
        gc.collect()
        gc.freeze()
    return result


@pytest.fixture(autouse=True)
def own_lines_are_not_quoted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors quote the line of the user, here of the test, which often holds the very words that the test looks for: so
    these lines are empty, but for tests that are about them, which have the mark `quotes`."""
    if request.node.get_closest_marker("quotes") is None:
        here, getline = str(request.path), linecache.getline
        monkeypatch.setattr(linecache, "getline", lambda file, *more: "" if file == here else getline(file, *more))
