"""A failing program shrunken and written down."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compare import Problem, check
from oracle import Oracle
from printing import script
from programs import Program, build
from shrink import shrink


@dataclass(frozen=True)
class Finding:
    seed: int
    signature: str
    text: str
    program: Program

    def script(self) -> str:
        comments = f"Seed {self.seed}. {self.signature}\n{self.text}"
        return script(self.program, comments, _expected(self.program))

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed_{self.seed}_{''.join(c if c.isalnum() else '_' for c in self.signature)[:60]}.py"
        path.write_text(self.script())
        return path


def _expected(program: Program) -> list[object] | None:
    try:
        built = build(program)
        return Oracle(built, [f._ref() if hasattr(f, "_ref") else f for f in
                              (built.elements[n] for n in program.fetches)], program.schedule, 1).values()
    except Exception:      # it does not even build
        return None


def found(seed: int, program: Program, problem: Problem, seconds: float = 30.0) -> Finding:
    executor = problem.signature.partition(":")[0]
    wanted = {executor}
    values = problem.signature.endswith(("values:", "bits", "shape", "dtype"))

    def same(candidate: Program) -> Problem | None:
        try:
            problems = check(candidate, wanted, values).problems
        except Exception:      # a program that makes no sense any more
            return None
        return next((p for p in problems if p.signature == problem.signature), None)

    smaller = shrink(program, lambda p: same(p) is not None, seconds)
    return Finding(seed, problem.signature, (same(smaller) or problem).text, smaller)
