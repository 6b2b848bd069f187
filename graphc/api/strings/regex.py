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
    r"""Each string with all matches of `pattern`, or only the first one, replaced by `rewrite`.

    pattern: a regular expression in RE2's syntax; rewrite: with \1 to \9 for its groups, \0 for all of the match. Both:
    Python strings or scalars. Strings of any shape, which the result has. As `tf.strings.regex_replace`. Raises
    TypeError for anything else, ValueError for patterns that are no scalar; one that is not valid is an
    InvalidArgumentError when run.

    >>> gc.strings.regex_replace(["2024-05-01", "a-b"], r"(\d+)-(\d+)", r"\2/\1").eval()
    array([b'05/2024-01', b'a-b'], dtype=object)
    >>> gc.strings.regex_replace(["aaa"], "a", "b", replace_global=False).eval()
    array([b'baa'], dtype=object)
    """
    texts = _text(pattern), _text(rewrite)
    if None not in texts:
        return apply(StaticRegexReplace, input, name=name, pattern=texts[0], rewrite=texts[1],
                     replace_global=replace_global)
    return apply(RegexReplace, input, pattern, rewrite, name=name, replace_global=replace_global)


@public("strings.regex_full_match")
def regex_full_match(input, pattern, name=None):
    """Whether `pattern` matches the whole of each string: bool.

    pattern: a regular expression in RE2's syntax, a Python string or a scalar. input: strings of any shape, which the
    result has. As `tf.strings.regex_full_match`. Raises TypeError for anything else, ValueError for patterns that are
    no scalar; one that is not valid is an InvalidArgumentError when run.

    >>> gc.strings.regex_full_match(["abc", "abcd"], "[a-c]+").eval()
    array([ True, False])
    """
    text = _text(pattern)
    if text is not None:
        return apply(StaticRegexFullMatch, input, name=name, pattern=text)
    return apply(RegexFullMatch, input, pattern, name=name)
