"""The runtime: verifies, binds and runs images of Plans. The same machine code serves Python and the C++ runner.

Tables that an embedder fills or reads are named in tables.py, those of images in kernels/layout.py. All arguments and
fields are int64; addresses are of 64-bit words. In order of use:

  gc_verify(image, words, registry, work, error) -> status
      Nothing else may see an image that did not pass. work: 4 * words + 64 words, any contents.
  gc_pool_open(host, workers, spin) -> pool
      Then start `workers` threads that call gc_worker(pool); spin: how often they look before they sleep.
  gc_store_open(host) -> store
      Packed operands; may be shared by models that live as long.
  gc_model_open(request) -> model
      request: OPEN_*. Constants, states, infos: tables of addresses; pool may be 0; run_body, run_other: addresses of
      gc_run_body and gc_run_other.
  gc_frame_open(model, error) -> frame
      One for each run that is to go on at the same time.
  gc_frame_size(frame, sizes, error) -> status
      Checks the sizes of inputs (8 words each), and writes rank (-1: known only by running) and sizes of outputs into
      the slots at frame[FRAME_OUTPUTS].
  gc_run(call) -> status
      call: CALL_*, then a word an input and a word an output. CALL_INDIRECT 0: these are addresses of data; above 0:
      of objects that hold the data's address at that byte. For an output of unknown size give 0 and read its slot.
      CALL_TRACE: 0, or a TRACE table, to which an event is added for everything that the run calls.
  gc_frame_close(frame), gc_model_close(model), gc_store_close(store), gc_pool_quit(pool), gc_pool_free(pool)
  gc_slot_reserve(host, slot, rank, sizes) -> address
      For host functions: memory for a result.
  gc_map_...: the map evaluator by itself.

A model may be used by many threads at once, a frame by one. gc_verify, gc_frame_size and gc_run return 0 or a code of
tables.py and fill the error record.
"""
from __future__ import annotations

from typing import Any

# Files whose functions go over elements, or run for every step: compiled for speed. All others are compiled for size.
FAST = ("block", "control", "lists", "map_move", "map_turn", "pool", "run")


def __getattr__(name: str) -> Any:
    # Not at import: embedders want tables.py without numba.
    if name == "ENTRY":
        from .entry import ENTRY
        return ENTRY
    raise AttributeError(name)
