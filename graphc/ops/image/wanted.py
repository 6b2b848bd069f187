"""What is asked of a file of pixels."""
from __future__ import annotations

from graphc.ir.records import dataclass


@dataclass(frozen=True)
class Wanted:
    """channels 0: as many as the file has. bits: of a sample of PNG. The others are of JPEG.

    ratio: 1, 2, 4 or 8 times smaller. recover: what is missing of a file that is cut off is what libjpeg makes of it,
    else black rows, if the others are at least that fraction of all. accurate: by the inverse cosine transform
    that rounds less. smooth: colours that the file has for 2 or 4 pixels in one change gradually.
    """

    channels: int = 0
    bits: int = 8
    ratio: int = 1
    recover: bool = False
    fraction: float = 1.0
    accurate: bool = False
    smooth: bool = True
