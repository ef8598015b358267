"""Programs that call Python never stand still: each test runs in a fresh interpreter with a time limit."""

from __future__ import annotations

import pytest

from .subprocesses import run_python

SETUP = """
import os, threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import funcgrad as fg, funcgrad.numpy as fnp
from funcgrad.errors import CallbackError

def in_threads(count, work):
    failures = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

MORE_THAN_CORES = 4 * (os.cpu_count() or 1)
inner = fg.jit(lambda x: fg.pure_callback(lambda v: v + 1.0, x, x))
"""


def test_callbacks_of_many_threads_compute_with_the_engine() -> None:
    printed = run_python(
        SETUP
        + """
product = fg.jit(lambda a: a @ a)
matrix = fnp.eye(600)
product(matrix)
host = lambda a: product(a + 0.0)  # what NumPy computes is moved by a worker thread of the engine, which may be taken
program = fg.jit(lambda a: fg.pure_callback(host, a, a @ a))
expected = np.asarray(program(matrix))

def work(number):
    for _ in range(4):
        pending = product(product(matrix))
        np.testing.assert_array_equal(program(pending), expected)
        np.testing.assert_array_equal(product(matrix), matrix)

in_threads(MORE_THAN_CORES, work)
print("done")
"""
    )
    assert printed == "done\n"


def test_ordered_calls_and_exceptions_of_many_threads_stay_apart() -> None:
    printed = run_python(
        SETUP
        + """
seen = {number: [] for number in range(MORE_THAN_CORES)}

def host(number, step):
    if step == 3 and number % 2:
        raise KeyError(int(number))
    seen[int(number)].append(int(step))

@fg.jit
def program(number):
    def body(step, _):
        fg.io_callback(host, None, number, step, ordered=True)
        return step + 1, None
    return fg.lax.scan(body, 0, None, length=5)[0]

def work(number):
    for _ in range(3):
        try:
            program(number)
            assert number % 2 == 0
        except KeyError as error:
            assert error.args == (number,), (error, number)

in_threads(MORE_THAN_CORES, work)
assert all(steps == 3 * ([0, 1, 2] if number % 2 else [0, 1, 2, 3, 4]) for number, steps in seen.items()), seen
print("done")
"""
    )
    assert printed == "done\n"


@pytest.mark.parametrize(
    ("body", "by"),
    [
        ("return inner(v)", "by"),
        (
            """
    caught = []

    def start(function):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()

    def run():
        try:
            inner(v)
        except CallbackError as error:
            caught.append(error)

    start(lambda: start(run))
    raise caught[0]
""",
            "by a thread that is waited for in",
        ),
        (
            """
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(inner, [v, v]))[0]
""",
            "by a thread that is waited for in",
        ),
    ],
    ids=["itself", "a thread of a thread", "a pool"],
)
def test_a_callback_that_would_wait_for_itself_is_told(body: str, by: str) -> None:
    printed = run_python(
        SETUP
        + f"""
def host(v):
    {body}

try:
    fg.jit(lambda x: fg.pure_callback(host, x, x))(1.0)
except CallbackError as error:
    print(error.message.splitlines()[0])
print(inner(1.0))
"""
    )
    expected = f"the compiled program function, which has callbacks, was started {by} a callback of a compiled program."
    assert printed == f"{expected}\n2.0\n"


def test_a_thread_that_nobody_waits_for_gets_its_turn_later() -> None:
    printed = run_python(
        SETUP
        + """
results, threads = [], []

def host(v):
    threads.append(threading.Thread(target=lambda: results.append(float(inner(v)))))
    threads[0].start()
    threads[0].join(0.3)  # not for ever: this wait ends by itself
    return v

fg.jit(lambda x: fg.io_callback(host, x, x))(1.0)
threads[0].join()
print(results)
"""
    )
    assert printed == "[2.0]\n"
