"""Jobs: the tiles of one phase of a bound step, run by the caller and by the pool's workers.

Each thread has a share of the tiles, a range as long as the others': steps that follow each other give a thread the
same part of the rows, and it finds in its own cache what it wrote there. A thread whose share is empty takes from the
next ones. A share's word says how many of its tiles nobody has taken; to take one is a compare-and-swap of it, and only
then the job's fields are read: they stay as they are until that tile has been run, so a thread that comes late, with a
number that it read in an earlier job, takes a tile of the job that is there now, or none. Threads count the tiles that
they have run when they find no more. Sleeping threads announce themselves before they look a last time, publishers look
for sleepers after they have published; both sequentially consistent, so none of them misses the other.

If tiles fail, the error of the lowest one is reported; the others all run, so the report does not depend on threads.
Only the run's being cancelled keeps tiles from running: by its flag, which all threads look at, or by the embedder's
poll, which the caller makes between its tiles and while it waits.
"""
from __future__ import annotations

from ..cpu.words import INDEX_TUPLE, LEFT_OUT
from . import tables as t
from .block import (
    CHECKS,
    NO_POLLING,
    STEP,
    allocate,
    allocate_cleared,
    fail,
    flag_raised,
    grow,
    host_of,
    polled,
    release,
)
from .map import map_run, map_run_range
from .memory import (
    atomic_add,
    atomic_load,
    atomic_store,
    atomic_swap_if,
    call,
    call_status,
    function,
    pause,
    set_word,
    word,
)
from .steps import CALL_ATTRS, CALL_DIMS, CALL_OPERANDS
from .trace import note_threads

JOB_CALL, JOB_MAP, JOB_EPILOGUE, JOB_PACK = range(4)
MOST_TILES = 1 << 30
BETWEEN_RUNS = 4          # part of the looks within a run
WAIT, WAKE = 128, 129     # FUTEX_WAIT and FUTEX_WAKE of Linux, private to the process
EVERYBODY = 1 << 20


@function
def spin_lock(address):
    while atomic_swap_if(address, 0, 1) == 0:
        pause()


@function
def sleep_on(host, address, expected, longest):
    call(word(host, t.HOST_WAIT), (word(host, t.HOST_WAIT_CONTEXT), address, WAIT, expected % (1 << 32), longest, 0))


@function
def wake_up(host, address, count):
    call(word(host, t.HOST_WAKE), (word(host, t.HOST_WAIT_CONTEXT), address, WAKE, count, 0, 0))


@function
def run_epilogue(row, counter, work, scratch, begin, end):
    after = work + word(row, t.ROW_EPILOGUE_WORK)
    return map_run_range(word(row, t.ROW_EPILOGUE), counter, after, scratch, begin, end)


@function
def run_tile(kind, row, counter, work, scratch, phase, tile):
    """One tile of a job. row: a frame's step row, or a packed operand."""
    if kind == JOB_CALL:
        status = call_status(word(row, t.ROW_FUNCTION), (word(row, t.ROW_BOUND), work, scratch, phase, tile))
        each = word(row, t.ROW_TILE_ELEMENTS)
        last = phase == 1 or word(row, t.ROW_TILES_1) == 0
        if status == 0 and last and each > 0 and word(row, t.ROW_EPILOGUE) != 0:
            begin = tile * each
            end = min(begin + each, word(row, t.ROW_ELEMENTS))
            if begin < end:
                return run_epilogue(row, counter, work, scratch, begin, end)
        return status
    if kind == JOB_PACK:
        arguments = row + 8 * t.PACKED_ARGUMENTS
        return call_status(
            word(row, t.PACKED_FUNCTION),
            (word(row, t.PACKED_SOURCE), arguments, word(row, t.PACKED_CHOICE), word(row, t.PACKED_ADDRESS), tile),
        )
    if kind == JOB_MAP:
        status = 0
        for i in range(word(row, t.ROW_TOGETHER)):
            if status == 0:
                bound = word(row + 8 * t.ROW_WORDS * i, t.ROW_BOUND)
                status = map_run(bound, counter, work, scratch, phase, tile)
        return status
    return map_run(word(row, t.ROW_EPILOGUE), counter, work + word(row, t.ROW_EPILOGUE_WORK), scratch, phase, tile)


@function
def note_failure(pool, tile, status, scratch):
    spin_lock(pool + 8 * t.POOL_ERROR_LOCK)
    if word(pool, t.POOL_STATUS) == 0 or tile < word(pool, t.POOL_FAILED_TILE):
        set_word(pool, t.POOL_FAILED_TILE, tile)
        set_word(pool, t.POOL_STATUS, status)
        set_word(pool, t.POOL_A, word(scratch, 0))
        set_word(pool, t.POOL_B, word(scratch, 1))
        if status == INDEX_TUPLE:
            for i in range(t.DETAIL_WORDS):
                set_word(pool, t.POOL_DETAIL + i, word(scratch, 2 + i))
    atomic_store(pool + 8 * t.POOL_ERROR_LOCK, 0)


@function
def poll_job(pool, context, host):
    """The caller of a job polls, and ends the job if it is told to. context: 0 if the job must not be polled in."""
    if context != 0 and polled(context, host, CHECKS) != 0:
        atomic_store(pool + 8 * t.POOL_STOP, 1)


@function
def job_ended(pool):
    cancel = word(pool, t.POOL_CANCEL)
    return 1 if (cancel != 0 and atomic_load(cancel) != 0) or atomic_load(pool + 8 * t.POOL_STOP) != 0 else 0


@function
def share_of(pool, number):
    return word(pool, t.POOL_SHARES) + 8 * t.SHARE_WORDS * number


@function
def first_tile(pool, number, tiles):
    """Of a thread's share: threads have as many tiles, but for one more or less."""
    return tiles * number // (word(pool, t.POOL_WORKERS) + 1)


@function
def take(left_at):
    """Takes a tile of a share. Returns how many there were, 0 if none."""
    while True:
        left = atomic_load(left_at)
        if left == 0 or atomic_swap_if(left_at, left, left - 1) != 0:
            return left


@function
def run_taken(pool, tile, scratch, context, host):
    """Runs a tile of the job."""
    poll_job(pool, context, host)
    status = t.CANCELLED
    if job_ended(pool) == 0:
        status = run_tile(word(pool, t.POOL_KIND), word(pool, t.POOL_ROW), word(pool, t.POOL_COUNTER),
                          word(pool, t.POOL_WORK), scratch, word(pool, t.POOL_PHASE), tile)
    if status != 0:
        note_failure(pool, tile, status, scratch)


@function
def run_shares(pool, number, scratch_at, context, host):
    """Runs tiles of the current job until none is left: those of thread `number`, then those of others.

    scratch_at: address of the word that holds this thread's scratch; read for each tile, since a publisher may grow it.
    context, host: those of the run, in the thread that polls; workers give 0.
    """
    threads, run = word(pool, t.POOL_WORKERS) + 1, 0
    for i in range(threads):
        share = (number + i) % threads
        while True:
            left = take(share_of(pool, share) + 8 * t.SHARE_LEFT)
            if left == 0:
                break
            tile = first_tile(pool, share + 1, word(pool, t.POOL_TILES)) - left
            run_taken(pool, tile, word(scratch_at, 0), context, host)
            run += 1
    if run == 0:
        return
    set_word(share_of(pool, number), t.SHARE_JOB, word(pool, t.POOL_JOB))
    remaining_at = pool + 8 * t.POOL_REMAINING
    if atomic_add(remaining_at, -run) == run and atomic_load(pool + 8 * t.POOL_WAITING) != 0:
        wake_up(word(pool, t.POOL_HOST), remaining_at, 1)


@function
def threads_that_ran(pool):
    """How many threads ran tiles of the job that has ended."""
    count = 0
    for number in range(word(pool, t.POOL_WORKERS) + 1):
        count += 1 if word(share_of(pool, number), t.SHARE_JOB) == word(pool, t.POOL_JOB) else 0
    return count


@function
def wait_for_job(pool, seen):
    """Returns when there is a job after number `seen`: spins for a while, shorter when no run is on, then sleeps."""
    jobs_at, wake_at, spin = pool + 8 * t.POOL_JOBS, pool + 8 * t.POOL_WAKE, word(pool, t.POOL_SPIN)
    for looked in range(spin):
        if atomic_load(jobs_at) != seen:
            return
        if looked > spin // BETWEEN_RUNS and atomic_load(pool + 8 * t.POOL_RUN) == 0:
            break
        pause()
    atomic_add(pool + 8 * t.POOL_SLEEPERS, 1)
    while True:
        wake = atomic_load(wake_at)
        if atomic_load(jobs_at) != seen or atomic_load(pool + 8 * t.POOL_QUIT) != 0:
            break
        sleep_on(word(pool, t.POOL_HOST), wake_at, wake, 0)
    atomic_add(pool + 8 * t.POOL_SLEEPERS, -1)


@function
def worker_loop(pool):
    """What each worker thread runs, until the pool is closed."""
    number = atomic_add(pool + 8 * t.POOL_NEXT_WORKER, 1) + 1
    while atomic_load(pool + 8 * t.POOL_QUIT) == 0:
        seen = atomic_load(pool + 8 * t.POOL_JOBS)
        run_shares(pool, number, share_of(pool, number) + 8 * t.SHARE_SCRATCH, 0, 0)
        wait_for_job(pool, seen)
    atomic_add(pool + 8 * t.POOL_DONE, 1)
    return 0


@function
def pool_open(host, workers, spin):
    """A pool for `workers` threads that the embedder starts, each calling gc_worker; 0 if there is no memory. spin: how
    often a thread looks for what it waits for in a run before it sleeps."""
    pool = allocate_cleared(host, 8 * t.POOL_WORDS)
    shares = allocate_cleared(host, 8 * t.SHARE_WORDS * (workers + 1))
    if pool == 0 or shares == 0:
        return 0
    set_word(pool, t.POOL_HOST, host)
    set_word(pool, t.POOL_WORKERS, workers)
    set_word(pool, t.POOL_SPIN, spin)
    set_word(pool, t.POOL_SHARES, shares)
    return pool


@function
def pool_quit(pool):
    """Tells the workers to return; they have all returned when word POOL_DONE is their number."""
    atomic_store(pool + 8 * t.POOL_QUIT, 1)
    atomic_add(pool + 8 * t.POOL_JOBS, 1)
    atomic_add(pool + 8 * t.POOL_WAKE, 1)
    wake_up(word(pool, t.POOL_HOST), pool + 8 * t.POOL_WAKE, EVERYBODY)
    return 0


@function
def pool_free(pool):
    """Frees a pool none of whose workers runs any more."""
    host = word(pool, t.POOL_HOST)
    for number in range(1, word(pool, t.POOL_WORKERS) + 1):
        release(host, word(share_of(pool, number), t.SHARE_SCRATCH))
    release(host, word(pool, t.POOL_SHARES))
    release(host, pool)
    return 0


@function
def scratch_for_workers(pool, size, model_host):
    """Gives every worker at least `size` bytes; only the holder of the pool's lock may. 1 if there was memory: the pool
    belongs to all models, but what a model makes it take must fit into what the model's own limit leaves."""
    if word(pool, t.POOL_SCRATCH_BYTES) >= size:
        return 1
    host, workers = word(pool, t.POOL_HOST), word(pool, t.POOL_WORKERS)
    limit = word(model_host, t.HOST_LIMIT)
    if limit != 0 and size > (limit - atomic_load(model_host + 8 * t.HOST_USED)) // workers:
        return 0
    for number in range(1, workers + 1):
        made, share = allocate(host, size), share_of(pool, number)
        if made == 0:
            return 0
        release(host, word(share, t.SHARE_SCRATCH))
        set_word(share, t.SHARE_SCRATCH, made)
    set_word(pool, t.POOL_SCRATCH_BYTES, size)
    return 1


@function
def run_ended(pool, context):
    """The run will publish no more jobs."""
    if pool != 0 and atomic_load(pool + 8 * t.POOL_RUN) == context:
        atomic_store(pool + 8 * t.POOL_RUN, 0)


@function
def publish(pool, context, kind, row, counter, work, phase, tiles):
    if atomic_load(pool + 8 * t.POOL_RUN) != context:
        atomic_store(pool + 8 * t.POOL_RUN, context)
    job = atomic_load(pool + 8 * t.POOL_JOBS) + 1
    set_word(pool, t.POOL_JOB, job)
    set_word(pool, t.POOL_KIND, kind)
    set_word(pool, t.POOL_ROW, row)
    set_word(pool, t.POOL_COUNTER, counter)
    set_word(pool, t.POOL_WORK, work)
    set_word(pool, t.POOL_PHASE, phase)
    set_word(pool, t.POOL_TILES, tiles)
    set_word(pool, t.POOL_STATUS, 0)
    set_word(pool, t.POOL_CANCEL, word(context, t.RUN_CANCEL))
    atomic_store(pool + 8 * t.POOL_STOP, 0)
    atomic_store(pool + 8 * t.POOL_WAITING, 0)
    atomic_store(pool + 8 * t.POOL_REMAINING, tiles)
    for number in range(word(pool, t.POOL_WORKERS), -1, -1):
        count = first_tile(pool, number + 1, tiles) - first_tile(pool, number, tiles)
        atomic_store(share_of(pool, number) + 8 * t.SHARE_LEFT, count)
    atomic_store(pool + 8 * t.POOL_JOBS, job)
    if atomic_load(pool + 8 * t.POOL_SLEEPERS) > 0:
        atomic_add(pool + 8 * t.POOL_WAKE, 1)
        wake_up(word(pool, t.POOL_HOST), pool + 8 * t.POOL_WAKE, tiles - 1)


@function
def wait_for_end(pool, context, host):
    """Returns when every tile of the job has been run."""
    remaining_at = pool + 8 * t.POOL_REMAINING
    for _ in range(word(pool, t.POOL_SPIN)):
        if atomic_load(remaining_at) == 0:
            return
        pause()
    atomic_store(pool + 8 * t.POOL_WAITING, 1)
    while True:
        left = atomic_load(remaining_at)
        if left == 0:
            return
        sleep_on(word(pool, t.POOL_HOST), remaining_at, left, host + 8 * t.HOST_TICK if context != 0 else 0)
        poll_job(pool, context, host)


@function
def fail_in_job(frame, status, step, a, b, tile, detail):
    """As fail; of an index tuple the numbers at `detail`, too."""
    if status == INDEX_TUPLE:
        note_detail(frame, detail, t.DETAIL_WORDS)
    return fail(frame, status, step, a, b, tile)


@function
def note_detail(frame, numbers, count):
    error = word(word(frame, t.FRAME_CONTEXT), t.RUN_ERROR)
    for i in range(count):
        set_word(error, t.ERROR_DETAIL + i, word(numbers, i))


@function
def fail_without_part(frame, kind, row, step):
    """Of a kernel that was to go a way that was left out: notes its sizes and attributes, as many as there is room
    for, and how many they are; of a map, none."""
    numbers, count = row, 0
    if kind == JOB_PACK:
        numbers, count = row + 8 * t.PACKED_ARGUMENTS, word(row, t.PACKED_NUMBERS)
    elif kind == JOB_CALL:
        record = word(row, t.ROW_RECORD)
        numbers = word(row, t.ROW_BOUND) + 8 * word(record, CALL_OPERANDS)
        count = word(record, CALL_DIMS) + word(record, CALL_ATTRS)
    count = min(count, t.DETAIL_WORDS)
    note_detail(frame, numbers, count)
    return fail(frame, LEFT_OUT, step, count, 0, 0)


@function
def run_alone(frame, kind, row, counter, work, scratch, phase, tiles, step):
    context = polling_context(frame, kind)
    for tile in range(tiles):
        if flag_raised(frame) != 0:
            return fail(frame, t.CANCELLED, step, 0, 0, 0)
        if context != 0 and polled(context, host_of(frame), CHECKS if tile > 0 else STEP) != 0:
            return fail(frame, t.CANCELLED, step, 0, 0, 0)
        status = run_tile(kind, row, counter, work, scratch, phase, tile)
        if status == LEFT_OUT:
            return fail_without_part(frame, kind, row, step)
        if status != 0:
            return fail_in_job(frame, status, step, word(scratch, 0), word(scratch, 1), tile, scratch + 16)
    return 0


@function
def polling_context(frame, kind):
    """The run's context if it polls inside a job of this kind, else 0: the store is locked while something is
    packed."""
    context = word(frame, t.FRAME_CONTEXT)
    return 0 if kind == JOB_PACK or word(context, t.RUN_CHECKS) > NO_POLLING // 2 else context


@function
def run_job(frame, kind, row, phase, tiles, scratch_bytes, step):
    """Runs all tiles, in parallel if the pool is free and there is more than one. Returns 0 or an error code."""
    context, pool = word(frame, t.FRAME_CONTEXT), word(word(frame, t.FRAME_MODEL), t.MODEL_POOL)
    counter, work = frame + 8 * t.FRAME_COUNTER, word(context, t.RUN_WORK)
    if grow(host_of(frame), context, t.RUN_SCRATCH, t.RUN_SCRATCH_BYTES, scratch_bytes + 64) == 0:
        return fail(frame, t.NO_MEMORY, step, scratch_bytes, 0, 0)
    scratch = word(context, t.RUN_SCRATCH)
    alone = tiles < 2 or pool == 0 or word(pool, t.POOL_WORKERS) == 0
    if not alone:
        alone = atomic_swap_if(pool + 8 * t.POOL_LOCK, 0, 1) == 0
        if not alone and scratch_for_workers(pool, scratch_bytes + 64, host_of(frame)) == 0:
            atomic_store(pool + 8 * t.POOL_LOCK, 0)      # no memory for them all: slower, with the same result
            alone = True
    if alone:
        note_threads(context, min(tiles, 1))
        return run_alone(frame, kind, row, counter, work, scratch, phase, tiles, step)
    publish(pool, context, kind, row, counter, work, phase, tiles)
    polling, host = polling_context(frame, kind), host_of(frame)
    run_shares(pool, 0, context + 8 * t.RUN_SCRATCH, polling, host)
    wait_for_end(pool, polling, host)
    if word(context, t.RUN_TRACE) != 0:
        note_threads(context, threads_that_ran(pool))
    status = word(pool, t.POOL_STATUS)
    if status == LEFT_OUT:
        fail_without_part(frame, kind, row, step)
    elif status != 0:
        fail_in_job(frame, status, step, word(pool, t.POOL_A), word(pool, t.POOL_B), word(pool, t.POOL_FAILED_TILE),
                    pool + 8 * t.POOL_DETAIL)
    atomic_store(pool + 8 * t.POOL_LOCK, 0)
    return status
