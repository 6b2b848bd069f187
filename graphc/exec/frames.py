"""The frames of an engine that no run uses, by the shapes that they are bound for.

A run takes one and gives it back. As long as there is room, frames stand where runs go the quick way (quick.py). When
the plan's maps get machine code, the frames bound before are retired: those in use when their runs end.
"""
from __future__ import annotations

from contextlib import suppress

from graphc.exec.frame import Frame, Shapes
from graphc.exec.quick import QuickRuns


class Frames:
    """free: by shapes, those bound last at the end. spare: bound for nothing."""

    def __init__(self) -> None:
        self.free: dict[Shapes, list[Frame]] = {}
        self.spare: list[Frame] = []
        self.quick: QuickRuns | None = None
        self._retired: list[Frame] = []
        self._generation = 0

    def take(self, shapes: Shapes) -> Frame | None:
        """One that is bound for these shapes."""
        try:
            return self.free[shapes].pop()
        except (KeyError, IndexError):
            return None if self.quick is None else self.quick.take(shapes)

    def keep(self, frame: Frame) -> None:
        """After its run."""
        if frame.generation != self._generation:
            self._retired.append(frame)
        elif self.quick is None or not self.quick.add(frame):
            self.free.setdefault(frame.shapes, []).append(frame)

    def bind(self, frame: Frame) -> None:
        """Before it is bound."""
        frame.generation = self._generation

    def oldest(self) -> Frame | None:
        """One that is bound for whatever shapes, those first that were bound longest ago."""
        if self.spare:
            return self.spare.pop()
        for shapes in list(self.free):
            try:
                frames = self.free[shapes]
                frame = frames.pop()
                if not frames:
                    self.free.pop(shapes, None)        # bound again, these shapes go to the end
            except (KeyError, IndexError):
                self.free.pop(shapes, None)
                continue
            return frame
        return None if self.quick is None else self.quick.take()

    def retire(self) -> list[Shapes]:
        """From now on none is used that was bound before. The shapes of those not in use, the ones bound last at the
        end."""
        self._generation += 1
        old, self.free = self.free, {}
        found = [frame for frames in list(old.values()) for frame in frames]
        if self.quick is not None:
            found = self.quick.clear() + found
        self._retired += found
        return list(dict.fromkeys(frame.shapes for frame in found))

    def retired(self) -> Frame | None:
        """One that is not in use and will not be any more, each once."""
        if self.quick is not None:
            self._retired += self.quick.left()
        with suppress(IndexError):             # another thread may have the last one
            return self._retired.pop()
        return None

    def idle(self) -> int:
        """How many are not in use."""
        return (sum(map(len, self.free.values())) + len(self.spare) + len(self._retired)
                + (0 if self.quick is None else self.quick.idle()))

    def forget(self) -> None:
        """Of a model that is not used any more."""
        self.free, self._retired = {}, []
        self.spare.clear()
        if self.quick is not None:
            self.quick.forget()

    def shapes(self) -> list[Shapes]:
        """What frames are bound for."""
        quick = [] if self.quick is None else [frame.shapes for frame in list(self.quick.frames)]
        return list(dict.fromkeys([*self.free, *quick]))
