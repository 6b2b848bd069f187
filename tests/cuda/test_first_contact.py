"""What `make gpu` asks a machine: limits are kept, failures are told, and every piece names files that are there."""
from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from first_contact import BENCH, PIECES, ROOT, Piece, ask, command, first_failures, judged, run, running

SLEEPS = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


def python(name: str, program: str, limit: int = 30, **more: Any) -> Piece:
    return Piece(name, "it", ("-c", program), limit, **more)


def test_pieces_name_files_that_are_there() -> None:
    names = [argument for piece in PIECES for argument in piece.command if argument.endswith(".py")]
    assert len(names) > 20 and not [name for name in names if not (ROOT / name).exists()]
    assert len({piece.name for piece in PIECES}) == len(PIECES)
    assert sum(piece.limit for piece in PIECES[:5]) <= 420, "what never ran comes first, and is short"


def test_a_piece_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    begin = time.monotonic()
    outcome = run(python("hangs", SLEEPS, silent=True), 1.0, tmp_path)
    assert outcome.good and outcome.said.startswith("stopped after") and time.monotonic() - begin < 30


def test_what_fails_is_told_and_the_next_piece_runs(tmp_path: Path, capsys: Any) -> None:
    pieces = [python("bad", "raise SystemExit('no such kernel')"), python("good", "print('fine')"),
              python("left-out", "1", wants="no-such-program")]
    assert not ask(pieces, tmp_path)
    said, report = capsys.readouterr().out, (tmp_path / "report.md").read_text()
    assert "FAILED" in said and "ended with 1: no such kernel" in said
    assert "**failed**: ended with 1: no such kernel" in report and "| good | it |" in report
    assert "left out: no no-such-program here" in report


def test_without_time_pieces_are_listed(tmp_path: Path, capsys: Any) -> None:
    assert ask([python("late", "1")], tmp_path, seconds=1)
    assert "not run" in capsys.readouterr().out and not (tmp_path / "late.log").exists()


def test_without_a_gpu_nothing_else_is_asked(tmp_path: Path, capsys: Any) -> None:
    assert not ask([python("device", "raise SystemExit('no GPU')", needed=True), python("more", "1")], tmp_path)
    said = capsys.readouterr().out
    assert "no GPU" in said and "not run" in said and not (tmp_path / "more.log").exists()


def test_a_piece_that_says_nothing_hangs(tmp_path: Path) -> None:
    """With the tests that had begun; one that may be silent does not."""
    program = ("import time; print('tests/a.py::test_one PASSED [ 50%]'); print('tests/a.py::test_two[x y] ', end='', "
               "flush=True); time.sleep(60)")
    outcome = run(python("hangs", program), 4.0, tmp_path)
    assert not outcome.good and outcome.said.endswith("half of them in silence, in tests/a.py::test_two[x y]")
    assert run(python("silent", program, silent=True), 2.0, tmp_path).good


def test_a_crash_is_told_with_the_test_that_ran(tmp_path: Path) -> None:
    program = "import os; print('tests/a.py::one ', end='', flush=True); os.abort()"
    outcome = run(python("crashes", program), 9.0, tmp_path)
    assert not outcome.good and outcome.said == "ended by SIGABRT in tests/a.py::one"


def test_tests_that_did_not_end() -> None:
    assert running("tests/a.py::b[x y]\ntests/a.py::c\n[gw0] [ 50%] PASSED tests/a.py::b[x y] ") == ["tests/a.py::c"]


@pytest.mark.parametrize("text", [
    "tests/a.py::test_b[x y] PASSED [ 50%]\ntests/a.py::test_c FAILED  [100%]\n= so =\nFAILED tests/a.py::test_c - E",
    "[gw1] [ 50%] PASSED tests/a.py::test_b[x y]\n[gw0] [100%] FAILED tests/a.py::test_c\nFAILED tests/a.py::test_c"])
def test_tests_are_counted_while_they_run(text: str) -> None:
    piece = PIECES[-1]
    assert judged(piece, 9.0, 1, text).said == "1 passed, 1 failed"
    stopped = judged(piece, 9.0, None, text.split("\n")[0])
    assert stopped.good and stopped.said == "1 passed, stopped after 9 s"


def test_the_first_failure_of_each_process_is_told() -> None:
    text = "\n".join(["[gw0] [ 10%] PASSED tests/a.py::one", "[gw1] [ 20%] FAILED tests/a.py::two",
                      "[gw0] [ 30%] FAILED tests/a.py::three", "[gw1] [ 40%] FAILED tests/a.py::four"])
    assert first_failures(text) == ["first: [gw1] [ 20%] FAILED tests/a.py::two",
                                    "first: [gw0] [ 30%] FAILED tests/a.py::three"]
    assert first_failures("tests/a.py::one PASSED  [ 50%]\ntests/a.py::two FAILED  [ 99%]") == [
        "first: tests/a.py::two FAILED  [ 99%]"]


def test_the_stand_in_runs_the_same_pieces() -> None:
    bench = next(piece for piece in PIECES if piece.command[0] == BENCH)
    assert command(bench, False, 1) == [sys.executable, *bench.command]
    assert command(bench, True, 1)[1:4] == ["tests/cuda/stand_in_program.py", BENCH, "--tiny"]
