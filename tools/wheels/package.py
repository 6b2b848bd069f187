"""`make package`: builds the distributions, and tries them in empty environments away from the checkout.

    sdist -> graphc's wheel from the sdist alone; graphc-runtime's wheel; with a cross compiler, both for aarch64
    twine check, auditwheel: the platform tags are what the machine code needs
    for each Python of --pythons: install, pip check, tests/package/check_installed.py
    for the first of them: the tests of --tests, the digits demo, graphc-runtime with the demo's model, sizes

The distributions are left in dist/; the sizes are printed, and with --write stand in docs/install.md.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sizes
from machine_code import HERE, ROOT, TARGETS

TOOLS = ("build>=1.2", "twine>=6", "auditwheel>=6")
# Quick rooms of the suite that say something of an installation: sessions, saved graphs, the map JIT, checkpoints.
TESTS = ("session/test_session.py", "session/test_code.py", "saved_model", "exec/test_runtime.py",
         "kernels/test_map_jit.py", "io")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", default=sys.executable, help="comma-separated interpreters; default: this one")
    parser.add_argument("--tests", default=",".join(TESTS), help="comma-separated files and folders of tests/")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the distributions go")
    parser.add_argument("--built", action="store_true", help="try what is there, build nothing")
    parser.add_argument("--no-cross", action="store_true", help="no wheels for other machines")
    parser.add_argument("--write", action="store_true", help="write the table of sizes into docs/install.md")
    options = parser.parse_args()
    pythons = options.pythons.split(",")
    try:
        with tempfile.TemporaryDirectory(prefix="graphc-package-") as scratch:
            folder = Path(scratch)
            tools = make_environment(folder, pythons[0], "tools", *TOOLS)
            if not options.built:
                build(tools, options.out, cross=not options.no_cross)
            wheels = check_files(tools, options.out)
            for python in pythons[1:]:
                environment = install(folder, python, wheels["graphc"], "pytest")
                check_installed(folder, environment)
            table = check_first(folder, pythons[0], wheels, options.tests.split(","))
    except subprocess.CalledProcessError as error:
        print(f"package: failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    print(table)
    if options.write:
        sizes.write(table, ROOT / "docs" / "install.md")
    return 0


def build(tools: Path, out: Path, cross: bool) -> None:
    """Builds all distributions into the folder `out`, which has nothing else then. tools: an interpreter with TOOLS."""
    shutil.rmtree(out, ignore_errors=True)
    with step("sdist, and graphc's wheel from it"):
        run(tools, "-m", "build", "--outdir", out, ROOT)
    with step("graphc-runtime's wheel"):
        run(tools, "-m", "build", "--wheel", "--outdir", out, ROOT / "runtime")
    if cross and HERE != "aarch64" and shutil.which(TARGETS["aarch64"].compiler):
        for name, project in (("graphc", ROOT), ("graphc-runtime", ROOT / "runtime")):
            with step(f"{name}'s wheel for aarch64"):
                run(tools, "-m", "build", "--wheel", "-C", "target=aarch64", "--outdir", out, project)


def check_files(tools: Path, out: Path) -> dict[str, Path]:
    """Checks the distributions; returns the wheels by name, those for another machine as "graphc for aarch64"."""
    wheels = {}
    for path in sorted(out.glob("*.whl")):
        name, machine = path.name.partition("-")[0].replace("_", "-"), re.sub(r".*manylinux_\d+_\d+_", "", path.stem)
        wheels[name if machine == HERE else f"{name} for {machine}"] = path
    with step("twine check, auditwheel"):
        run(tools, "-m", "twine", "check", "--strict", *sorted(out.iterdir()))
        for wheel in wheels.values():
            check_tag(tools, wheel)
    return wheels


def check_tag(tools: Path, wheel: Path) -> None:
    """The wheel's name must say what auditwheel finds in its machine code."""
    said = subprocess.run([tools, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=True).stdout
    found = re.search(r'consistent with the following platform tag: "(\w+)"', " ".join(said.split()))
    if not found or not wheel.stem.endswith(found[1]):
        print(said, file=sys.stderr)
        raise subprocess.CalledProcessError(1, ["auditwheel", "show", wheel.name])


def check_first(folder: Path, python: str, wheels: dict[str, Path], tests: list[str]) -> str:
    """All checks of the first Python; returns the table of sizes."""
    environment = install(folder, python, wheels["graphc"])
    table = sizes.table(wheels, environment.parents[1])
    run(environment, "-m", "pip", "install", "--quiet", f"{wheels['graphc']}[test,demo]", cwd=folder)
    check_installed(folder, environment)
    with step(f"of the tests: {', '.join(tests)}"):
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        run(environment, "-m", "pytest", "-q", *(folder / "tests" / name for name in tests), cwd=folder)
    with step("the digits demo, in Python, C++ and graphc-runtime"):
        check_digits(folder, environment, python, wheels["graphc-runtime"])
    return table


def check_digits(folder: Path, environment: Path, python: str, runtime_wheel: Path) -> None:
    shutil.copy(ROOT / "examples" / "digits_cnn.py", folder)
    runner = environment.with_name("graphc-run")
    run(environment, "digits_cnn.py", "--runner", runner, "--save", "digits.pb", cwd=folder)
    run(environment, "-c", "import graphc as gc, numpy as np\n"
        "graph = gc.Graph()\n"
        "x = np.random.default_rng(0).random((9, 8, 8, 1), np.float32)\n"
        "with graph.as_default(), gc.Session() as session:\n"
        "    gc.import_graph_def(gc.load_graph_def('digits.pb'), name='')\n"
        "    np.save('y.npy', session.run('logits:0', {'x:0': x}))\n"
        "np.save('x.npy', x)\n", cwd=folder)
    alone = make_environment(folder, python, "runtime", str(runtime_wheel))
    run(alone, ROOT / "tests" / "package" / "check_runtime.py", "digits.pb", "x.npy", "y.npy", cwd=folder)


def check_installed(folder: Path, environment: Path) -> None:
    with step("pip check, first result, files written, graphc-run, a C++ program"):
        run(environment, "-m", "pip", "check", cwd=folder)
        shutil.copy(ROOT / "tests" / "package" / "check_installed.py", folder)
        run(environment, "-m", "pytest", "-q", "check_installed.py", cwd=folder)


def install(folder: Path, python: str, *packages: object) -> Path:
    name = f"graphc-{len(list(folder.glob('graphc-*')))}"       # two Pythons may be called alike
    with step(f"installing into an empty environment of {python}"):
        return make_environment(folder, python, name, *map(str, packages))


def make_environment(folder: Path, python: str, name: str, *packages: str) -> Path:
    """A new environment with the packages; returns its interpreter."""
    run(Path(python), "-m", "venv", folder / name, cwd=folder)
    made = folder / name / "bin" / "python"
    run(made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages, cwd=folder)
    return made


def run(python: Path, *arguments: object, cwd: Path = ROOT) -> None:
    """Runs it with no graphc but that of its environment. Raises CalledProcessError."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}
    if cwd != ROOT:
        kept.pop("GRAPHC_CACHE", None)
        kept["HOME"] = str(cwd / "home")
        os.makedirs(kept["HOME"], exist_ok=True)
    subprocess.run([python, *map(str, arguments)], cwd=cwd, env=kept, check=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    print(f"package: {what}", flush=True)
    start = time.monotonic()
    yield
    print(f"package: {what}: done in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
