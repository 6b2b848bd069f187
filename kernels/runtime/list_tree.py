"""Lists that are read and written anywhere: persistent trees of elements, behind the handles of lists.py.

A node of the tree kind in the run's table holds the root of a tree of FANOUT-word blocks, whose lowest words are
addresses of elements (0: never written), and its height. A write copies the blocks on its way and nothing else, so a
list that someone else holds stays as it was, and n writes take n log n. A block that is 0 stands for a subtree of which
nothing was written; sums of lists (gradients) take such parts as they are.

A stack (lists.py) becomes a tree when it is first used as one, once; what is pushed on a tree is a stack on top of it.
"""
from __future__ import annotations

from ..contracts.dtypes import DTYPES
from ..scalars.machine import bfloat_to_float, float_to_bfloat, float_to_half, half_to_float
from . import tables as t
from .block import grow_keeping, host_of
from .image import dtype_size
from .lists import MOST_NODES, chunk_space, node_of
from .memory import add_floats, copy_bytes, function, load_half, set_half, set_word, word, zero_bytes

BITS, FANOUT = 4, 16
DTYPE_F32, DTYPE_F64, DTYPE_F16, DTYPE_BF16, DTYPE_C64, DTYPE_C128 = (
    DTYPES[short].number for short in ("f32", "f64", "f16", "bf16", "c64", "c128"))
MERGE_WORDS = 4          # of a level of a sum: two blocks, their sum, the next place


@function
def space(frame, size):
    return chunk_space(host_of(frame), word(frame, t.FRAME_CONTEXT), size)


@function
def is_tree(frame, handle):
    return 1 if handle != 0 and word(node_of(frame, handle), t.NODE_KIND) != 0 else 0


@function
def list_length(frame, handle):
    return word(node_of(frame, handle), t.NODE_LENGTH) if handle != 0 else 0


@function
def root_of(frame, tree):
    return word(node_of(frame, tree), t.TREE_ROOT) if tree != 0 else 0


@function
def height_of(frame, tree):
    return word(node_of(frame, tree), t.TREE_HEIGHT) if tree != 0 else 1


@function
def sample_of(frame, tree):
    """An element that was written, 0 if there is none."""
    return word(node_of(frame, tree), t.TREE_SAMPLE) if tree != 0 else 0


@function
def new_tree(frame, root, height, length, sample):
    """The handle of a new list; -1 if there is no memory."""
    context = word(frame, t.FRAME_CONTEXT)
    count = word(context, t.RUN_NODE_COUNT)
    if count >= MOST_NODES or grow_keeping(host_of(frame), context, t.RUN_NODES, t.RUN_NODE_CAPACITY,
                                           8 * t.NODE_WORDS * (count + 1)) == 0:
        return -1
    node = word(context, t.RUN_NODES) + 8 * count * t.NODE_WORDS
    set_word(node, t.TREE_ROOT, root)
    set_word(node, t.TREE_HEIGHT, height)
    set_word(node, t.TREE_SAMPLE, sample)
    set_word(node, t.NODE_LENGTH, length)
    set_word(node, t.NODE_KIND, 1)
    set_word(context, t.RUN_NODE_COUNT, count + 1)
    return count + 1


@function
def height_for(length):
    height, capacity = 1, FANOUT
    while capacity < length:
        capacity *= FANOUT
        height += 1
    return height


@function
def copied_block(frame, block):
    """A block of one's own: a copy, or empty; 0 if there is no memory."""
    made = space(frame, 8 * FANOUT)
    if made != 0:
        if block != 0:
            copy_bytes(made, block, 8 * FANOUT)
        else:
            zero_bytes(made, 8 * FANOUT)
    return made


@function
def raised(frame, root, height, wanted):
    """The root of the same tree at a greater height; -1 if there is no memory."""
    while height < wanted and root != 0:
        above = copied_block(frame, 0)
        if above == 0:
            return -1
        set_word(above, 0, root)
        root = above
        height += 1
    return root


@function
def tree_get(root, height, index):
    """The element, 0 if it was never written."""
    block = root
    for level in range(height - 1, -1, -1):
        if block == 0:
            return 0
        block = word(block, (index >> (BITS * level)) & (FANOUT - 1))
    return block


@function
def tree_set(frame, root, height, index, element, mine):
    """The root of a tree with another element; 0 if there is no memory. mine: blocks may be changed where they are."""
    top = root if mine != 0 and root != 0 else copied_block(frame, root)
    block = top
    for level in range(height - 1, 0, -1):
        if block == 0:
            return 0
        place = (index >> (BITS * level)) & (FANOUT - 1)
        below = word(block, place)
        if mine == 0 or below == 0:
            below = copied_block(frame, below)
            set_word(block, place, below)
        block = below
    if block == 0:
        return 0
    set_word(block, index & (FANOUT - 1), element)
    return top


@function
def truncated(frame, root, height, length):
    """The root of a tree without the elements from `length` on; -1 if there is no memory."""
    if length == 0 or root == 0 or length >> (BITS * height) != 0:
        return 0 if length == 0 else root
    top = copied_block(frame, root)
    block = top
    for level in range(height - 1, -1, -1):
        if block == 0:
            return -1
        place, rest = (length >> (BITS * level)) & (FANOUT - 1), length & ((1 << (BITS * level)) - 1)
        for i in range(place if rest == 0 else place + 1, FANOUT):
            set_word(block, i, 0)
        if rest == 0 or word(block, place) == 0:
            return top
        below = copied_block(frame, word(block, place))
        set_word(block, place, below)
        block = below
    return top


@function
def set_element(element, dtype, rank, elements, sizes, address):
    """Fills the record of an element. sizes: address of the sizes of its axes."""
    set_word(element, t.NODE_ADDRESS, address)
    set_word(element, t.NODE_DTYPE, dtype)
    set_word(element, t.NODE_RANK, rank)
    set_word(element, t.NODE_ELEMENTS, elements)
    for axis in range(rank):
        set_word(element, t.NODE_SIZES + axis, word(sizes, axis))


@function
def tree_of(frame, handle):
    """The same list as a tree (0: the empty list); -1 if there is no memory."""
    base = handle
    while base != 0 and is_tree(frame, base) == 0 and word(node_of(frame, base), t.NODE_ARRAY) == 0:
        base = word(node_of(frame, base), t.NODE_PREVIOUS)
    if base != 0 and is_tree(frame, base) == 0:
        base = word(node_of(frame, base), t.NODE_ARRAY)
    pushed, first = list_length(frame, handle), list_length(frame, base)
    if pushed == first:
        return base
    height = max(height_of(frame, base), height_for(pushed))
    root = raised(frame, root_of(frame, base), height_of(frame, base), height)
    mine, sample, node = 1 if root == 0 else 0, sample_of(frame, base), node_of(frame, handle)
    if root < 0:
        return -1
    for index in range(pushed - 1, first - 1, -1):
        element = space(frame, 8 * t.NODE_WORDS)
        if element == 0:
            return -1
        copy_bytes(element, node, 8 * t.NODE_WORDS)
        root = tree_set(frame, root, height, index, element, mine)
        if root == 0:
            return -1
        sample = element
        if index > 0:
            node = node_of(frame, word(node, t.NODE_PREVIOUS))
    made = new_tree(frame, root, height, pushed, sample)
    if made > 0:
        set_word(node_of(frame, handle), t.NODE_ARRAY, made)
    return made


@function
def add_numbers(dtype, target, a, b, count):
    """The sums of `count` numbers of a and b go to target. 0 if nothing is added of this dtype."""
    if dtype == DTYPE_F16:
        for i in range(count):
            set_half(target, i, float_to_half(half_to_float(load_half(a, i)) + half_to_float(load_half(b, i))))
    elif dtype == DTYPE_BF16:
        for i in range(count):
            set_half(target, i, float_to_bfloat(bfloat_to_float(load_half(a, i)) + bfloat_to_float(load_half(b, i))))
    elif dtype == DTYPE_F32 or dtype == DTYPE_F64 or dtype == DTYPE_C64 or dtype == DTYPE_C128:
        wide = 1 if dtype == DTYPE_F64 or dtype == DTYPE_C128 else 0
        for i in range(2 * count if dtype == DTYPE_C64 or dtype == DTYPE_C128 else count):
            add_floats(wide, target, a, b, i)
    else:
        return 0
    return 1


@function
def element_sum(frame, a, b):
    """A new element, the sum of two; 0 if there is no memory, -1 if they differ in form or are no numbers."""
    dtype, rank, elements = word(a, t.NODE_DTYPE), word(a, t.NODE_RANK), word(a, t.NODE_ELEMENTS)
    if word(b, t.NODE_DTYPE) != dtype or word(b, t.NODE_RANK) != rank:
        return -1
    for axis in range(rank):
        if word(a, t.NODE_SIZES + axis) != word(b, t.NODE_SIZES + axis):
            return -1
    made = space(frame, 8 * t.NODE_WORDS + elements * dtype_size(dtype))
    if made == 0:
        return 0
    address = made + 8 * t.NODE_WORDS
    set_element(made, dtype, rank, elements, a + 8 * t.NODE_SIZES, address)
    return made if add_numbers(dtype, address, word(a, t.NODE_ADDRESS), word(b, t.NODE_ADDRESS), elements) else -1


@function
def tree_sum(frame, a, b, height):
    """The root of the sum of two trees of one height; what only one has is taken over. -1: no memory, -2: the elements
    do not fit."""
    if a == 0 or b == 0:
        return a + b
    levels = space(frame, 8 * MERGE_WORDS * height)
    top = copied_block(frame, 0)
    if levels == 0 or top == 0:
        return -1
    depth = 0
    set_level(levels, a, b, top)
    while depth >= 0:
        level = levels + 8 * MERGE_WORDS * depth
        place = word(level, 3)
        if place == FANOUT:
            depth -= 1
            continue
        set_word(level, 3, place + 1)
        x, y = word(word(level, 0), place), word(word(level, 1), place)
        total = x + y                                # one of them is 0
        if x != 0 and y != 0:
            total = element_sum(frame, x, y) if depth == height - 1 else copied_block(frame, 0)
            if total <= 0:
                return -1 if total == 0 else -2
            if depth < height - 1:
                depth += 1
                set_level(level + 8 * MERGE_WORDS, x, y, total)
        set_word(word(level, 2), place, total)
    return top


@function
def set_level(level, a, b, total):
    set_word(level, 0, a)
    set_word(level, 1, b)
    set_word(level, 2, total)
    set_word(level, 3, 0)
