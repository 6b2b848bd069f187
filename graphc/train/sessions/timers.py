"""When a hook acts: every so many steps or seconds, or never."""
from __future__ import annotations

import time

from graphc.api.public import public


@public("train.SecondOrStepTimer")
class SecondOrStepTimer:
    """Triggers every `every_secs` seconds or `every_steps` steps, and the first time. As `tf.train.SecondOrStepTimer`.

    Raises ValueError unless exactly one of them is given.
    should_trigger_for_step(step) tells whether it is time; update_last_triggered_step(step) counts from there on,
    and gives (seconds, steps) since the last one, (None, None) the first time.

    >>> timer = gc.train.SecondOrStepTimer(every_steps=10)
    >>> timer.should_trigger_for_step(0), timer.update_last_triggered_step(0)
    (True, (None, None))
    >>> timer.should_trigger_for_step(9), timer.should_trigger_for_step(10)
    (False, True)
    """

    def __init__(self, every_secs: float | None = None, every_steps: int | None = None) -> None:
        if every_secs is None and every_steps is None:
            raise ValueError("Either every_secs or every_steps should be provided.")
        if every_secs is not None and every_steps is not None:
            raise ValueError("Can not provide both every_secs and every_steps.")
        self._every_secs = every_secs
        self._every_steps = every_steps
        self.reset()

    def reset(self) -> None:
        """As if it had never triggered."""
        self._last_step: int | None = None
        self._last_time = 0.0

    def should_trigger_for_step(self, step: int) -> bool:
        """Whether it is time at this step: never twice for one step."""
        if self._last_step is None:
            return True
        if step == self._last_step:
            return False
        if self._every_secs is not None:
            return time.time() >= self._last_time + self._every_secs
        return step >= self._last_step + self._every_steps

    def update_last_triggered_step(self, step: int) -> tuple[float | None, int | None]:
        """Notes that it triggered now; (seconds, steps) since the last time, (None, None) the first time."""
        now, before, at = time.time(), self._last_step, self._last_time
        self._last_step, self._last_time = step, now
        return (None, None) if before is None else (now - at, step - before)

    def last_triggered_step(self) -> int | None:
        """The step of the last update; None before the first."""
        return self._last_step


class NeverTimer:
    """Never triggers."""

    def reset(self) -> None:
        pass

    def should_trigger_for_step(self, step: int) -> bool:
        return False

    def update_last_triggered_step(self, step: int) -> tuple[None, None]:
        return None, None

    def last_triggered_step(self) -> None:
        return None
