"""Choice and Status as plain integers: numba takes globals of type int as constants, members of an IntEnum it does
not."""
from __future__ import annotations

from ..contracts.calls import Choice, Status

TILES = int(Choice.TILES)
TILES_1 = int(Choice.TILES_1)
WORK_BYTES = int(Choice.WORK_BYTES)
SCRATCH_BYTES = int(Choice.SCRATCH_BYTES)
TILE_ELEMENTS = int(Choice.TILE_ELEMENTS)
VARIANT = int(Choice.VARIANT)
FORMAT = int(Choice.FORMAT)
PACKED_BYTES = int(Choice.PACKED_BYTES)
PACK_TILES = int(Choice.PACK_TILES)
PERSISTENT = int(Choice.PERSISTENT)
NO_WINOGRAD = int(Choice.NO_WINOGRAD)
WAY = int(Choice.WAY)
USER = int(Choice.USER)
MAY_ROUND = int(Choice.MAY_ROUND)

OK = int(Status.OK)
INDEX_OUT_OF_RANGE = int(Status.INDEX_OUT_OF_RANGE)
INVALID_VALUE = int(Status.INVALID_VALUE)
UNINITIALISED = int(Status.UNINITIALISED)
DIVISION_BY_ZERO = int(Status.DIVISION_BY_ZERO)
NEGATIVE_EXPONENT = int(Status.NEGATIVE_EXPONENT)
INDEX_TUPLE = int(Status.INDEX_TUPLE)
NOT_DEFINITE = int(Status.NOT_DEFINITE)
NOT_INVERTIBLE = int(Status.NOT_INVERTIBLE)
LEFT_OUT = int(Status.LEFT_OUT)
