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
    """Python's logger "tensorflow", which all of `tf.logging` writes to. As `tf.get_logger`.

    WARN and above go to stderr, unless Python's logging is set up otherwise.

    >>> gc.compat.v1.get_logger().name
    'tensorflow'
    """
    return _logger()


@public("compat.v1.logging.log")
def log(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """Writes a message of this level (logging.WARN ...) to the log; args fill its % places.

    As `tf.logging.log`. The example shows what is logged by a filter that takes it away. Raises TypeError for a level
    that is no int; a message whose % places do not fit is reported to stderr, and the program goes on.

    >>> logging, logger, shown = gc.compat.v1.logging, gc.compat.v1.get_logger(), []
    >>> note = lambda record: shown.append((record.levelname, record.getMessage()))
    >>> logger.addFilter(note)
    >>> logging.log(logging.WARN, "loss %.2f after %d steps", 0.25, 10)
    >>> logger.removeFilter(note)
    >>> shown
    [('WARNING', 'loss 0.25 after 10 steps')]
    """
    _logger().log(level, msg, *args, **kwargs)


@public("compat.v1.logging.debug")
def debug(msg: str, *args: Any, **kwargs: Any) -> None:
    """`log` with the level DEBUG: not shown unless `set_verbosity` asks for it.

    msg: a string, whose % places args fill. As `tf.logging.debug`.

    >>> gc.compat.v1.logging.debug("batch of %d", 32)
    """
    _logger().debug(msg, *args, **kwargs)


@public("compat.v1.logging.info")
def info(msg: str, *args: Any, **kwargs: Any) -> None:
    """`log` with the level INFO, which a program shows after `set_verbosity(logging.INFO)`.

    msg: a string, whose % places args fill. As `tf.logging.info`.

    >>> gc.compat.v1.logging.info("step %d", 3)
    """
    _logger().info(msg, *args, **kwargs)


@public("compat.v1.logging.warning", "compat.v1.logging.warn")
def warning(msg: str, *args: Any, **kwargs: Any) -> None:
    """`log` with the level WARN: shown by default, as "WARNING:tensorflow:...".

    msg: a string, whose % places args fill. As `tf.logging.warning`.

    >>> gc.compat.v1.logging.warning("no checkpoint in %s", "logs")
    """
    _logger().warning(msg, *args, **kwargs)


@public("compat.v1.logging.error")
def error(msg: str, *args: Any, **kwargs: Any) -> None:
    """`log` with the level ERROR; nothing is raised.

    msg: a string, whose % places args fill. As `tf.logging.error`.

    >>> gc.compat.v1.logging.error("%d records are damaged", 2)
    """
    _logger().error(msg, *args, **kwargs)


@public("compat.v1.logging.fatal")
def fatal(msg: str, *args: Any, **kwargs: Any) -> None:
    """`log` with the level FATAL; the program goes on.

    msg: a string, whose % places args fill. As `tf.logging.fatal`.

    >>> gc.compat.v1.logging.fatal("out of %s", "disk")
    """
    _logger().critical(msg, *args, **kwargs)


@public("compat.v1.logging.vlog")
def vlog(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """The same as `log`.

    level: an int, TypeError for anything else. As `tf.logging.vlog`.

    >>> gc.compat.v1.logging.vlog(gc.compat.v1.logging.DEBUG, "batch of %d", 32)
    """
    _logger().log(level, msg, *args, **kwargs)


@public("compat.v1.logging.log_every_n")
def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs the first, the n+1st, ... message of the calling line; args fill its % places.

    level: an int; n: a positive int. As `tf.logging.log_every_n`.

    >>> logging, logger, shown = gc.compat.v1.logging, gc.compat.v1.get_logger(), []
    >>> note = lambda record: shown.append(record.getMessage())
    >>> logger.addFilter(note)
    >>> for step in range(5):
    ...     logging.log_every_n(logging.WARN, "step %d", 2, step)
    >>> logger.removeFilter(note)
    >>> shown
    ['step 0', 'step 2', 'step 4']
    """
    count = _counted()
    if count % n == 0:
        log(level, msg, *args)


@public("compat.v1.logging.log_first_n")
def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Logs the first n messages of the calling line; args fill their % places.

    level and n: ints, else TypeError. As `tf.logging.log_first_n`.

    >>> logging, logger, shown = gc.compat.v1.logging, gc.compat.v1.get_logger(), []
    >>> note = lambda record: shown.append(record.getMessage())
    >>> logger.addFilter(note)
    >>> for step in range(5):
    ...     loss = 1 / (step + 1)
    ...     logging.log_first_n(logging.WARN, "loss %f", 2, loss)
    >>> logger.removeFilter(note)
    >>> shown
    ['loss 1.000000', 'loss 0.500000']
    """
    if _counted() < n:
        log(level, msg, *args)


@public("compat.v1.logging.log_if")
def log_if(level: int, msg: str, condition: Any, *args: Any) -> None:
    """`log` where the condition, a Python value, is true.

    Raises TypeError if it is a tensor. As `tf.logging.log_if`.

    >>> loss = 0.5
    >>> gc.compat.v1.logging.log_if(gc.compat.v1.logging.WARN, "loss is %f", loss > 100, loss)
    """
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
    """The least level that is shown: 10 DEBUG, 20 INFO, 30 WARN, 40 ERROR, 50 FATAL.

    An int. As `tf.logging.get_verbosity`.

    >>> gc.compat.v1.logging.get_verbosity() in (10, 20, 30, 40, 50)
    True
    """
    return _logger().getEffectiveLevel()


@public("compat.v1.logging.set_verbosity")
def set_verbosity(v: int | str) -> None:
    """Sets the least level that is shown, a number or a name as "INFO".

    Raises ValueError for an unknown name, TypeError for what is neither an int nor a string. As
    `tf.logging.set_verbosity`.

    >>> before = gc.compat.v1.logging.get_verbosity()
    >>> gc.compat.v1.logging.set_verbosity(gc.compat.v1.logging.INFO)
    >>> gc.compat.v1.logging.get_verbosity()
    20
    >>> gc.compat.v1.logging.set_verbosity(before)
    """
    _logger().setLevel(v)


@public("compat.v1.logging.flush")
def flush() -> None:
    """What the handlers of the log hold back is written. As `tf.logging.flush`.

    >>> gc.compat.v1.logging.flush()
    """
    for handler in _logger().handlers:
        handler.flush()


@public("compat.v1.logging.TaskLevelStatusMessage")
def TaskLevelStatusMessage(msg: str) -> None:
    """The same as `error`.

    msg: a string. As `tf.logging.TaskLevelStatusMessage`.

    >>> gc.compat.v1.logging.TaskLevelStatusMessage("worker 0 is done")
    """
    error(msg)
