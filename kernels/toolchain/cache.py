"""The disk cache of machine code: $GRAPHC_CACHE, else $XDG_CACHE_HOME/graphc, else ~/.cache/graphc; its owner's only.

An entry is a file named by a hash of all that its contents depend on; it begins with a checksum, so a damaged one
counts as missing. It is written beside and renamed, so that readers never see half of one; what writers that were
killed left is deleted by others later. A cache that cannot be written is not an error: one warning says so, and what
the process compiles is kept in a temporary folder as long as it lives.

Entries that may be many (fused programs) have an end: $GRAPHC_CACHE_SIZE bytes in all ("64M", "2G"; 256M if it is not
set); those used longest ago are deleted.
"""
from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

MAGIC = b"gcache1\n"
HEAD = len(MAGIC) + 32     # bytes before the contents: this, and a checksum
TEMPORARY = ".new-"
LEFT_BEHIND = 3600         # seconds after which nobody writes a temporary file any more
USUAL_SIZE = 256 << 20
LOOK_EVERY = 64            # written entries of a kind that may be many: other processes write, too
_warned: set[str] = set()
_spares: dict[Path, Path] = {}         # a folder that cannot be written -> the temporary one in its place
_sizes: dict[str, tuple[int, int]] = {}        # folder and kind -> bytes there, entries written


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


def write_few(key: str, contents: bytes, kind: str) -> bool:
    """As `write`, for entries that may be many, whose names begin with `kind`: the ones used longest ago are deleted
    when all together are larger than they may be."""
    written = write(key, contents)
    if written:
        folder, most = directory(), size_limit()
        size, count = _sizes.get(f"{folder} {kind}", (0, 0))
        size, count = size + HEAD + len(contents), count + 1
        if count % LOOK_EVERY == 1 or size > most:
            size = _trim(folder, kind, most)
            sweep(folder)
        _sizes[f"{folder} {kind}"] = size, count
    return written


def size_limit() -> int:
    """Bytes that entries of a kind may take together."""
    wanted = os.environ.get("GRAPHC_CACHE_SIZE", "")
    found = re.fullmatch(r"(\d+)\s*([KMG]?)B?", wanted.strip(), re.IGNORECASE)
    if found:
        return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2].upper()]
    if wanted and wanted not in _warned:
        _warned.add(wanted)
        warnings.warn(f"graphc: GRAPHC_CACHE_SIZE={wanted} is no size; write bytes, or as 64M or 2G. "
                      f"{USUAL_SIZE >> 20}M is used", stacklevel=2)
    return USUAL_SIZE


def _trim(folder: Path, kind: str, most: int) -> int:
    """Deletes what is too much, and a tenth more, so that it is not done for each entry. Returns how many bytes stay.
    """
    entries = sorted((status.st_mtime_ns, status.st_size, path) for path, status in _entries(folder, kind))
    size = sum(entry[1] for entry in entries)
    if size > most:
        for _, bytes_, path in entries[:-1]:               # never the one just written
            if size <= most - most // 10:
                break
            with contextlib.suppress(OSError):             # another process may have deleted it
                os.unlink(path)
            size -= bytes_
    return size


def sweep(folder: Path) -> None:
    """Deletes what writers that were killed have left."""
    now = time.time()
    for path, status in _entries(folder, TEMPORARY):
        if now - status.st_mtime > LEFT_BEHIND:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith(prefix):
                with contextlib.suppress(OSError):         # another process may have deleted it
                    yield entry.path, entry.stat()


def read_file(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if data[:len(MAGIC)] != MAGIC or hashlib.sha256(data[HEAD:]).digest() != data[len(MAGIC):HEAD]:
        return None
    return data[HEAD:]


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
                          "process compiles them again. Set GRAPHC_CACHE to a directory of yours.", stacklevel=2)
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
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
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
