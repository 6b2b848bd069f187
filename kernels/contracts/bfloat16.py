"""What Choice.MAY_ROUND says of float32 products: what may be rounded to bfloat16 (docs/adr/0095). Each number
allows all that those before it do."""
from __future__ import annotations

NOTHING = 0
WEIGHTS = 1                            # a packed operand, which is float32 again when it is multiplied
DOTS = 2                               # both operands: the processor has AVX512-BF16
TILES = 3                              # both: it has AMX, and this process may use it
