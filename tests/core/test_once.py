"""A cache that makes each value once, also when several threads ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from funcgrad.core.once import OnceCache


def test_values_are_made_once_and_the_oldest_are_forgotten() -> None:
    cache, made = OnceCache(limit=2), []

    def get(key: str) -> str:
        return cache.get(key, lambda: (made.append(key) or key.upper(), True))

    assert [get(key) for key in "aabab"] == list("AABAB")
    assert made == ["a", "b"]
    get("c")  # pushes `a` out, which was used before `b`
    assert sorted(cache.values()) == ["B", "C"]
    get("a")
    assert (made, len(cache)) == (["a", "b", "c", "a"], 2)
    cache.clear()
    assert len(cache) == 0


def test_what_may_not_be_kept_is_made_again() -> None:
    cache = OnceCache(limit=2)
    assert [cache.get("a", lambda i=i: (i, i > 0)) for i in range(4)] == [0, 1, 1, 1]


def test_threads_wait_for_the_one_that_makes_it() -> None:
    cache, start, made = OnceCache(limit=2), threading.Barrier(8), []

    def make() -> tuple[object, bool]:
        made.append(threading.get_ident())
        threading.Event().wait(0.05)
        return object(), True

    def ask(_: int) -> object:
        start.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert len(made) == 1


def test_other_keys_do_not_wait() -> None:
    cache, inside, go_on = OnceCache(limit=2), threading.Event(), threading.Event()

    def slow() -> tuple[str, bool]:
        inside.set()
        assert go_on.wait(10)
        return "slow", True

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cache.get, "a", slow)
        assert inside.wait(10)
        assert cache.get("b", lambda: ("quick", True)) == "quick"
        go_on.set()
        assert running.result() == "slow"


def test_a_failure_is_the_askers_own_and_the_next_one_tries_again() -> None:
    cache, inside = OnceCache(limit=2), threading.Event()

    def fails() -> Any:
        inside.set()
        threading.Event().wait(0.02)
        raise ZeroDivisionError

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cache.get, "a", fails)
        assert inside.wait(10)
        assert cache.get("a", lambda: ("second", True)) == "second"
        with pytest.raises(ZeroDivisionError):
            running.result()


def test_a_thread_may_ask_for_what_it_is_making() -> None:
    cache = OnceCache(limit=2)

    def make(depth: int) -> tuple[int, bool]:
        return (depth if depth == 3 else cache.get("a", lambda: make(depth + 1)) + 10), True

    assert cache.get("a", lambda: make(0)) == 33
    assert cache.get("a", lambda: (0, True)) == 33
