"""When errors of compiled calls are raised: at reads, at later calls, at the barrier, at exit."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend import pending
from funcgrad.errors import CheckError, EngineError
from tests.backend.subprocesses import run_python


@fg.jit
def positive(x: Any) -> Any:
    fg.check((x > 0).all(), "not positive: {}", x)
    return x * 2.0


@fg.jit
def unchecked(x: Any, y: Any) -> Any:
    return x + y


@pytest.fixture(autouse=True)
def nothing_unread() -> Any:
    pending.watch.drain()
    yield
    pending.watch.drain()


READS = {
    "item": lambda x: x.item(),
    "asarray": np.asarray,
    "str": str,
    "repr": repr,
    "format": lambda x: f"{x}",
    "bool": bool,
    "tolist": lambda x: x.tolist(),
    "eager operation": lambda x: x + 1,
    "dlpack": lambda x: np.from_dlpack(x),
    "block_until_ready": lambda x: x.block_until_ready(),
    "fg.block_until_ready": lambda x: fg.block_until_ready({"x": x}),
    "pickle": pickle.dumps,
    "device_get": fg.device_get,
    "deepcopy": lambda x: copy.deepcopy(x).item(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_every_read_raises_every_time(read: Any) -> None:
    failed = positive(-1.0)
    for _ in range(2):
        with pytest.raises(CheckError, match=r"not positive: -1\.0"):
            read(failed)
    read(positive(1.0))


def test_type_and_device_may_be_asked_for_without_an_error() -> None:
    failed = positive(-1.0)
    assert (failed.shape, failed.dtype, failed.ndim) == ((), np.float32, 0)
    assert failed.devices()


def test_every_result_of_a_call_raises() -> None:
    results = fg.jit(lambda x: (positive(x), {"y": x}))(-1.0)
    for leaf in fg.tree.leaves(results):
        with pytest.raises(CheckError):
            leaf.item()


def test_a_held_check_lets_go_of_its_vector() -> None:
    result = positive(1.0)
    assert result._pending is not None
    result.item()
    assert result._pending is None


def test_later_compiled_calls_inherit_the_error() -> None:
    failed, fine = positive(-1.0), positive(1.0)
    for make in (
        lambda: unchecked(failed, fine),
        lambda: unchecked(fine, failed),
        lambda: fg.vmap(unchecked)(fnp.stack([fine, fine]), fnp.ones(2) * failed),
    ):
        with pytest.raises(CheckError, match="not positive"):
            np.asarray(make())
    assert unchecked(fine, fine).item() == 4


def repeat_unread(x: Any, count: int) -> Any:
    total = fnp.asarray(0.0)
    for _ in range(count):
        x = unchecked(x, total)
    return x.item()


def test_a_long_chain_of_unread_calls_settles() -> None:
    assert repeat_unread(positive(1.0), 3000) == 2
    with pytest.raises(CheckError):
        repeat_unread(positive(-1.0), 3000)


class Slow:
    """A buffer of a vector of errors that is not there yet."""

    def __init__(self, *words: int) -> None:
        self.words, self.here = np.array(words, np.uint32), False

    def is_ready(self) -> bool:
        return self.here

    def block_until_ready(self) -> None:
        pass

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.words


class Told:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, words: np.ndarray) -> Exception:
        return CheckError(f"{self.text} {words.tolist()}")


def test_a_call_is_not_waited_for() -> None:
    slow = Slow(1, 7)
    first = pending.pending_of([Told("first")], [slow], ())
    assert first is not None
    assert not first.ready()
    slow.here = True
    assert first.ready()
    with pytest.raises(CheckError, match=r"first \[7\]"):
        first.require()


def test_the_failure_of_an_earlier_call_is_the_one_told() -> None:
    first = pending.pending_of([Told("first")], [Slow(1, 7)], ())
    assert first is not None
    second = pending.pending_of([Told("second")], [Slow(1, 8)], (first,))
    assert second is not None
    with pytest.raises(CheckError, match="first"):
        second.require()


def test_deep_chains_need_no_recursion() -> None:
    last: Any = None
    for number in range(5000):
        last = pending.pending_of([Told("deep")], [Slow(int(number == 10), number)], (last,) if last else ())
    with pytest.raises(CheckError, match=r"deep \[10\]"):
        last.require()


def test_calls_without_checks_stand_for_all_that_they_come_from() -> None:
    class Holder:
        def __init__(self, held: Any) -> None:
            self._pending = held

    first = pending.pending_of([Told("a")], [Slow(0, 0)], ())
    second = pending.pending_of([Told("b")], [Slow(1, 1)], ())
    both = pending.pending_of((), [], pending.inherited([Holder(first), Holder(second), Holder(None), Holder(first)]))
    assert both is not None
    assert pending.inherited([Holder(both)]) == (first, second)
    assert pending.pending_of((), [], ()) is None
    assert pending.pending_of((), [], (first,)) is first  # type: ignore[arg-type]
    with pytest.raises(CheckError, match="b"):
        both.require()


def test_what_the_engine_could_not_finish_is_an_engine_error() -> None:
    class Broken(Slow):
        def block_until_ready(self) -> None:
            raise RuntimeError("INTERNAL: broken")

    broken = pending.pending_of([Told("never")], [Broken(0)], ())
    assert broken is not None
    with pytest.raises(EngineError, match="INTERNAL: broken"):
        broken.require()


def test_the_barrier_raises_what_nobody_has_read() -> None:
    fg.effects_barrier()
    positive(-1.0)
    positive(1.0)
    positive(-2.0)
    with pytest.raises(CheckError, match=r"not positive: -1\.0") as caught:
        fg.effects_barrier()
    assert caught.value.__notes__ == ["Checks of 1 more compiled calls failed."]
    fg.effects_barrier()


def test_the_barrier_does_not_repeat_what_was_read() -> None:
    with pytest.raises(CheckError):
        positive(-1.0).item()
    fg.effects_barrier()


def test_a_failure_that_is_known_is_raised_by_the_next_call_that_uses_it() -> None:
    failed = positive(-1.0)
    with pytest.raises(CheckError):
        failed.item()
    with pytest.raises(CheckError):
        unchecked(failed, failed)


def test_arrays_that_a_function_closes_over_are_required() -> None:
    failed = positive(fnp.array([1.0, -1.0]))
    with pytest.raises(CheckError):
        fg.jit(lambda x: x + failed)(1.0)


def test_moving_an_array_keeps_its_checks() -> None:
    failed = positive(-1.0)
    with pytest.raises(CheckError):
        fg.device_put(failed, fg.devices()[0]).item()


def test_compiled_stages_report_too() -> None:
    compiled = positive.lower(1.0).compile()
    assert compiled(1.0).item() == 2
    with pytest.raises(CheckError):
        compiled(-1.0).item()


def test_threads_report_their_own_errors() -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        for i in range(100):
            bad = (i + number) % 3 == 0
            value = float(-number if bad else number)
            try:
                found = positive(value).item()
            except CheckError as error:
                if not bad or f"{value}" not in str(error):
                    wrong.append(error)
            else:
                if bad or found != 2 * value:
                    wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_unread_failures_are_told_at_exit() -> None:
    told = run_python("""
        import sys
        import funcgrad as fg
        sys.stderr = sys.stdout
        f = fg.jit(lambda x: (fg.check(x > 0, "not positive: {}", x), x)[1])
        f(-1.0)
        f(-2.0)
        f(1.0)
    """)
    assert "a check failed in a compiled call whose results nobody read (and 1 more)" in told
    assert "not positive: -1.0" in told
