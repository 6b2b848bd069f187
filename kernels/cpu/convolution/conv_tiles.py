"""Ways, tiles and packing that conv2d and the gradient for its input have in common.

Job: what bind writes into the words of choice for both (conv.py and conv_input_grad.py say what they mean), and which
rows of pictures and panels of the filter a tile is.
Invariants: a tile is a number of rows of output pictures, or of their pixels, or some panels of all of them if there
are few; tiles depend on sizes alone.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ceil_div, helper
from ..products.micro import ISAS
from ..tiles import shared_evenly
from ..words import (
    FORMAT,
    PACK_TILES,
    PACKED_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    USER,
    VARIANT,
    WORK_BYTES,
)
from .planes import MOST_TAPS

DIRECT, LINES, TAPS, SPREAD, PLANES, WINOGRAD, ROUNDED = range(7)
MAIN, NARROW, PLANAR = 1, 2, 3
# Words of choice: shape of the micro-kernel, or PLANAR; lines and panels of a tile; panels of a tile of packing; pixels
# of a buffer of SPREAD; lines of a group of LINES and PLANES. WINOGRAD has its own from TILE_LINES on.
SHAPE, TILE_LINES, TILE_PANELS, PACK_PANELS, SPREAD_ROWS, GROUP_LINES = range(USER, USER + 6)
FEW_PIXELS = 8                         # PLANES fills half of the lanes or more from 8 pixels on
PRODUCTS = 1 << 20                     # multiplications of a tile, at least
MOST_TILES = 64
TILE_BYTES = 256 * 1024                # of a tile's result, where that is work enough
FULL_TILES = 7                         # register tiles of a tile's pixels, about, at least
PACK_BYTES = 32 * 1024


@helper
def tile_lines(lines, line_pixels, k, columns, height, size):
    """Lines of a tile: enough work, few enough tiles, pixels enough for seven register tiles (a picture of 14 x 14 is
    two tiles); then rather more tiles than such as would have left the second cache before an epilogue reads them.
    lines: rows of pictures, or single pixels, of which tiles are made."""
    enough = ceil_div(PRODUCTS, max(line_pixels * k * columns, 1))
    full = ceil_div(FULL_TILES * height, max(line_pixels, 1))
    cached = TILE_BYTES // max(line_pixels * columns * size, 1)
    least = max(enough, full, min(ceil_div(lines, MOST_TILES), cached), 1)
    return ceil_div(lines, shared_evenly(max(lines // least, 1)))


@helper
def pack_panels_of(panels, panel_bytes):
    """Panels of a tile of packing."""
    return min(max(PACK_BYTES // max(panel_bytes, 1), 1), panels)


@helper
def bind_packed(panels, panel_bytes, choice):
    """Has the filter packed beforehand."""
    choice[FORMAT], choice[PACKED_BYTES] = choice[SHAPE], panels * panel_bytes
    choice[PACK_PANELS] = pack_panels_of(panels, panel_bytes)
    choice[PACK_TILES] = ceil_div(panels, choice[PACK_PANELS])


@helper
def bind_tiles(lines, line_pixels, k, columns, width, height, size, packed_before, choice):
    """Tiles of computing and of packing; returns nothing. k: of the whole filter."""
    panels = ceil_div(columns, width)
    panel_bytes = k * width * size
    choice[TILE_LINES], choice[TILE_PANELS] = tile_lines(lines, line_pixels, k, columns, height, size), panels
    if lines * line_pixels <= 8 * height:
        choice[TILE_LINES] = lines
        enough = ceil_div(PRODUCTS, max(lines * line_pixels * k * width, 1))
        choice[TILE_PANELS] = min(max(enough, ceil_div(panels, MOST_TILES)), panels)
    choice[PACK_PANELS] = pack_panels_of(panels, panel_bytes)
    pack_tiles = ceil_div(panels, choice[PACK_PANELS])
    tiles = ceil_div(lines, choice[TILE_LINES]) * ceil_div(panels, choice[TILE_PANELS])
    if packed_before:
        bind_packed(panels, panel_bytes, choice)
        choice[TILES] = tiles
    else:
        choice[WORK_BYTES], choice[TILES], choice[TILES_1] = max(panels * panel_bytes, 64), pack_tiles, tiles
    if choice[TILE_PANELS] == panels:
        choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels * columns


@helper
def planes_fit(kh, kw, stride, pixels):
    """Whether PLANES can be the way for lines of so many pixels of the result."""
    return stride == 1 and kh * kw <= MOST_TAPS and pixels >= FEW_PIXELS


@helper
def bind_planes(lines, line_pixels, k, columns, size, packed_before, choice):
    """Tiles of PLANES: the filter is packed as one."""
    choice[VARIANT], choice[SHAPE], choice[TILE_PANELS] = PLANES, PLANAR, 1
    choice[TILE_LINES] = tile_lines(lines, line_pixels, k, columns, 1, size)
    tiles, bytes_ = ceil_div(lines, choice[TILE_LINES]), max(k * columns * size, 64)
    if packed_before:
        choice[FORMAT], choice[PACKED_BYTES], choice[PACK_TILES], choice[TILES] = PLANAR, bytes_, 1, tiles
    else:
        choice[WORK_BYTES], choice[TILES], choice[TILES_1] = bytes_, 1, tiles
    choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels * columns


@helper
def tile_part(tile, lines, panels, choice):
    """First line, lines, first panel and panels of a tile."""
    across = ceil_div(panels, choice[TILE_PANELS])
    first_line, first_panel = tile // across * choice[TILE_LINES], tile % across * choice[TILE_PANELS]
    return (first_line, min(choice[TILE_LINES], lines - first_line), first_panel, min(choice[TILE_PANELS],
                                                                                      panels - first_panel))


def by_isa(make_one, dtype):
    """A Functions of what make_one(dtype, isa) gives for every ISA: bind, run and maybe pack."""
    made = {isa: make_one(dtype, isa) for isa in ISAS}
    return Functions(*({isa: functions[role] for isa, functions in made.items()}
                       for role in range(len(made[ISAS[0]]))))
