"""Ops with regular expressions: RegexReplace, RegexFullMatch, and those whose pattern is known beforehand."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, bool_, string
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import WORDS, EachString, check_scalar, check_string, strings_of, text, texts
from graphc.ops.strings.re2 import compiled, decoded, encoded

_LINES = texts("abxd", "hello world", "a\nb\n", "", b"a\xffb", "Wörld 12")
_REPLACED = (("x*", "-"), (r"(\w+) (\w+)", r"\2 \1 \0 \\"), ("b$", "."), (".", "x"), ("[^a]", "y"),
             (r"\s|[[:digit:]]", ""), ("(?i)W|L", "_"), ("", "-"), ("b", r"\3"), ("b", r"<\q>"))


def replaced(pattern: bytes, rewrite: bytes, everywhere: bool) -> Callable[[bytes], bytes]:
    """A string with the (first) match replaced. An empty match right after another one does not count, as in RE2."""
    found = compiled(pattern)
    written, complete, most = rewriter(decoded(rewrite))
    if most <= found.groups and (complete or everywhere) and not _may_match_nothing(pattern):
        template = "".join(p.replace("\\", "\\\\") if isinstance(p, str) else rf"\g<{p}>" for p in written)
        change, count = found.sub, 0 if everywhere else 1
        return lambda value: encoded(change(template, decoded(value), count))
    return _replaced_slowly(found, written, complete or everywhere, most, everywhere)


def _may_match_nothing(pattern: bytes) -> bool:
    """Whether some match may be empty; True, too, where it looks at what is around (`re` takes another match there)."""
    around = re.search(rb"(?<!\[)\^|\$|\\[bBAz]", pattern) is not None
    return around or compiled(pattern).fullmatch("") is not None


def _replaced_slowly(pattern: re.Pattern[str], written: list[str | int], complete: bool, most: int,
                     everywhere: bool) -> Callable[[bytes], bytes]:
    def of(value: bytes) -> bytes:
        text = decoded(value)
        if most > pattern.groups or not complete:
            return value
        made: list[str] = []
        at, last = 0, -1
        while at <= len(text):
            found = pattern.search(text, at)
            if found is None:
                break
            made.append(text[at:found.start()])
            if found.start() == found.end() == last:
                made.append(text[at:at + 1])
                at += 1
                continue
            made += [part if isinstance(part, str) else found[part] or "" for part in written]
            at = last = found.end()
            if not everywhere:
                break
        return encoded("".join(made) + text[at:]) if last >= 0 else value

    return of


def rewriter(rewrite: str) -> tuple[list[str | int], bool, int]:
    """The parts of a rewrite: text and numbers of groups; it ends where RE2's does, at what is no escape."""
    parts: list[str | int] = []
    at, complete = 0, True
    while at < len(rewrite):
        if rewrite[at] != "\\":
            parts.append(rewrite[at])
            at += 1
            continue
        c = rewrite[at + 1:at + 2]
        if c.isdigit() and c.isascii():
            parts.append(int(c))
        elif c == "\\":
            parts.append("\\")
        else:
            complete = False
            break
        at += 2
    return parts, complete, max((p for p in parts if isinstance(p, int)), default=0)


class _Replace(Host):
    results = ("output",)
    replace_global: bool

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def replaced(self, x: np.ndarray, pattern: bytes, rewrite: bytes) -> np.ndarray:
        change = replaced(pattern, rewrite, self.replace_global)
        return strings_of(map(change, x.ravel().tolist()), x.shape)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


@register
class RegexReplace(_Replace):
    """Each string with the matches of `pattern` replaced by `rewrite`."""

    operands = ("input", "pattern", "rewrite")
    replace_global: bool = attr("bool", True)
    samples: ClassVar = [*(Sample({"replace_global": g}, (_LINES, text(p), text(r)), gradient=False)
                           for p, r in _REPLACED for g in (True, False)),
                         Sample({}, (_LINES[:0], text("a"), text("b")), gradient=False),
                         Sample({}, (text("aXa"), text("a"), text("")), gradient=False)]

    def infer(self, x: Spec, pattern: Spec, rewrite: Spec) -> Spec:
        check_string(self, input=x, pattern=pattern, rewrite=rewrite)
        check_scalar("pattern", pattern)
        check_scalar("rewrite", rewrite)
        return Spec(string, x.shape)

    def compute(self, x: np.ndarray, pattern: np.ndarray, rewrite: np.ndarray) -> np.ndarray:
        return self.replaced(x, pattern[()], rewrite[()])


@register
class StaticRegexReplace(_Replace):
    """Each string with the matches of `pattern` replaced by `rewrite`."""

    operands = ("input",)
    pattern: str = attr("string")
    rewrite: str = attr("string")
    replace_global: bool = attr("bool", True)
    samples: ClassVar = [Sample({"pattern": p, "rewrite": r, "replace_global": g}, (x,), gradient=False)
                         for p, r in _REPLACED for g in (True, False) for x in (_LINES, WORDS.reshape(2, 3))]

    def infer(self, x: Spec) -> Spec:
        check_string(self, input=x)
        return Spec(string, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        return self.replaced(x, encoded(self.pattern), encoded(self.rewrite))


def _matches(pattern: bytes) -> Callable[[bytes], bool]:
    found = compiled(pattern)
    return lambda value: found.fullmatch(decoded(value)) is not None


_MATCHED = ("a.*", "", ".*", r"\w+ \w+", "(a|b|x|d)+", r"a\nb\n", "[^b]*")


@register
class RegexFullMatch(Host):
    """Whether `pattern` matches the whole of each string."""

    operands = ("input", "pattern")
    results = ("output",)
    samples: ClassVar = [*(Sample({}, (_LINES.reshape(2, 3), text(p)), gradient=False) for p in _MATCHED),
                         Sample({}, (_LINES[:0], text("a")), gradient=False)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (bool_,)

    def infer(self, x: Spec, pattern: Spec) -> Spec:
        check_string(self, input=x, pattern=pattern)
        check_scalar("pattern", pattern)
        return Spec(bool_, x.shape)

    def compute(self, x: np.ndarray, pattern: np.ndarray) -> np.ndarray:
        return np.fromiter(map(_matches(pattern[()]), x.ravel().tolist()), np.bool_, x.size).reshape(x.shape)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None]


@register
class StaticRegexFullMatch(EachString):
    """Whether `pattern` matches the whole of each string."""

    dtype_of = bool_
    pattern: str = attr("string")
    samples: ClassVar = [Sample({"pattern": p}, (x,), gradient=False) for p in _MATCHED for x in (_LINES, text("ab"))]

    def each(self) -> Callable[[bytes], Any]:
        return _matches(encoded(self.pattern))
