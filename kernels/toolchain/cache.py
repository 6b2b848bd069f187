"""The disk cache of machine code: $GRAPHC_CACHE, else $XDG_CACHE_HOME/graphc, else ~/.cache/graphc; its owner's only.

An entry is a file named by a hash of all that its contents depend on; it begins with a checksum, so a damaged one
counts as missing. It is written beside and renamed, so that readers never see half of one. A cache that cannot be
written is not an error: one warning says so, and what the process compiles is kept in a temporary folder as long as it
lives.
"""
from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

MAGIC = b"gcache1\n"
TRIM_EVERY = 64            # entries of a kind that may be many, between two looks at how many there are
_spares: dict[Path, Path] = {}         # a folder that cannot be written -> the temporary one in its place
_written = 0


def directory() -> Path:
    chosen = os.environ.get("GRAPHC_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "graphc"


def read(key: str) -> bytes | None:
    """The contents of the entry, None if there is none or it is damaged."""
    folder = directory()
    found = read_file(folder / key)
    if found is None and folder in _spares:
        found = read_file(_spares[folder] / key)
    return found


def read_used(key: str) -> bytes | None:
    """As `read`; notes the time, by which write_few tells what is used."""
    found = read(key)
    if found is not None:
        with contextlib.suppress(OSError):
            os.utime(directory() / key)
    return found


def write_few(key: str, contents: bytes, prefix: str, most: int) -> bool:
    """As `write`, for entries that may be many: now and then all but `most` of those that begin with `prefix` are
    deleted, the ones used longest ago first."""
    global _written
    written = write(key, contents)
    _written += 1
    if written and _written % TRIM_EVERY == 1:
        _trim(directory(), prefix, most)
    return written


def _trim(folder: Path, prefix: str, most: int) -> None:
    entries = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):           # another process may have deleted it
                    entries.append((entry.stat().st_mtime_ns, entry.path))
    for _, path in sorted(entries)[:max(len(entries) - most, 0)]:
        with contextlib.suppress(OSError):
            os.unlink(path)


def read_file(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head = len(MAGIC) + 32
    if data[:len(MAGIC)] != MAGIC or hashlib.sha256(data[head:]).digest() != data[len(MAGIC):head]:
        return None
    return data[head:]


def write(key: str, contents: bytes) -> bool:
    """Stores an entry; False (and, once, a warning) if the cache cannot be written: then it is kept for this process.
    """
    folder = directory()
    try:
        make_private(folder)
        write_file(folder / key, contents)
    except OSError as error:
        if folder not in _spares:
            warnings.warn(f"graphc: the cache of compiled kernels at {folder} cannot be written ({error}); each "
                          "process compiles them anew. Set GRAPHC_CACHE to a directory of yours.", stacklevel=2)
        with contextlib.suppress(OSError):             # no room for temporary files either: it is compiled again
            write_file(_spare(folder) / key, contents)
        return False
    return True


def _spare(folder: Path) -> Path:
    """The temporary folder in place of `folder`, removed with the process that made it."""
    if folder not in _spares:
        _spares[folder] = made = Path(tempfile.mkdtemp(prefix="graphc-"))
        process = os.getpid()
        atexit.register(lambda: shutil.rmtree(made, ignore_errors=True) if os.getpid() == process else None)
    return _spares[folder]


def make_private(folder: Path) -> None:
    """Makes the directory, for this user alone; refuses one that belongs to somebody else."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Held by one process at a time, as far as they share the cache and it can be written."""
    try:
        make_private(directory())
        handle = os.open(directory() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_file(path: Path, contents: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(contents).digest() + contents)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def tool_versions() -> str:
    """What machine code depends on besides the sources. Does not import numba."""
    from importlib.metadata import version
    return f"numba {version('numba')} llvmlite {version('llvmlite')} python {sys.version_info[:2]}"


def hash_of(*parts: str | bytes) -> str:
    """A name for an entry whose contents depend on `parts`."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:40]
