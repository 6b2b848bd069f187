"""Decoders with attention need gc.layers: their tests wait until that room is there."""
from importlib.util import find_spec

collect_ignore = [] if find_spec("graphc.layers") else [
    "test_attention_cells.py", "test_copy_task.py", "test_decoder_errors.py", "test_decoding_numbers.py"]
