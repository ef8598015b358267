"""Compiling off the main thread, so that Ctrl-C is answered at once, and a line on the terminal that says how far it is

The engine cannot be asked to stop. So the main thread, the only one that gets Ctrl-C, does not compile: it hands the
work to a worker and waits. Interrupted, it leaves: the compile under way goes on, its result is kept as ever, and what
was not begun is dropped. Other threads compile by themselves. The worker is no daemon, which at exit would abort the
process in the middle of the engine: the interpreter waits for it.
"""

from __future__ import annotations

import atexit
import contextvars
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from time import monotonic
from typing import Any, Generic, TextIO, TypeVar

from ..config import config
from ..errors import FuncgradError
from ..source import user_source

__all__ = ["Compilation", "compile_all", "compile_apart"]

T = TypeVar("T")

_PATIENCE = 2.0  # seconds after which to tell that something is being compiled
_TICK = 0.2  # seconds between two looks: where a signal does not end a wait (Windows), Ctrl-C takes that long
_MANY_CORES = 8
_CORES_OF_A_COMPILE = 4  # what one compile keeps busy, at times


class _Place(threading.local):
    """Where this thread is.

    Attributes:
        compilation: the one that it works for, or None.
        alongside: whether it runs one of several steps at once.
    """

    compilation: Compilation[Any] | None = None
    alongside = False


class _Worker:
    """The thread on which compilations run, one after the other; it starts when first needed.

    One thread is kept because what builds modules is costly to set up in a thread.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.restart()

    def restart(self) -> None:
        """Forget the thread, which does not exist in a forked process."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[], Any]) -> Future[Any] | None:
        """Have the work done; None where no thread can be had, because the interpreter ends or the system is full."""
        with self._lock:
            pool = self._pool or ThreadPoolExecutor(1, self.name)
            try:
                future = pool.submit(work)
            except RuntimeError:
                return None
            self._pool = pool
            return future

    def leave(self) -> None:
        """Let the thread end when its work is done: what comes next gets another one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)


_place = _Place()
_awaited = _Worker("funcgrad-compile")
_background = _Worker("funcgrad-background")
_under_way: set[Compilation[Any]] = set()
_closing = False


class Compilation(Generic[T]):
    """Work under way on a worker, whose result can be asked for.

    Args:
        name: of the program, for the line on the terminal.
        work: makes the result. It runs with the settings that hold here.
        background: whether the caller goes on meanwhile.

    Attributes:
        finished, total: how many of its steps (see `compile_all`) are done, and how many there are so far.
    """

    def __init__(self, name: str, work: Callable[[], T], background: bool = False) -> None:
        self.name = name
        self.finished = self.total = 0
        self._cancelled = False
        self._lock = threading.Lock()
        self._worker = _background if background else _awaited
        context = contextvars.copy_context()
        self._future = self._worker.submit(lambda: context.run(self._run, work))

    def _run(self, work: Callable[[], T]) -> T:
        if self._cancelled or _closing:
            raise CancelledError
        _place.compilation = self
        _under_way.add(self)
        try:
            return work()
        finally:
            _under_way.discard(self)
            _place.compilation = None

    @property
    def begun(self) -> bool:
        """Whether there is a worker for it."""
        return self._future is not None

    def done(self) -> bool:
        """Whether `result` returns, or raises, at once."""
        return self._future is None or self._future.done()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether it is done."""
        return self._future is None or _is_over(self._future, seconds)

    def step(self, make: Callable[[], Any]) -> Any:
        """Run one step, unless nobody waits for it any more."""
        if self._cancelled or _closing:
            raise CancelledError
        result = make()
        with self._lock:
            self.finished += 1
        return result

    def expect(self, steps: int) -> None:
        """Count so many more steps."""
        with self._lock:
            self.total += steps

    def result(self) -> T:
        """Wait for the work, telling how far it is; what it returned, or raises what it raised.

        An exception that comes from outside while it waits, such as Ctrl-C, cancels the steps that have not begun.
        """
        future = self._future
        assert future is not None, "nothing has begun"
        line = _Line(self)
        try:
            while not _is_over(future, _TICK):
                line.show()
            return future.result()
        except BaseException as error:
            if not future.done() or future.exception() is not error:
                self.cancel()
            elif isinstance(error, FuncgradError) and error.source is None:
                error.place_at(user_source())
            raise
        finally:
            line.erase()
            del future  # else an exception that it holds would keep this frame alive, and the other way round

    def cancel(self) -> None:
        """Do without it: what has not begun will not, and nobody waits for the rest."""
        self._cancelled = True
        if self._future is not None and not self._future.cancel():
            self._worker.leave()


def _is_over(future: Future[Any], seconds: float) -> bool:
    """Whether the work is done, after a wait of so many seconds at most."""
    try:
        future.exception(seconds)
    except TimeoutError:
        return False
    except CancelledError:
        pass
    return True


def compile_apart(name: str, work: Callable[[], T]) -> T:
    """What the work (all that follows tracing) returns, done so that Ctrl-C is answered while the main thread waits.

    Interrupted work goes on in the background until the compile under way is done. So it has to keep its result by
    itself, where the next call finds it, or finds it being made.

    Args:
        name: of the program, for the line on the terminal.
        work: runs on a worker if this is the main thread, else right here; with the settings that hold here.

    Raises:
        KeyboardInterrupt: at once, whatever the engine does.
        EngineError, …: what the work raises; an error that has no line of the user gets the one that asked.
    """
    if threading.current_thread() is threading.main_thread():
        compilation = Compilation(name, work)
        if compilation.begun:
            return compilation.result()
    return work()


def compile_all(name: str, steps: Sequence[Callable[[], T]]) -> list[T]:
    """What the steps return, in their order. Each makes one executable; several run at once where cores are many.

    They count as steps of the compilation that this thread works for. If that is interrupted, the next step does not
    begin.

    Args:
        name: of the program, for the line on the terminal.
        steps: to be run in this order.

    Raises:
        CancelledError: the compilation was interrupted. Nobody gets to see it.
        EngineError, …: what the first step that failed raised. Those that have not begun are dropped.
    """
    compilation = _place.compilation
    if compilation is None and threading.current_thread() is threading.main_thread():
        return compile_apart(name, lambda: _run_steps(_place.compilation, steps))
    return _run_steps(compilation, steps)


def _run_steps(compilation: Compilation[Any] | None, steps: Sequence[Callable[[], T]]) -> list[T]:
    if compilation is not None:
        compilation.expect(len(steps))
    count = min(len(steps), steps_at_once())
    if count < 2 or _place.alongside or _closing:
        return [_run_step(compilation, step) for step in steps]
    with ThreadPoolExecutor(count, "funcgrad-compile") as pool:
        futures = [pool.submit(contextvars.copy_context().run, _run_alongside, compilation, step) for step in steps]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = [f for f in futures if f.done() and f.exception() is not None]
            return [future.result() for future in failed or futures]
        finally:
            for future in futures:
                future.cancel()


def _run_step(compilation: Compilation[Any] | None, step: Callable[[], T]) -> T:
    return step() if compilation is None else compilation.step(step)


def _run_alongside(compilation: Compilation[Any] | None, step: Callable[[], T]) -> T:
    """One step of several at once: what it compiles in turn belongs to the same compilation, and runs one by one."""
    _place.compilation, _place.alongside = compilation, True
    return _run_step(compilation, step)


def steps_at_once() -> int:
    """How many compiles to run at once. The engine itself uses several cores, so that on a few it brings nothing."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return cores // _CORES_OF_A_COMPILE if cores >= _MANY_CORES else 1


class _Line:
    """One line on the terminal that tells how far a compilation is, once that takes long; erased at the end."""

    def __init__(self, compilation: Compilation[Any]) -> None:
        self._compilation = compilation
        self._started = monotonic()
        self._shown = ""
        self._stream: TextIO | None = None

    def show(self) -> None:
        """Write or renew the line."""
        seconds = monotonic() - self._started
        if seconds < _PATIENCE:
            return
        self._stream = self._stream or _terminal()
        if self._stream is not None:
            steps = self._compilation
            counted = f", {steps.finished} of {steps.total} programs" if steps.total > 1 else ""
            self._write(self._stream, f"funcgrad: compiling {steps.name}{counted}, {seconds:.0f} s")

    def erase(self) -> None:
        """Remove the line."""
        if self._stream is not None:
            self._write(self._stream, "")

    def _write(self, stream: TextIO, text: str) -> None:
        text = text[: shutil.get_terminal_size().columns - 1]  # a longer line could not be written over
        if text == self._shown:
            return
        try:
            stream.write(f"\r{text.ljust(len(self._shown))}" if text else f"\r{' ' * len(self._shown)}\r")
            stream.flush()
        except (OSError, ValueError):  # the terminal is gone, or cannot write the name
            return
        self._shown = text


def _terminal() -> TextIO | None:
    """Standard error if a person watches it."""
    stream = sys.stderr
    if not config.progress or stream is None or "CI" in os.environ or os.environ.get("TERM") == "dumb":
        return None
    try:
        return stream if stream.isatty() else None
    except ValueError:  # closed
        return None


def _close() -> None:
    """The interpreter is about to wait for all threads: let them finish the step that they are at, but none more.

    Ctrl-C would end that wait, and then the interpreter, in the middle of the engine, with an abort. So meanwhile it
    ends the process at once.
    """
    global _closing
    _closing = True
    if _under_way and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        atexit.register(signal.signal, signal.SIGINT, signal.default_int_handler)  # runs when the wait is over


if hasattr(os, "register_at_fork"):
    for forget in (_awaited.restart, _background.restart, _under_way.clear):
        os.register_at_fork(after_in_child=forget)
threading._register_atexit(_close)  # type: ignore[attr-defined]  # `atexit` comes only after the threads have ended
