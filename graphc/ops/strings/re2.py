"""Regular expressions in RE2's syntax, which TensorFlow has, as ones of Python's `re` that match the same.

Strings are decoded as UTF-8; a byte that is no part of a character is a surrogate, which only itself matches. Where the
two languages write one thing otherwise ($, \\s, [[:alpha:]], \\x{...}, \\Q...\\E, flags in the middle) the pattern is
rewritten. What RE2 does not know (lookaround, references to groups, possessive repetition) is an error as there; what
`re` cannot do (classes of Unicode, \\C, ungreedy mode) is refused.
"""
from __future__ import annotations

import functools
import re

from graphc.errors import InvalidArgumentError, UnimplementedError

_BYTES = "\\udc80-\\udcff"       # what decoding makes of bytes that are no characters
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": "\\t\\n\\f\\r "}
_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7f", "blank": "\\t ", "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}
_TO_LAST = "-\\ud7ff\\ue000-\\U0010ffff"     # ends a range: up to the last character, without those bytes
_NOT_POSIX = {name: f"{first}{_TO_LAST}" for name, first in (
    ("alnum", "\\x00-/:-@\\[-`{"), ("alpha", "\\x00-@\\[-`{"), ("digit", "\\x00-/:"),
    ("space", "\\x00-\\x08\\x0e-\\x1f!"), ("lower", "\\x00-`{"), ("upper", "\\x00-@\\["))}
_NOT_CLASSES = {name: f"{first}{_TO_LAST}" for name, first in (
    ("d", "\\x00-/:"), ("w", "\\x00-/:-@\\[-\\^`{"), ("s", "\\x00-\\x08\\x0b\\x0e-\\x1f!"))}
_WORD = "[0-9A-Za-z_]"
_EDGES = {"b": f"(?-i:(?<!{_WORD})(?={_WORD})|(?<={_WORD})(?!{_WORD}))",
          "B": f"(?-i:(?<!{_WORD})(?!{_WORD})|(?<={_WORD})(?={_WORD}))"}
_KEPT = frozenset("afnrtv")      # escapes that both have
MOST_REPEATED = 1000


def decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


@functools.lru_cache(256)
def compiled(pattern: bytes) -> re.Pattern[str]:
    """Raises InvalidArgumentError for what is no pattern, UnimplementedError for what `re` cannot do."""
    text = decoded(pattern)
    try:
        return re.compile(_Translation(text).run())
    except (re.error, _Wrong, OverflowError, RecursionError) as error:
        raise InvalidArgumentError(f"Invalid pattern: {text}, error: {error}") from None


def _code(character: str) -> int:
    """Of a character in a set, written as itself or as an escape; 0 for other escapes, all of ASCII."""
    return ord(character) if len(character) == 1 else int(character[2:], 16) if character.startswith("\\U") else 0


class _Wrong(ValueError):
    """What RE2 refuses."""


class _Translation:
    """One walk over the pattern. `flags`: of the groups that are open, the innermost last."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0
        self.flags = [frozenset[str]()]
        self.scopes = [0]        # how many groups a flag in the middle opened, in each group of the user's
        self.made: list[str] = []
        self.bare = True         # there is nothing before this that could be repeated

    def run(self) -> str:
        pattern = self.pattern
        while self.at < len(pattern):
            c = pattern[self.at]
            if c == "\\":
                self._escape()
            elif c == "[":
                self._set()
            elif c == "(":
                self._open()
            elif c == ")":
                self._close()
            elif c in "*+?{":
                self._repeat(c)
            else:
                self.at += 1
                self.made.append(self._single(c))
            if c != "(":
                self.bare = c == "|"
        if len(self.scopes) > 1:
            raise _Wrong(f"missing ): {pattern}")
        return "".join(self.made) + ")" * self.scopes[0]

    def _single(self, c: str) -> str:
        flags = self.flags[-1]
        if c == ".":
            return f"[^{_BYTES}]" if "s" in flags else f"[^\\n{_BYTES}]"
        if c == "$":
            return "(?=\\n|\\Z)" if "m" in flags else "(?:\\Z)"
        if c == "^":
            return "(?:\\A|(?<=\\n))" if "m" in flags else "(?:\\A)"
        if c == "|":
            return self._alternative()
        return c if c.isalnum() else re.escape(c)

    # Escapes

    def _escape(self) -> None:
        rest = self.pattern[self.at + 1:]
        if not rest:
            raise _Wrong("trailing \\")
        c = rest[0]
        if c == "Q":
            text, _, _ = rest[1:].partition("\\E")
            self.at += 2 + len(text) + (2 if "\\E" in rest[1:] else 0)
            self.made.append("".join(re.escape(t) for t in text))
            return
        if c in "dws":
            self.made.append(f"(?-i:[{_CLASSES[c]}])")
        elif c in "DWS":
            self.made.append(f"(?-i:[^{_CLASSES[c.lower()]}{_BYTES}])")
        elif c in "bB":
            self.made.append(_EDGES[c])
        elif c in "Az":
            self.made.append("(?:\\A)" if c == "A" else "(?:\\Z)")
        else:
            self.made.append(self._character())
            return
        self.at += 2

    def _character(self) -> str:
        """An escape that is one character, which the position goes after."""
        pattern, at = self.pattern, self.at
        c = pattern[at + 1] if at + 1 < len(pattern) else ""
        if c in "pP" and c:
            raise UnimplementedError(f"regular expressions: \\{c} (a class of Unicode) is not supported in "
                                     f"{pattern!r}; write the characters as [...]")
        if c == "C":
            raise UnimplementedError(f"regular expressions: \\C (any byte) is not supported in {pattern!r}")
        if c == "x":
            found = re.compile(r"x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})").match(pattern, at + 1)
            if found is None or int(found[1] or found[2], 16) > 0x10FFFF:
                raise _Wrong(f"invalid escape sequence: {pattern[at:at + 4]}")
            self.at = found.end()
            return f"\\U{int(found[1] or found[2], 16):08x}"
        if c == "0" or (c in "1234567" and c and pattern[at + 2:at + 3] in tuple("01234567")):
            digits = re.compile("[0-7]{1,3}").match(pattern, at + 1)
            assert digits is not None
            self.at = digits.end()
            return f"\\U{int(digits[0], 8):08x}"
        if c in _KEPT and c:
            self.at += 2
            return f"\\{c}"
        if not c or (c.isalnum() and c.isascii()) or not c.isascii():
            raise _Wrong(f"invalid escape sequence: \\{c}" if c else "trailing \\")
        self.at += 2
        return re.escape(c)

    # Sets

    def _set(self) -> None:
        pattern, begin = self.pattern, self.at
        self.at += 1
        negated = pattern.startswith("^", self.at)
        self.at += negated
        parts: list[str] = []
        first = True
        while first or not pattern.startswith("]", self.at):
            if self.at >= len(pattern):
                raise _Wrong(f"missing ]: {pattern[begin:]}")
            parts.append(self._member())
            first = False
        self.at += 1
        self.made.append(f"[{'^' if negated else ''}{''.join(parts)}{_BYTES if negated else ''}]")

    def _member(self) -> str:
        """A class, a character or a range in a set."""
        pattern = self.pattern
        if pattern.startswith("[:", self.at) and ":]" in pattern[self.at:]:
            name = pattern[self.at + 2:pattern.index(":]", self.at)]
            self.at += len(name) + 4
            if name.removeprefix("^") not in _POSIX:
                raise _Wrong(f"invalid character class range: [:{name}:]")
            if not name.startswith("^"):
                return _POSIX[name]
            if name[1:] not in _NOT_POSIX:
                raise UnimplementedError(f"regular expressions: [[:{name}:]] is not supported in {pattern!r}")
            return _NOT_POSIX[name[1:]]
        if pattern.startswith("\\", self.at) and pattern[self.at + 1:self.at + 2] in tuple("dwsDWS"):
            c = pattern[self.at + 1]
            self.at += 2
            return _CLASSES[c] if c.islower() else _NOT_CLASSES[c.lower()]
        low = self._set_character()
        if pattern.startswith("-", self.at) and pattern[self.at + 1:self.at + 2] not in ("]", ""):
            self.at += 1
            high = self._set_character()
            return f"{low}-\\ud7ff\\ue000-{high}" if _code(low) < 0xD800 and _code(high) > 0xDFFF else f"{low}-{high}"
        return low

    def _set_character(self) -> str:
        c = self.pattern[self.at:self.at + 1]
        if c == "\\":
            return self._character()
        self.at += 1
        return c if c.isalnum() else re.escape(c) if c.isascii() else c

    # Groups

    def _open(self) -> None:
        pattern, at = self.pattern, self.at
        if not pattern.startswith("(?", at):
            self._enter("(", 1, self.flags[-1])
            return
        named = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>").match(pattern, at)
        if named is not None:
            self._enter(f"(?P<{named[1]}>", len(named[0]), self.flags[-1])
            return
        said = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])").match(pattern, at)
        if said is None:
            raise _Wrong(f"invalid perl operator: {pattern[at:at + 3]}")
        if "U" in said[1] or "U" in (said[2] or ""):
            raise UnimplementedError(f"regular expressions: the flag U (ungreedy) is not supported in {pattern!r}; "
                                     "write *? and +?")
        flags = self.flags[-1].union(said[1]).difference(said[2] or "")
        opening = "(?i:" if "i" in flags else "(?-i:"
        if said[3] == ":":
            self._enter(opening, len(said[0]), flags)
        else:                              # for the rest of the group
            self.at += len(said[0])
            if ("i" in flags) != ("i" in self.flags[-1]):
                self.made.append(opening)
                self.scopes[-1] += 1
                self.bare = True
            self.flags[-1] = flags

    def _enter(self, opening: str, length: int, flags: frozenset[str]) -> None:
        self.at += length
        self.made.append(opening)
        self.flags.append(flags)
        self.scopes.append(0)
        self.bare = True

    def _alternative(self) -> str:
        """Flags in the middle hold for all alternatives behind them, so what they opened is closed and opened again."""
        if not self.scopes[-1]:
            return "|"
        closed, self.scopes[-1] = ")" * self.scopes[-1], 1
        return f"{closed}|{'(?i:' if 'i' in self.flags[-1] else '(?-i:'}"

    def _close(self) -> None:
        if len(self.scopes) == 1:
            raise _Wrong(f"unexpected ): {self.pattern}")
        self.at += 1
        self.made.append(")" * (self.scopes.pop() + 1))
        self.flags.pop()

    # Repetition

    def _repeat(self, c: str) -> None:
        pattern, at = self.pattern, self.at
        counted = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}").match(pattern, at)
        if c == "{" and counted is None:
            self.at += 1
            self.made.append("\\{")
            return
        whole = counted[0] if c == "{" and counted is not None else c
        if counted is not None and c == "{" and any(int(n) > MOST_REPEATED for n in counted.groups() if n):
            raise _Wrong(f"invalid repetition size: {whole}")
        if self.bare:
            raise _Wrong(f"no argument for repetition operator: {c}")
        self.at += len(whole)
        if pattern.startswith("?", self.at):
            self.at += 1
            whole += "?"
        if pattern[self.at:self.at + 1] in ("*", "+", "?") and pattern[self.at:self.at + 1]:
            raise _Wrong(f"bad repetition operator: {whole}{pattern[self.at]}")
        self.made.append(whole)
