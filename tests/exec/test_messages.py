"""Every code with which a run can end has a text, whatever numbers come with it."""
from __future__ import annotations

import pytest

from graphc import errors
from graphc.exec import messages
from graphc.kernels.runtime import tables as t

CODES = ("NO_MEMORY", "DIM_VALUE", "RELATION", "EXTENT", "CANCELLED", "EMPTY_LIST", "LIST_INDEX", "LIST_UNWRITTEN",
         "LIST_SHAPES", "LIST_COUNT", "SLOT_SHAPE", "LIST_TYPE", "BUFFER_SIZE", "ACCESS", "MAP_FAILED", "TILES",
         "EPILOGUE", "HOST_SLOT")


@pytest.mark.parametrize("name", CODES)
def test_every_code_has_a_text(name: str) -> None:
    for a, b, c in ((16 * 1 + 2, 16 * 2 + 1, 1), (16 * 9, 16 * 3, 0)):
        kind, text = messages._text(getattr(t, name), a, b, c)
        assert issubclass(kind, errors.OpError) and "failed with code" not in text


def test_a_list_of_another_type() -> None:
    _, text = messages._text(t.LIST_TYPE, 16 * 1 + 2, 16 * 9, 0)
    assert text == "the list holds float32 of rank 2, int64 of rank 0 is wanted"
