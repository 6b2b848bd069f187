"""Regular expressions, in RE2's syntax."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.strings.regex import RegexFullMatch, RegexReplace, StaticRegexFullMatch, StaticRegexReplace


def _text(value):
    """A pattern that is known, as str; None: it is a tensor, or no UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return value if isinstance(value, str) else None


@public("strings.regex_replace", "regex_replace")
def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    """Each string with the matches of `pattern` (or the first one) replaced, as `tf.strings.regex_replace`."""
    texts = _text(pattern), _text(rewrite)
    if None not in texts:
        return apply(StaticRegexReplace, input, name=name, pattern=texts[0], rewrite=texts[1],
                     replace_global=replace_global)
    return apply(RegexReplace, input, pattern, rewrite, name=name, replace_global=replace_global)


@public("strings.regex_full_match")
def regex_full_match(input, pattern, name=None):
    """Whether `pattern` matches the whole of each string, as `tf.strings.regex_full_match`."""
    text = _text(pattern)
    if text is not None:
        return apply(StaticRegexFullMatch, input, name=name, pattern=text)
    return apply(RegexFullMatch, input, pattern, name=name)
