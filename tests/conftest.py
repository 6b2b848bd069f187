"""Makes the hand-written Plans importable from every folder of tests."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "plan"))
sys.path.insert(0, str(Path(__file__).parent / "ops"))
