"""`tf.logging`: messages through Python's logging, by the logger "tensorflow"."""
from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from typing import Any

from graphc.api.public import public

DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50
_counts: Counter[tuple[str, int]] = Counter()
_lock = threading.Lock()


def _logger() -> logging.Logger:
    """TensorFlow's logger: WARN and above to stderr as "WARNING:tensorflow:text", unless Python's logging is set up."""
    with _lock:
        logger = logging.getLogger("tensorflow")
        if not logger.handlers and not getattr(logger, "_graphc_ready", False):
            logger._graphc_ready = True  # type: ignore[attr-defined]
            logger.setLevel(INFO if hasattr(sys, "ps1") else WARN)
            if not logging.getLogger().handlers:
                handler = logging.StreamHandler(sys.stderr)
                handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
                logger.addHandler(handler)
        return logger


@public("compat.v1.get_logger")
def get_logger() -> logging.Logger:
    """TensorFlow's logger, as `tf.get_logger`."""
    return _logger()


@public("compat.v1.logging.log")
def log(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.log`."""
    _logger().log(level, msg, *args, **kwargs)


@public("compat.v1.logging.debug")
def debug(msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.debug`."""
    _logger().debug(msg, *args, **kwargs)


@public("compat.v1.logging.info")
def info(msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.info`."""
    _logger().info(msg, *args, **kwargs)


@public("compat.v1.logging.warning", "compat.v1.logging.warn")
def warning(msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.warning`."""
    _logger().warning(msg, *args, **kwargs)


@public("compat.v1.logging.error")
def error(msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.error`."""
    _logger().error(msg, *args, **kwargs)


@public("compat.v1.logging.fatal")
def fatal(msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.fatal`: it logs, and does not end the program."""
    _logger().critical(msg, *args, **kwargs)


@public("compat.v1.logging.vlog")
def vlog(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """As `tf.logging.vlog`."""
    _logger().log(level, msg, *args, **kwargs)


@public("compat.v1.logging.log_every_n")
def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs the first, the n+1st, ... message of the calling line, as `tf.logging.log_every_n`."""
    count = _counted()
    if count % n == 0:
        log(level, msg, *args)


@public("compat.v1.logging.log_first_n")
def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs the first n messages of the calling line, as `tf.logging.log_first_n`."""
    if _counted() < n:
        log(level, msg, *args)


@public("compat.v1.logging.log_if")
def log_if(level: int, msg: str, condition: Any, *args: Any) -> None:
    """As `tf.logging.log_if`."""
    if condition:
        log(level, msg, *args)


def _counted() -> int:
    """How often the line that logs has been here before."""
    from graphc.ir.user_frame import user_line

    with _lock:
        line = user_line()
        _counts[line] += 1
        return _counts[line] - 1


@public("compat.v1.logging.get_verbosity")
def get_verbosity() -> int:
    """As `tf.logging.get_verbosity`."""
    return _logger().getEffectiveLevel()


@public("compat.v1.logging.set_verbosity")
def set_verbosity(v: int | str) -> None:
    """As `tf.logging.set_verbosity`."""
    _logger().setLevel(v)


@public("compat.v1.logging.flush")
def flush() -> None:
    """As `tf.logging.flush`."""
    for handler in _logger().handlers:
        handler.flush()


@public("compat.v1.logging.TaskLevelStatusMessage")
def TaskLevelStatusMessage(msg: str) -> None:
    """As `tf.logging.TaskLevelStatusMessage`."""
    error(msg)
