"""TensorFlow 1.15's namespace: `import graphc.compat.v1 as tf`.

Every public name of graphc stands here at its own path. To them come the names that only scripts of TensorFlow 1 know:
what is declared "compat.v1..." (api/public.py), names of before TensorFlow 1.0 (old_names.py), and modules inside
TensorFlow that scripts import (inner_modules.py). Nothing is implemented here.
"""
import sys

from graphc.compat.v1 import modules, versions

__version__ = versions.VERSION
newaxis = None
__getattr__, __dir__ = modules.lookup("")
sys.modules[__name__].__class__ = modules.Namespace

modules.install(__name__)
