"""kill -9 at any moment of a save: the newest checkpoint that was whole stays it, and nothing is left that grows."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graphc.io.checkpoint.leftovers import clean
from graphc.io.whole_files import NewFile

CHILD = Path(__file__).parent / "killed_saver.py"
# Moments at which a save opens, renames, links or removes a file, and random ones.
KILLS = {"steps": 30, "same": 30, "sharded-steps": 70, "sharded-same": 70}


@pytest.mark.parametrize("kind", KILLS)
def test_the_last_checkpoint_survives(kind: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(CHILD), str(tmp_path), kind, "10"], capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= KILLS[kind]


def test_what_others_write_stays(tmp_path: Path) -> None:
    """Files that are being written, folders of shards that are in use or no one's, and files of other names."""
    for name in (".hidden", "m.data-00000-of-00001", ".graphc-0123.unfinished"):
        (tmp_path / name).write_text("")
    (tmp_path / f"m_temp_{'0' * 32}").mkdir()
    (tmp_path / f"m_temp_{'0' * 32}" / "tensorflow's").write_text("")
    before = sorted(tmp_path.rglob("*"))
    with NewFile(str(tmp_path / "new")):
        writing = sorted(tmp_path.iterdir())
        clean(str(tmp_path))
        assert sorted(tmp_path.iterdir()) == writing
    (tmp_path / ".graphc-0123456789abcdef.unfinished").write_text("its process has ended")
    (tmp_path / ".graphc-0123456789abcdef.note").write_text("other")
    (tmp_path / "other.data-00000-of-00001").write_text("")
    clean(str(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
