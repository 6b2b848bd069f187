"""Steps that take elements from several datasets: sample_from_datasets, choose_from_datasets."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graphc import errors
from graphc.data.pipeline import Run, Step, tensors_among
from graphc.data.structure import Element, map_leaves
from graphc.data.words import random_words


class Mixed(Step):
    """Elements of `steps`, all alike."""

    def __init__(self, steps: Sequence[Step], *before: Step) -> None:
        if not steps:
            raise ValueError("there must be at least one dataset")
        self.steps = tuple(steps)
        self.before = (*steps, *before)
        structure = steps[0].structure
        for other in steps[1:]:
            structure = map_leaves(lambda a, b: a.either(b), structure, other.structure)
        self.structure = structure

    def elements(self, run: Run, choices: Callable[[list[bool]], Iterator[int]]) -> Iterator[Element]:
        """Those of the datasets that are chosen; choices is told which of them go on."""
        streams = [step.open(run) for step in self.steps]
        going = [True] * len(streams)
        for choice in choices(going):
            if not 0 <= choice < len(streams):
                raise errors.InvalidArgumentError(f"Selector index out of range: {choice} of {len(streams)} datasets")
            if going[choice]:
                element = next(streams[choice], None)
                if element is not None:
                    yield element
                    continue
                going[choice] = False
            if not any(going):
                return


class Chosen(Mixed):
    """The next element of the dataset that `choice` names; one that has ended is left out."""

    def __init__(self, steps: Sequence[Step], choice: Step) -> None:
        super().__init__(steps, choice)
        self.choice = choice

    def open(self, run: Run) -> Iterator[Element]:
        return self.elements(run, lambda _: (int(element[0]) for element in self.choice.open(run)))


class Sampled(Mixed):
    """Each element is of a dataset drawn by weights; one that has ended is drawn no more."""

    def __init__(self, steps: Sequence[Step], weights: Any, seeds: tuple[Any, Any]) -> None:
        super().__init__(steps)
        self.weights, self.seeds = weights, seeds
        self.tensors = tensors_among(weights, *seeds)

    def open(self, run: Run) -> Iterator[Element]:
        words = random_words((run.number(self.seeds[0]), run.number(self.seeds[1])))
        weights = np.asarray(run.value(self.weights), np.float64)

        def choices(going: list[bool]) -> Iterator[int]:
            while True:
                left = np.cumsum(weights * going)
                if left[-1] <= 0:
                    return
                yield int(np.searchsorted(left, (words.next() + 0.5) / 2.0**32 * left[-1]))

        return self.elements(run, choices)
