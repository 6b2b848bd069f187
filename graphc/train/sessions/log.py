"""Where hooks and supervisors report: the logger that `tf.logging` writes to as well."""
from __future__ import annotations

import logging
from collections import Counter

LOG = logging.getLogger("tensorflow")


class FewTimes:
    """Reports each message only the first `most` times."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: Counter[str] = Counter()

    def log(self, level: int, message: str, *values: object) -> None:
        self._told[message] += 1
        if self._told[message] <= self._most:
            LOG.log(level, message, *values)
