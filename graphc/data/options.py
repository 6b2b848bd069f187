"""Options: settings of a dataset, none of which changes a result."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public

_SETTINGS = ("experimental_autotune", "experimental_deterministic", "experimental_distribute",
             "experimental_numa_aware", "experimental_optimization", "experimental_slack",
             "experimental_stateful_whitelist", "experimental_stats", "experimental_threading")


@public("data.experimental.OptimizationOptions", "data.experimental.ThreadingOptions",
        "data.experimental.DistributeOptions", "data.experimental.StatsOptions",
        "data.experimental.MapVectorizationOptions")
class Group:
    """Settings of one kind, whatever their names: elements come in order.

    As `tf.data.experimental.OptimizationOptions` and its kin.

    >>> options = gc.data.Options()
    >>> options.experimental_threading.private_threadpool_size = 4
    >>> options.experimental_threading.private_threadpool_size
    4
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


@public("data.Options")
class Options:
    """Settings of a dataset, as `tf.data.Options`: they are kept, and change nothing, as the order is always the same.

    Raises AttributeError for names that it does not have; Dataset.with_options raises TypeError for what is no Options.

    >>> options = gc.data.Options()
    >>> options.experimental_deterministic = False
    >>> gc.data.Dataset.range(3).with_options(options).options().experimental_deterministic
    False
    """

    def __init__(self) -> None:
        for name in _SETTINGS:
            object.__setattr__(self, name, None)
        for name in ("experimental_distribute", "experimental_optimization", "experimental_stats",
                     "experimental_threading"):
            object.__setattr__(self, name, Group())

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _SETTINGS:
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}.")
        object.__setattr__(self, name, value)

    def merge(self, options: Options) -> Options:
        """These, and on top of them those of `options` that are set."""
        if not isinstance(options, Options):
            raise TypeError(f"options must be a gc.data.Options, but is {options!r}")
        merged = Options()
        for source in (self, options):
            for name in _SETTINGS:
                value = getattr(source, name)
                if value is not None and (not isinstance(value, Group) or vars(value)):
                    setattr(merged, name, value)
        return merged
