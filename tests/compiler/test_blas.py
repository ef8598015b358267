"""Matrix products run in one thread within a block, and as before after it."""

from __future__ import annotations

import threading

import pytest

from funcgrad.compiler.blas import OneThread, _found, one_thread


class Threads:
    """Stands for OpenBLAS."""

    def __init__(self) -> None:
        self.count, self.changes = 8, 0

    def get(self) -> int:
        return self.count

    def set(self, count: int) -> None:
        self.count, self.changes = count, self.changes + 1


@pytest.fixture
def threads() -> Threads:
    return Threads()


def block_of(threads: Threads) -> OneThread:
    block = OneThread()
    block._functions = threads.get, threads.set
    return block


def test_a_block_has_one_thread_and_what_was_before_comes_back(threads: Threads) -> None:
    block = block_of(threads)
    with block:
        assert threads.count == 1
        with block:
            assert threads.count == 1
        assert threads.count == 1
    assert (threads.count, threads.changes) == (8, 2)


def test_it_comes_back_after_an_error_too(threads: Threads) -> None:
    with pytest.raises(KeyError), block_of(threads):
        raise KeyError
    assert threads.count == 8


def test_the_last_thread_to_leave_restores_it(threads: Threads) -> None:
    block, inside, leave = block_of(threads), threading.Event(), threading.Event()

    def stay() -> None:
        with block:
            inside.set()
            leave.wait(20)

    other = threading.Thread(target=stay)
    with block:
        other.start()
        assert inside.wait(20)
    assert threads.count == 1
    leave.set()
    other.join()
    assert threads.count == 8


def test_without_openblas_nothing_happens() -> None:
    block = OneThread()
    block._functions = None
    with block:
        pass


def test_numpys_own() -> None:
    functions = _found()
    if functions is None:
        pytest.skip("NumPy's matrix products are not OpenBLAS's")
    before = functions[0]()
    with one_thread:
        assert functions[0]() == 1
    assert functions[0]() == before
