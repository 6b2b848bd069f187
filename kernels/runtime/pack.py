"""Packed copies of operands that a kernel wants in a format of its own, kept in a store that frames (and models) share.

An entry is found by what decides its contents: the address of the source, the kernel, the format, and those sizes and
attributes that the operand's layout depends on (the sizes in its extent's formula, and all attributes). Its version
is that of the source when it was packed; a run renews the entries that it uses and that are out of date before its
first step. Packed copies stay until the store goes, so they stand side by side in regions: in large pages.
"""
from __future__ import annotations

from ..contracts.calls import Choice
from . import tables as t
from .block import allocate, allocate_cleared, fail, grow_keeping, host_of, release, round_up
from .frame import CHOICE_WORDS
from .image import formula_uses_dim, kernel_record
from .memory import atomic_store, copy_bytes, function, set_word, word
from .pool import JOB_PACK, run_job, spin_lock
from .trace import note_pack

FORMAT, BYTES, TILES = int(Choice.FORMAT), int(Choice.PACKED_BYTES), int(Choice.PACK_TILES)
REGION, REGION_HEAD = 32 << 20, 64     # bytes of a region, at most if it holds more than one copy; of its first word


@function
def same_layout(registry, kernel, operand, entry, arguments):
    """Whether the sizes and attributes on which an operand's layout depends equal those of an entry."""
    record = kernel_record(registry, kernel)
    dims, attrs = word(record, 1), word(record, 2)
    extent = word(record, 4 + 4 * operand + 3)
    for i in range(dims + attrs):
        if word(entry, t.PACKED_ARGUMENTS + i) != word(arguments, i):
            if i >= dims or formula_uses_dim(registry, extent, i) != 0:
                return 0
    return 1


@function
def find(model, kernel, operand, source, arguments, choice):
    entry = word(word(model, t.MODEL_STORE), t.STORE_FIRST)
    while entry != 0:
        if (
            word(entry, t.PACKED_SOURCE) == source
            and word(entry, t.PACKED_KERNEL) == kernel
            and word(entry, t.PACKED_FORMAT) == word(choice, FORMAT)
            and word(entry, t.PACKED_BYTES) == word(choice, BYTES)
            and same_layout(word(model, t.MODEL_REGISTRY), kernel, operand, entry, arguments) != 0
        ):
            return entry
        entry = word(entry, t.PACKED_NEXT)
    return 0


@function
def take_block(host, store, size):
    """Memory for a packed copy in the store's last region or in a new one, which takes as much as there is so far.
    0 if there is none. The caller holds the store's lock."""
    size = round_up(max(size, 64))
    if word(store, t.STORE_LEFT) < size:
        wanted = size if word(host, t.HOST_APART) != 0 else max(size, min(word(store, t.STORE_TAKEN), REGION))
        region = allocate(host, REGION_HEAD + wanted)
        if region == 0:
            wanted = size
            region = allocate(host, REGION_HEAD + wanted)
        if region == 0:
            return 0
        set_word(region, 0, word(store, t.STORE_REGION))
        set_word(store, t.STORE_REGION, region)
        set_word(store, t.STORE_PLACE, region + REGION_HEAD)
        set_word(store, t.STORE_LEFT, wanted)
    address = word(store, t.STORE_PLACE)
    set_word(store, t.STORE_PLACE, address + size)
    set_word(store, t.STORE_LEFT, word(store, t.STORE_LEFT) - size)
    set_word(store, t.STORE_TAKEN, word(store, t.STORE_TAKEN) + size)
    return address


@function
def make(model, kernel, source, version_at, arguments, numbers, choice):
    """A new entry, not packed yet and not in the store; 0 if there is no memory."""
    host = word(model, t.MODEL_HOST)
    entry = allocate_cleared(host, 8 * (t.PACKED_ARGUMENTS + numbers + CHOICE_WORDS))
    if entry == 0:
        return 0
    address = take_block(host, word(model, t.MODEL_STORE), word(choice, BYTES))
    if address == 0:
        release(host, entry)
        return 0
    set_word(entry, t.PACKED_SOURCE, source)
    set_word(entry, t.PACKED_KERNEL, kernel)
    set_word(entry, t.PACKED_FORMAT, word(choice, FORMAT))
    set_word(entry, t.PACKED_BYTES, word(choice, BYTES))
    set_word(entry, t.PACKED_NUMBERS, numbers)
    set_word(entry, t.PACKED_ADDRESS, address)
    set_word(entry, t.PACKED_VERSION, -1)
    set_word(entry, t.PACKED_VERSION_AT, version_at)
    set_word(entry, t.PACKED_FUNCTION, word(word(model, t.MODEL_FUNCTIONS), 3 * kernel + 2))
    set_word(entry, t.PACKED_CHOICE, entry + 8 * (t.PACKED_ARGUMENTS + numbers))
    set_word(entry, t.PACKED_TILES, word(choice, TILES))
    copy_bytes(entry + 8 * t.PACKED_ARGUMENTS, arguments, 8 * numbers)
    copy_bytes(word(entry, t.PACKED_CHOICE), choice, 8 * CHOICE_WORDS)
    return entry


@function
def renew(frame, entry, step):
    """Packs an entry if its source has another version than when it was packed. The caller holds the store's lock."""
    version = word(word(entry, t.PACKED_VERSION_AT), 0)
    if word(entry, t.PACKED_VERSION) == version:
        return 0
    note_pack(frame, step, entry)
    status = run_job(frame, JOB_PACK, entry, 0, word(entry, t.PACKED_TILES), 0, step)
    if status == 0:
        set_word(entry, t.PACKED_VERSION, version)
    return status


@function
def use(frame, entry):
    """Notes that runs of this frame's context use an entry; 0 if there is no memory."""
    context = word(frame, t.FRAME_CONTEXT)
    count = word(context, t.RUN_USE_COUNT)
    for i in range(count):
        if word(word(context, t.RUN_USES), i) == entry:
            return 1
    if grow_keeping(host_of(frame), context, t.RUN_USES, t.RUN_USE_CAPACITY, 8 * (count + 8)) == 0:
        return 0
    set_word(word(context, t.RUN_USES), count, entry)
    set_word(context, t.RUN_USE_COUNT, count + 1)
    return 1


@function
def packed(frame, step, kernel, operand, source, version_at, arguments, numbers, choice):
    """Address of the packed copy of an operand, made if need be; 0 on an error, which is noted."""
    model = word(frame, t.FRAME_MODEL)
    store = word(model, t.MODEL_STORE)
    spin_lock(store + 8 * t.STORE_LOCK)
    entry = find(model, kernel, operand, source, arguments, choice)
    if entry == 0:
        entry = make(model, kernel, source, version_at, arguments, numbers, choice)
        if entry != 0:
            set_word(entry, t.PACKED_NEXT, word(store, t.STORE_FIRST))
            set_word(store, t.STORE_FIRST, entry)
    result = 0
    if entry == 0 or use(frame, entry) == 0:
        fail(frame, t.NO_MEMORY, step, word(choice, BYTES), 0, 0)
    elif renew(frame, entry, step) == 0:
        result = word(entry, t.PACKED_ADDRESS)
    atomic_store(store + 8 * t.STORE_LOCK, 0)
    return result


@function
def renew_used(frame):
    """Before a run: packs again what the run uses and what has changed since it was packed."""
    context = word(frame, t.FRAME_CONTEXT)
    store = word(word(frame, t.FRAME_MODEL), t.MODEL_STORE)
    for i in range(word(context, t.RUN_USE_COUNT)):
        entry = word(word(context, t.RUN_USES), i)
        if word(entry, t.PACKED_VERSION) != word(word(entry, t.PACKED_VERSION_AT), 0):
            spin_lock(store + 8 * t.STORE_LOCK)
            status = renew(frame, entry, -1)
            atomic_store(store + 8 * t.STORE_LOCK, 0)
            if status != 0:
                return status
    return 0


@function
def store_free(store):
    host, entry = word(store, t.STORE_HOST), word(store, t.STORE_FIRST)
    while entry != 0:
        following = word(entry, t.PACKED_NEXT)
        release(host, entry)
        entry = following
    region = word(store, t.STORE_REGION)
    while region != 0:
        before = word(region, 0)
        release(host, region)
        region = before
    release(host, store)
    return 0
