"""graphc: TensorFlow 1's static graphs, compiled. `import graphc as gc`.

The public names are imported when they are first used: api/names.py lists them, and each is declared beside what it
names (api/public.py). So importing graphc costs the same however many ops there are, and next to nothing: not even
NumPy is imported before the first name is used.
"""
from __future__ import annotations

from graphc.api import namespaces
from graphc.api.names import NAMES

newaxis = None
__version__ = "0.1.0"
__all__ = ["dtypes", "errors", "newaxis", *NAMES[""]]
__getattr__, __dir__ = namespaces.lookup(__name__)

namespaces.make_modules()
