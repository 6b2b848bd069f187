"""How much memory this process may take: the machine's, or less if its control groups say so."""
from __future__ import annotations

import functools
import os
from pathlib import Path, PurePosixPath


@functools.cache
def machine_memory() -> int:
    """Bytes: the smallest of the physical memory and the limits of the control groups (version 1 and 2) that this
    process is in, up to their roots."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")]
    try:
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:                       # no Linux
        return limits[0]
    return min(limits + group_limits(groups, mounts))


def group_limits(groups: list[str], mounts: list[str]) -> list[int]:
    """The limits that there are. groups, mounts: the lines of /proc/self/cgroup and /proc/self/mountinfo."""
    found = []
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        for root, point in _mounts(mounts, "cgroup" if controllers else "cgroup2", "memory" if controllers else ""):
            try:
                below = PurePosixPath(group).relative_to(root)
            except ValueError:            # mounted from somewhere else: a container that sees its own group as the root
                below = PurePosixPath()
            folder = Path(point) / below
            for place in [folder, *folder.parents][:len(below.parts) + 1]:
                found += _limit(place / name)
    return found


def _mounts(lines: list[str], kind: str, option: str) -> list[tuple[str, str]]:
    """(root, mount point) of the file systems of that kind."""
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if rest and rest[0] == kind and (not option or option in rest[-1].split(",")):
            found.append((_unescaped(fields[3]), _unescaped(fields[4])))
    return found


def _unescaped(path: str) -> str:
    return path.encode().decode("unicode_escape").encode("latin-1").decode(errors="surrogateescape")


def _limit(path: Path) -> list[int]:
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []         # "max": none
