"""StubOutForTesting: replaces attributes, and puts them back."""
from __future__ import annotations

import inspect
from typing import Any

from graphc.api.public import public


@public("test.StubOutForTesting")
class StubOutForTesting:
    """Replaces attributes for a test, as `tf.test.StubOutForTesting`; leaving it as a context puts everything back.

    >>> with gc.test.StubOutForTesting() as stubs:
    ...     stubs.Set(np, "pi", 3)
    ...     print(np.pi)
    3
    >>> round(np.pi, 2)
    3.14
    """

    def __init__(self) -> None:
        self._set: list[tuple[Any, str, Any]] = []
        self._smart_set: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> StubOutForTesting:
        return self

    def __exit__(self, *error: Any) -> None:
        self.CleanUp()

    def __del__(self) -> None:
        self.CleanUp()

    def CleanUp(self) -> None:
        """Puts everything back."""
        self.SmartUnsetAll()
        self.UnsetAll()

    def Set(self, parent: Any, child_name: str, new_child: Any) -> None:
        """Replaces parent.child_name until UnsetAll."""
        self._set.append((parent, child_name, _as_stored(parent, child_name)))
        setattr(parent, child_name, new_child)

    def SmartSet(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        """The same where the attribute is defined, which may be a base class of obj. Raises AttributeError if there is
        none."""
        owner = obj
        if not inspect.ismodule(obj) and attr_name not in vars(obj):
            bases = inspect.getmro(obj if inspect.isclass(obj) else type(obj))
            owner = next((base for base in bases if attr_name in vars(base)), None)
            if owner is None:
                raise AttributeError(f"Attribute not found: {obj!r} has no {attr_name!r}")
        self._smart_set.append((owner, attr_name, _as_stored(owner, attr_name)))
        setattr(owner, attr_name, new_attr)

    def UnsetAll(self) -> None:
        """Puts back what Set replaced."""
        while self._set:
            setattr(*self._set.pop())

    def SmartUnsetAll(self) -> None:
        """Puts back what SmartSet replaced."""
        while self._smart_set:
            setattr(*self._smart_set.pop())


def _as_stored(parent: Any, name: str) -> Any:
    """The attribute as the parent holds it: a staticmethod stays one."""
    held = vars(parent).get(name) if hasattr(parent, "__dict__") else None
    return held if isinstance(held, staticmethod) else getattr(parent, name)
