"""Device names as TF writes them: "/job:worker/replica:0/task:0/device:GPU:0"; inner scopes override part by part."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PARTS = ("job", "replica", "task", "device")


def merge_devices(devices: Sequence[Any], operation: Any) -> str:
    """The device that nested scopes give the operation together: names, or functions of it that give one (None: no
    change).

    Raises ValueError for text that is no device name.
    """
    merged: dict[str, str] = {}
    for given in devices:
        device = given(operation) if callable(given) else given
        if isinstance(device, str):
            merged.update(_parse(device))
        elif hasattr(device, "to_string"):
            merged.update(_parse(device.to_string()))
    return "".join(f"/{part}:{merged[part]}" for part in _PARTS if part in merged)


def _parse(device: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, device.split("/")):
        key, _, value = part.partition(":")
        if key.lower() in ("cpu", "gpu"):
            found["device"] = f"{key.upper()}:{value or '0'}"
        elif key == "device":
            kind, _, number = value.partition(":")
            found["device"] = f"{kind.upper()}:{number or '0'}"
        elif key in _PARTS:
            found[key] = value
        else:
            raise ValueError(f"'{device}' is not a device name: write it like '/cpu:0' or '/device:GPU:0'")
    return found
