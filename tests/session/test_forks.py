"""fork while other threads run: the child has sessions that work, old and new ones."""
from __future__ import annotations

import sys

import pytest

from child import run_child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")

BUSY = """
x = gc.placeholder(gc.float32, [None, 64])
w, c = gc.Variable(np.ones((64, 64), np.float32)), gc.constant(np.ones((64, 64), np.float32))
y = gc.matmul(gc.tanh(gc.matmul(x, c)), w)
write = gc.assign(w, w * 1.0)
fed = np.ones((64, 64), np.float32)
session = gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=3))
session.run(gc.global_variables_initializer())
for _ in range(6):
    expected = session.run(y, {x: fed})
    session.run(write)
stop = False
def repeat(work):
    while not stop:
        work()
def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(5)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def test_children_of_a_busy_process() -> None:
    told = run_child(BUSY + """
threads = [threading.Thread(target=repeat, args=(work,), daemon=True) for work in (
    lambda: session.run(y, {x: fed}), lambda: session.run(y, {x: fed}), lambda: session.run(write))]
for thread in threads:
    thread.start()
def work():
    for _ in range(3):
        assert np.array_equal(session.run(y, {x: fed}), expected)
        session.run(write)
    assert np.array_equal(session.run(y, {x: fed[:7]}), expected[:7])
    with gc.Graph().as_default(), gc.Session() as new:
        assert new.run(gc.constant([1.0, 2.0]) * 2 + 1).tolist() == [3, 5]
    assert in_child(lambda: session.run(y, {x: fed})) == 0             # and a child of the child
statuses = [in_child(work) for _ in range(12)]
stop = True
for thread in threads:
    thread.join()
assert np.array_equal(session.run(y, {x: fed}), expected)
print(set(statuses))
""")
    assert told.split() == ["{0}"], told


def test_a_child_gets_whole_variables() -> None:
    told = run_child("""
        v = gc.Variable(np.zeros(4_000_000, np.float32))
        write = gc.assign_add(v, gc.ones([4_000_000]))
        session = gc.Session()
        session.run(gc.global_variables_initializer())
        stop = False
        def repeat():
            while not stop:
                session.run(write.op)
        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        torn = 0
        for _ in range(15):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                value = session.run(v)
                os._exit(int(value.min() != value.max()))
            torn += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
            time.sleep(0.005)
        stop = True
        thread.join()
        print(torn)
    """)
    assert told.split() == ["0"]


def test_fork_while_plans_are_compiled() -> None:
    """Locks of graphs, sessions, the JIT and LLVM are held by other threads at the fork."""
    told = run_child(BUSY + """
def build():
    global built
    with gc.Graph().as_default(), gc.Session() as other:
        p = gc.placeholder(gc.float32, [None])
        q = p
        for k in range(build.number % 9 + 2):
            q = gc.square(q * 1.5) - q / (k + 2.0)
        build.number += 1
        for _ in range(6):
            other.run(q, {p: [1.0, 2.0]})
build.number = 0
os.environ["GRAPHC_CACHE"] = "/dev/null/none"
import warnings
warnings.simplefilter("ignore")
thread = threading.Thread(target=repeat, args=(build,), daemon=True)
thread.start()
statuses = []
for _ in range(12):
    def work():
        build()
        from graphc.exec import code_queue
        code_queue.settle()
        assert np.array_equal(session.run(y, {x: fed}), expected)
    statuses.append(in_child(work))
    time.sleep(0.01)
while build.number <= 3:
    time.sleep(0.01)
stop = True
thread.join()
print(set(statuses))
""")
    assert told.split() == ["{0}"], told
