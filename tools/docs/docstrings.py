"""A docstring as Markdown: examples become code, `gc.X` and `tf.X` become links, the rest stands as it is."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Link = Callable[[str], str | None]      # "gc.nn.relu" -> where it is described

TENSORFLOW = "https://github.com/tensorflow/docs/blob/r1.15/site/en/api_docs/python"
ARGUMENTS = re.compile(r"(?:Args|Arguments|Returns|Raises):\n(?=    \S)")
CODE = re.compile(r"(`[^`]+`)")


def markdown(docstring: str, link: Link) -> str:
    """`link` gives the address of a public name, None for one that is not public."""
    return "\n\n".join(_blocks(docstring, link))


def _blocks(docstring: str, link: Link) -> Iterator[str]:
    for block in re.split(r"\n[ \t]*\n", docstring.rstrip().strip("\n")):
        example = re.search(r"^\s*>>>", block, re.MULTILINE)
        if example:
            if block[:example.start()].strip():
                yield _prose(block[:example.start()].rstrip(), link)
            yield f"```pycon\n{_dedented(block[example.start():].strip(chr(10)))}\n```"
        elif ARGUMENTS.match(block):
            yield _arguments(block, link)
        elif all(line.startswith("    ") for line in block.splitlines()):
            yield f"```python\n{_dedented(block)}\n```"
        elif block.strip():
            yield _prose(block, link)


def _arguments(block: str, link: Link) -> str:
    """A line that ends in ":" and, further in, `name: text` each, as a list. What is still further in continues one."""
    title, *lines = block.splitlines()
    items: list[str] = []
    for line in lines:
        text = line.strip()
        if line.startswith("     ") and items:
            items[-1] += f" {text}"
        else:
            items.append(text)
    made = [f"**{title.rstrip(':')}**", ""]
    for item in items:
        names, colon, text = item.partition(": ")
        made.append(f"- `{names}`: {_prose(text, link)}" if colon and len(names) < 60 else f"- {_prose(item, link)}")
    return "\n".join(made)


def _dedented(block: str) -> str:
    lines = block.splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:].rstrip() for line in lines)


def _prose(block: str, link: Link) -> str:
    block = re.sub(r"\n +(?![-*\d])", "\n", block)      # continuation lines of a list's item
    return "".join(linked(part, link) if part.startswith("`") else escaped(part)
                   for part in CODE.split(block))


def linked(code: str, link: Link) -> str:
    """A code span, with a link if it is a public name or one of TensorFlow's."""
    name = code.strip("`").removesuffix("()")
    address = tensorflow_address(name) if re.fullmatch(r"tf(\.\w+)+", name) else None
    if re.fullmatch(r"gc(\.\w+)+", name):
        address = link(name)
    return f"[{code}]({address})" if address else code


def tensorflow_address(name: str) -> str:
    """Where TensorFlow 1.15 describes `tf.train.Saver` or, a method, `tf.Session.run`."""
    parts = name.split(".")
    method = f"#{parts.pop()}" if len(parts) > 2 and parts[-2][0].isupper() else ""
    return f"{TENSORFLOW}/{'/'.join(parts)}.md{method}"


def escaped(text: str) -> str:
    """Text that Markdown would take for marks or HTML."""
    text = re.sub(r"([\\*_<\[\]|{}#~])", r"\\\1", text.replace("&", "&amp;"))
    return text.replace("\\<", "&lt;")
