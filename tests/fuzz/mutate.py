"""Mutations of saved Plans, by their structure: what is changed stays plausible, so as to reach deep into verify, bind
and run. A number becomes one near a limit, or what another field of its kind holds (an id that exists); a message (a
dim, an access, a step, a body) becomes or is joined by a copy of another of its kind; lists lose, double and swap
elements. Bytes of the file are changed too, for the reader.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from graphc.serial.plan_pb2 import SavedPlan

INTERESTING = (0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 256, 2**15, 2**31 - 1, 2**31, 2**32, 2**46, 2**47 - 1, 2**47,
               2**62, 2**63 - 1)
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-2**31, 2**31 - 1), FieldDescriptor.TYPE_SINT32: (-2**31, 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-2**63, 2**63 - 1), FieldDescriptor.TYPE_SINT64: (-2**63, 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1), FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_ENUM: (-2**31, 2**31 - 1),
}
Change = Callable[[random.Random], None]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """`data` (a SavedPlan) with one to four changes."""
    if rng.random() < 0.2:
        return mutate_bytes(data, rng)
    message = SavedPlan.FromString(data)
    mutate_message(message.plan, rng)
    return message.SerializeToString()


def mutate_graph(message: Message, rng: random.Random) -> None:
    """Makes one to four changes in a GraphDef or what holds one: as in Plans, and inputs, op types, attributes and
    calls of functions that are others of the graph's, so that cycles and functions that call themselves come up."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        nodes = [m for m in _messages(message) if m.DESCRIPTOR.name == "NodeDef"]
        if not nodes or rng.random() < 0.3:
            mutate_message(message, rng)
            continue
        node: Any = rng.choice(nodes)
        other: Any = rng.choice(nodes)
        kind = rng.randrange(5)
        if kind == 0 and node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(
                (other.name, f"{other.name}:1", f"^{other.name}", f"{other.name}:output:0", *node.input))
        elif kind == 1:
            node.op = other.op
        elif kind == 2 and other.attr:
            name = rng.choice(sorted(other.attr))
            node.attr[name].CopyFrom(other.attr[name])
        elif kind == 3 and node.attr:
            name = rng.choice(sorted(node.attr))
            if rng.random() < 0.4:
                del node.attr[name]
            else:
                mutate_message(node.attr[name], rng)
        else:
            functions = [m.name for m in _messages(message) if m.DESCRIPTOR.name == "OpDef"]
            calls = [m for m in _messages(node) if m.DESCRIPTOR.name == "NameAttrList"]
            if functions and calls:
                calls[0].name = rng.choice(functions)  # type: ignore[attr-defined]
            else:
                node.name = other.name


def mutate_message(message: Message, rng: random.Random) -> None:
    """Makes one to four changes in it."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if rng.random() < 0.4:
            _steal(message, rng)
        else:
            rng.choice(list(_changes(message)))(rng)


def _messages(message: Message) -> Iterator[Message]:
    """All messages inside, itself first."""
    yield message
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            held = value.values() if _is_map(field) else value if _is_list(field) else (value,)
            for inner in held:
                if isinstance(inner, Message):
                    yield from _messages(inner)


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _is_list(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def _steal(plan: Message, rng: random.Random) -> None:
    """Puts what stands in one message into another of its kind: a whole, one field, or an element of a list."""
    by_kind: dict[str, list[Message]] = {}
    for message in _messages(plan):
        by_kind.setdefault(message.DESCRIPTOR.full_name, []).append(message)
    alike = rng.choice([found for found in by_kind.values() if len(found) > 1] or list(by_kind.values()))
    target, source = rng.choice(alike), _copy(rng.choice(alike))
    fields = [field for field, _ in source.ListFields() if not _is_map(field)]
    if not fields or rng.random() < 0.3:
        target.CopyFrom(source)
        return
    field = rng.choice(fields)
    value = getattr(source, field.name)
    if not _is_list(field):
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(target, field.name).CopyFrom(value)
        else:
            setattr(target, field.name, value)
        return
    elements, taken = getattr(target, field.name), _copy(rng.choice(list(value)))
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        items = [_copy(e) for e in elements]
        items.insert(rng.randrange(len(items) + 1), taken)
        del elements[:]
        elements.extend(items)
    elif len(elements) and rng.random() < 0.8:
        elements[rng.randrange(len(elements))] = taken
    else:
        elements.insert(rng.randrange(len(elements) + 1), taken)


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    kind = rng.randrange(4)
    at = rng.randrange(len(changed))
    if kind == 0:
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        changed[at] = rng.randrange(256)
    elif kind == 2:
        del changed[at:]
    else:
        del changed[at:at + rng.randrange(1, 9)]
    return bytes(changed)


def _number(old: int, low: int, high: int, rng: random.Random) -> int:
    new = rng.choice((old + 1, old - 1, -old, old * 2, rng.choice(INTERESTING), -rng.choice(INTERESTING),
                      rng.randrange(0, 40)))
    return min(max(new, low), high)


def _changes(message: Message) -> Iterator[Change]:
    """One callable for each field of `message`, at any depth, that changes it in place."""
    for field in message.DESCRIPTOR.fields:
        repeated = _is_list(field)
        if _is_map(field):
            for inner in getattr(message, field.name).values():
                if isinstance(inner, Message):
                    yield from _changes(inner)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            yield from _message_changes(message, field.name, repeated)
        elif field.type in _INTEGERS:
            yield from _integer_changes(message, field.name, repeated, *_INTEGERS[field.type])
        elif field.type == FieldDescriptor.TYPE_STRING and not repeated and getattr(message, field.name):
            yield lambda rng, m=message, n=field.name: setattr(m, n, _text(getattr(m, n), rng))


def _text(old: str, rng: random.Random) -> str:
    return rng.choice((old[:-1], old + "x", "add", "mul", "cast", "reduce.add", "const", "index", "matmul.f32",
                       "gather.f32.i64", "nonzero", "conv2d.f32", "state_mark", "copy.f32"))


def _message_changes(message: Message, name: str, repeated: bool) -> Iterator[Change]:
    if not repeated:
        if message.HasField(name):
            yield from _changes(getattr(message, name))
        return
    elements = getattr(message, name)
    for element in elements:
        yield from _changes(element)
    if len(elements):
        yield lambda rng: _edit_list(elements, rng)


def _integer_changes(message: Message, name: str, repeated: bool, low: int, high: int) -> Iterator[Change]:
    if not repeated:
        yield lambda rng: setattr(message, name, _number(getattr(message, name), low, high, rng))
        return
    numbers = getattr(message, name)

    def change_one(rng: random.Random) -> None:
        if len(numbers):
            at = rng.randrange(len(numbers))
            numbers[at] = _number(numbers[at], low, high, rng)

    for _ in numbers:
        yield change_one
    if len(numbers):
        yield lambda rng: _edit_list(numbers, rng)


def _edit_list(elements: Any, rng: random.Random) -> None:
    """Drops, doubles or swaps elements."""
    if not len(elements):
        return
    a, b, kind = rng.randrange(len(elements)), rng.randrange(len(elements)), rng.randrange(3)
    if kind == 0:
        del elements[a]
    elif kind == 1:
        elements.extend([elements[a]])
    else:
        items = [_copy(e) for e in elements]
        items[a], items[b] = items[b], items[a]
        del elements[:]
        elements.extend(items)


def _copy(element: Any) -> Any:
    if isinstance(element, Message):
        made = type(element)()
        made.CopyFrom(element)
        return made
    return element
