"""Makes the hand-written Plans, the samples and the C++ runner importable from every folder of tests."""
import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "plan"))
sys.path.insert(0, str(Path(__file__).parent / "ops"))
sys.path.insert(0, str(Path(__file__).parent / "runner"))

# tests/peers needs TensorFlow, and has an environment of its own: `make peers`.
collect_ignore = [] if importlib.util.find_spec("tensorflow") else ["peers"]
