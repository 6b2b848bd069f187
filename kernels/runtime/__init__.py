"""The runtime: verifies, binds and runs images of Plans. The same machine code serves Python and the C++ runner.

Tables that an embedder fills or reads are named in tables.py, those of images in kernels/layout.py. All arguments and fields are
int64; addresses are of 64-bit words. In order of use:

  gc_verify(image, words, registry, work, error) -> status        work: 4 * words + 64 words, any contents. Nothing else may
                                                                 see an image that did not pass
  gc_pool_open(host, workers, spin) -> pool                      then start `workers` threads that call gc_worker(pool)
  gc_store_open(host) -> store                                   packed operands; can be shared by models that live as long
  gc_model_open(request) -> model                                request: OPEN_*; constants, states and infos are tables of
                                                                 addresses; pool may be 0; run_body: address of gc_run_body
  gc_frame_open(model, error) -> frame                           one for each run that is to go on at the same time
  gc_frame_size(frame, sizes, error) -> status                   sizes: 8 words an input. Checks them, and writes rank (-1:
                                                                 known only by running) and sizes into the slots at
                                                                 frame[FRAME_OUTPUTS]
  gc_run(call) -> status                                         call: CALL_*, then a word an input and a word an output.
                                                                 CALL_INDIRECT 0: they are addresses of data; > 0: addresses
                                                                 of objects that hold the data's address at that byte. A 0
                                                                 for an output of unknown size: see the frame's slots after
  gc_frame_close(frame), gc_model_close(model), gc_store_close(store), gc_pool_quit(pool), gc_pool_free(pool)
  gc_slot_reserve(host, slot, rank, sizes) -> address             for host functions: memory for a result

A model may be used by many threads at once, a frame by one. gc_verify, gc_frame_size and gc_run return 0 or a code of
tables.py and fill the error record.
"""
from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Not at import: embedders want tables.py without numba.
    if name == "ENTRY":
        from .entry import ENTRY
        return ENTRY
    raise AttributeError(name)
