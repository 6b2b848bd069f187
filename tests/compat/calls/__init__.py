"""A call of each name of TensorFlow 1, and what it gives: name -> (code, value).

The value is that of the code's last line. `_` in it is the name itself; test_symbols.py says what else it can use.
"""
from __future__ import annotations

from calls import arrays, core, estimators, inputs, maths, networks, recurrent, training

_TABLES = (core, maths, arrays, networks, recurrent, training, inputs, estimators)
ALL: dict[str, tuple[str, object]] = {name: call for table in _TABLES for name, call in table.CALLS.items()}
