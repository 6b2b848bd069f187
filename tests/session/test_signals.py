"""Ctrl-C and other signals: seen while native code runs, and every lock is as good behind them as before."""
from __future__ import annotations

import textwrap

import pytest

from child import run_child

LONG = {
    "loop": """
        n = gc.placeholder(gc.int32, [])
        start = [gc.constant(0), gc.constant(1.0)]
        y = gc.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * 0.5 + 1.0), start)[1]
        short, long = {n: 3}, {n: 10**9}
    """,
    "tiles": """
        x = gc.placeholder(gc.float32, [None, None])
        y = x
        for i in range(400):
            y = gc.tanh(y * 1.01)
        y = gc.reduce_sum(y)
        short, long = {x: np.ones((2, 3), np.float32)}, {x: np.ones((4000, 4000), np.float32)}
    """,
    "a Python function": """
        n = gc.placeholder(gc.float64, [])
        y = gc.py_func(lambda s: time.sleep(float(s)) or s, [n], gc.float64)
        short, long = {n: 0.0}, {n: 60.0}
    """,
    "Python functions in a loop": """
        n = gc.placeholder(gc.int32, [])
        def step(i, a):
            b = gc.py_func(lambda v: v + 1, [a], gc.float32)
            b.set_shape([])
            return i + 1, b
        y = gc.while_loop(lambda i, a: i < n, step, [gc.constant(0), gc.constant(1.0)])[1]
        short, long = {n: 3}, {n: 10**9}
    """,
}


def program(name: str, more: str) -> str:
    return textwrap.dedent(LONG[name]) + "\nsession = gc.Session(config=config)\n" + more


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_ends_a_run_soon(name: str, threads: int) -> None:
    told = run_child(f"config = gc.ConfigProto(intra_op_parallelism_threads={threads})\n" + program(name, """
good = session.run(y, short)
late = []
for number in range(6):                  # the first runs of a kind, and the quick ones behind them
    def strike():
        global struck
        struck = time.process_time()     # how long the run goes on, however busy the machine is
        os.kill(os.getpid(), signal.SIGINT)
    timer = threading.Timer(0.15, strike)
    try:
        timer.start()
        session.run(y, long)
        raise SystemExit("the run ended by itself")
    except KeyboardInterrupt:
        late.append(time.process_time() - struck)
    timer.join()
    assert session.run(y, short) == good
print(min(late))
"""))
    assert float(told) < 0.05 * threads


def test_signal_handlers_run_in_the_middle_of_a_run() -> None:
    told = run_child("config = None\n" + program("loop", """
seen = []
def handler(number, frame):
    seen.append(float(session.run(y, short)))       # another run inside this one
    if len(seen) == 5:
        os.kill(os.getpid(), signal.SIGINT)
for _ in range(8):
    expected = session.run(y, short)
signal.signal(signal.SIGALRM, handler)
try:
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    session.run(y, long)
except KeyboardInterrupt:
    pass
signal.setitimer(signal.ITIMER_REAL, 0)
print(set(seen) == {float(expected)})
"""))
    assert told.split() == ["True"]


def test_what_a_handler_raises_comes_out_of_the_run_of_the_main_thread_only() -> None:
    told = run_child("config = None\n" + program("loop", """
class Mine(Exception):
    pass
def handler(number, frame):
    raise Mine("here")
signal.signal(signal.SIGUSR1, handler)
others = []
for _ in range(6):
    session.run(y, short)
thread = threading.Thread(target=lambda: others.append(session.run(y, {n: 2_000_000})))
thread.start()
try:
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
    session.run(y, long)
except Mine as error:
    print(error, type(error.__context__).__name__)
thread.join()
print(others[0] == session.run(y, {n: 2_000_000}))
"""))
    assert told.split() == ["here", "NoneType", "True"]


@pytest.mark.parametrize("name", ["loop", "tiles"])
def test_a_time_limit_is_seen_inside_a_step(name: str) -> None:
    told = run_child("config = gc.ConfigProto(operation_timeout_in_ms=100)\n" + program(name, """
session.run(y, short)
begin = time.process_time()
try:
    session.run(y, long)
except gc.errors.DeadlineExceededError:
    print(time.process_time() - begin)
session.run(y, short)
"""))
    assert float(told) < 1


VARIABLES = """
v = gc.Variable(np.zeros(4, np.float32))
n = gc.placeholder(gc.int32, [])
reading = gc.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * 0.5 + v), [gc.constant(0), gc.identity(v)])[1]
writing = gc.assign_add(v, gc.ones([4]))
asking = gc.py_func(lambda a: a + 1, [v], gc.float32) + v
with gc.control_dependencies([gc.assign_add(v, gc.ones([4]))]):
    both = gc.py_func(lambda a: a + 1, [v + 0], gc.float32)
session = gc.Session()
session.run(gc.global_variables_initializer())
for _ in range(6):
    for fetch in (writing, asking, both):
        session.run(fetch)
    session.run(reading, {n: 3})
def works():
    done = []
    def run():
        for fetch in (writing, v * 1, asking, both):
            session.run(fetch)
        done.append(1)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    lock = session._states.lock
    return bool(done) and not lock.readers and not lock.writers and not lock._line
"""


def test_ctrl_c_while_a_writer_waits() -> None:
    told = run_child(VARIABLES + """
thread = threading.Thread(target=lambda: session.run(reading, {n: 15_000_000}))
thread.start()
while not session._states.lock.readers:
    time.sleep(0.001)
try:
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    session.run(writing)
    print("was not interrupted")
except KeyboardInterrupt:
    print("interrupted", thread.is_alive())
session.run(v * 1)                       # readers go on while the other one reads
thread.join()
print(works())
""")
    assert told.split() == ["interrupted", "True", "True"]


def test_signals_at_every_point_of_a_run() -> None:
    """Signals that raise, thousands of them, at whatever point the main thread is."""
    told = run_child(VARIABLES + """
import random
class Strike(BaseException):
    pass
def handler(number, frame):
    raise Strike
signal.signal(signal.SIGALRM, handler)
sys.stderr = open(os.devnull, "w")              # told there: a strike in a weak reference's callback
stop = threading.Event()
def others():
    while not stop.is_set():
        session.run(v * 1)
        session.run(writing)
thread = threading.Thread(target=others, daemon=True)
thread.start()
struck, end = 0, time.monotonic() + 60
chance = random.Random(0)
while struck < 2500 and time.monotonic() < end:
    try:
        try:
            # Again and again, for those that are lost.
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 6e-4), 5e-3)
            while True:
                for fetch in (writing, asking, both):
                    session.run(fetch)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Strike:
        struck += 1
stop.set()
thread.join(20)
print(struck > 500, thread.is_alive(), works())
""")
    assert told.split() == ["True", "False", "True"], told
