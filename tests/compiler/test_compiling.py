"""Compiling off the main thread: Ctrl-C is answered, nothing is lost or done twice, and a line tells how far it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend.executable import compile_count
from funcgrad.compiler import cache, compiling
from funcgrad.compiler.compiling import compile_all, compile_apart
from tests.backend.subprocesses import ROOT, run_python

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends itself signals")
PATIENCE = 20.0  # seconds after which a test gives up


class Held:
    """Stands for a compile that takes as long as a test wants."""

    def __init__(self, make_executable: Callable[..., Any]) -> None:
        self.make_executable = make_executable
        self.begun, self.release = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, *args: Any) -> Any:
        self.threads.append(threading.current_thread())
        self.begun.set()
        assert self.release.wait(PATIENCE)
        return self.make_executable(*args)


@pytest.fixture(autouse=True)
def nothing_on_disk() -> Iterator[None]:
    """What is made here is made here, whatever other runs left."""
    with fg.config(cache=False):
        yield


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """The engine, holding every compile until it is released."""
    held = Held(cache.executable_of)
    monkeypatch.setattr(cache, "executable_of", held)
    yield held
    held.release.set()
    for thread in held.threads:  # an interrupted compile ends after the test
        if thread is not threading.main_thread() and thread.name.startswith("funcgrad"):
            compiling._awaited.leave()
            thread.join(PATIENCE)


def press_control_c(when: threading.Event) -> threading.Thread:
    """A thread that sends this process SIGINT after an event."""

    def press() -> None:
        assert when.wait(PATIENCE)
        time.sleep(0.05)  # the main thread is about to wait
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def current() -> str:
    return threading.current_thread().name


# -- where it runs -----------------------------------------------------------------------------------------------------


def test_the_main_thread_hands_over_and_the_same_worker_is_used_again() -> None:
    first, second = (compile_apart("program", threading.get_ident) for _ in range(2))
    assert first == second != threading.get_ident()


def test_other_threads_and_what_is_nested_compile_by_themselves() -> None:
    def nested() -> tuple[str, str]:
        return current(), compile_apart("inner", current)

    here, there = compile_apart("outer", nested)
    assert here == there == compile_apart("program", current)
    with ThreadPoolExecutor(1, "other") as pool:
        assert pool.submit(compile_apart, "program", current).result() == "other_0"


def test_the_settings_of_the_caller_hold() -> None:
    with fg.config(default_float="float64"):
        assert compile_apart("program", lambda: fg.config.default_float) == "float64"
    assert compile_apart("program", lambda: fg.config.default_float) == "float32"


def test_compiled_functions_use_it(held: Held) -> None:
    held.release.set()
    fg.jit(lambda x: x * 2.625)(1.0)
    assert [thread.name for thread in held.threads] == [compile_apart("program", current)]


def test_where_no_thread_can_start_it_happens_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(compiling.ThreadPoolExecutor, "submit", full)
    assert compile_apart("program", threading.get_ident) == threading.get_ident()


# -- errors ------------------------------------------------------------------------------------------------------------


def test_errors_arrive_as_they_are_and_can_be_tried_again() -> None:
    failures = iter([ValueError("a"), TimeoutError("b"), KeyError("c")])

    def work() -> str:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        return "made"

    for kind in (ValueError, TimeoutError, KeyError):
        with pytest.raises(kind):
            compile_apart("program", work)
    assert compile_apart("program", work) == "made"


def test_an_error_without_a_line_gets_the_callers() -> None:
    place: dict[str, Any] = {"__name__": "funcgrad.rule", "MissingRuleError": errors.MissingRuleError}
    exec("def work(): raise MissingRuleError('no such rule')", place)
    work = place["work"]
    with pytest.raises(errors.MissingRuleError) as caught:
        compile_apart("program", work)  # here
    assert caught.value.source is not None
    assert caught.value.source.text == 'compile_apart("program", work)  # here'
    assert str(caught.value) == f"at {caught.value.source}\nno such rule"


def test_a_failed_compile_leaves_nothing_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([True, True, False])
    make_executable = cache.executable_of

    def unlucky(*args: Any) -> Any:
        if next(outcomes):
            raise errors.EngineError("out of luck", None)
        return make_executable(*args)

    monkeypatch.setattr(cache, "executable_of", unlucky)
    function, remembered = fg.jit(lambda x: x * 2.6875), cache.compiled_count()
    for _ in range(2):
        with pytest.raises(errors.EngineError, match="out of luck"):
            function(1.0)
        assert cache.compiled_count() == remembered
    assert float(function(1.0)) == 2.6875


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_control_c_returns_at_once_and_the_compile_is_found_later(held: Held) -> None:
    function, before = fg.jit(lambda x: x * 2.75), compile_count()
    pressing = press_control_c(held.begun)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        function(fnp.arange(3.0))
    assert time.monotonic() - started < PATIENCE / 2  # the compile was not waited for
    pressing.join()
    assert not held.release.is_set()
    threading.Timer(0.1, held.release.set).start()
    np.testing.assert_array_equal(function(fnp.arange(3.0)), [0, 2.75, 5.5])
    assert (compile_count() - before, len(held.threads)) == (1, 1)


def test_after_control_c_other_programs_need_not_wait_for_the_one_under_way(held: Held) -> None:
    pressing = press_control_c(held.begun)
    with pytest.raises(KeyboardInterrupt):
        fg.jit(lambda x: x * 2.8125)(1.0)
    pressing.join()
    assert compile_apart("other", threading.get_ident) != held.threads[0].ident
    assert held.threads[0].is_alive()


def test_a_thread_that_waits_for_the_interrupted_compile_gets_it(held: Held) -> None:
    function = fg.jit(lambda x: x * 2.84375)
    pressing = press_control_c(held.begun)
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            function(fnp.ones(3))
        pressing.join()
        waiting = pool.submit(function, fnp.ones(3))
        time.sleep(0.05)
        held.release.set()
        np.testing.assert_array_equal(waiting.result(PATIENCE), [2.84375] * 3)
    assert len(held.threads) == 1


def test_control_c_while_tracing_leaves_a_function_that_can_be_called() -> None:
    traced = threading.Event()

    def endless(x: Any) -> Any:
        if not traced.is_set():
            traced.set()
            while True:
                x = x + 1
        return x * 2.875

    function = fg.jit(endless)
    pressing = press_control_c(traced)
    with pytest.raises(KeyboardInterrupt):
        function(2.0)
    pressing.join()
    assert float(function(2.0)) == 5.75


# -- steps -------------------------------------------------------------------------------------------------------------


def test_steps_give_their_results_in_order_one_by_one_on_few_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "steps_at_once", lambda: 1)
    threads = compile_all("program", [current] * 3)
    assert len(set(threads)) == 1
    assert threads[0] == compile_apart("program", current)
    assert compile_all("program", []) == []


def test_steps_run_at_once_on_many_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "steps_at_once", lambda: 2)
    meeting = threading.Barrier(2, timeout=PATIENCE)

    def step(number: int) -> tuple[int, list[str]]:
        meeting.wait()  # would break if they ran one by one
        return number, compile_all("nested", [current] * 2)

    with fg.config(default_float="float64"):
        results = compile_all("program", [lambda i=i: (*step(i), fg.config.default_float) for i in range(4)])
    assert [number for number, *_ in results] == [0, 1, 2, 3]
    assert all(first == second for _, (first, second), _ in results)
    assert {name for *_, name in results} == {"float64"}


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_step_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(compiling, "steps_at_once", lambda: at_once)
    done = []

    def fail() -> None:
        raise errors.EngineError("no", None)

    with pytest.raises(errors.EngineError, match="no"):
        compile_all("program", [fail, *[lambda: (time.sleep(0.01), done.append(1)) for _ in range(50)]])
    assert len(done) < 50


@pytest.mark.parametrize("at_once", [1, 2])
def test_control_c_drops_the_steps_that_have_not_begun(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(compiling, "steps_at_once", lambda: at_once)
    begun, release, ended, done = threading.Event(), threading.Event(), threading.Event(), []

    def step(number: int) -> None:
        begun.set()
        assert release.wait(PATIENCE)
        done.append(number)

    def work() -> None:
        try:
            compile_all("program", [lambda i=i: step(i) for i in range(5)])
        except CancelledError:
            ended.set()

    pressing = press_control_c(begun)
    with pytest.raises(KeyboardInterrupt):
        compile_apart("program", work)
    pressing.join()
    release.set()
    assert ended.wait(PATIENCE)
    assert sorted(done) == list(range(at_once))


@pytest.mark.parametrize(("cores", "steps"), [(1, 1), (2, 1), (7, 1), (8, 2), (64, 16)])
def test_how_many_steps_run_at_once(monkeypatch: pytest.MonkeyPatch, cores: int, steps: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(cores), raising=False)
    assert compiling.steps_at_once() == steps


# -- the line on the terminal ------------------------------------------------------------------------------------------


class Terminal:
    """Stands for standard error."""

    def __init__(self, watched: bool = True, broken: bool = False) -> None:
        self.watched, self.broken, self.text = watched, broken, ""

    def isatty(self) -> bool:
        return self.watched

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError("gone")
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    @property
    def visible(self) -> str:
        """What the line shows in the end."""
        line = ""
        for piece in self.text.split("\r"):
            line = piece + line[len(piece) :]
        return line


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal that someone watches, who is told of compilations at once."""
    terminal = Terminal()
    monkeypatch.setattr(compiling, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.setattr(compiling, "_PATIENCE", 0.0)
    monkeypatch.setattr(compiling, "_TICK", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    return terminal


def long_work(name: str = "train_step") -> None:
    steps = [lambda: time.sleep(0.03)] * 3
    compile_apart(name, lambda: compile_all(name, steps))


def test_the_line_tells_how_far_it_is_and_is_erased(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "steps_at_once", lambda: 1)
    long_work()
    lines = [line.strip() for line in terminal.text.split("\r")]
    wanted = [f"funcgrad: compiling train_step, {n} of 3 programs, 0 s" for n in range(3)]
    assert [line for line in dict.fromkeys(lines) if line in wanted] == wanted
    assert terminal.visible.strip() == ""
    assert "\n" not in terminal.text


def test_one_program_is_not_counted(terminal: Terminal) -> None:
    compile_apart("step", lambda: time.sleep(0.05))
    assert "funcgrad: compiling step, 0 s" in terminal.text


def test_a_long_line_is_cut(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    long_work("a_function_with_a_name_that_is_longer_than_the_line")
    assert max(len(line) for line in terminal.text.split("\r")) == 39


def test_it_is_erased_after_an_error_too(terminal: Terminal) -> None:
    def fail() -> None:
        time.sleep(0.05)
        raise KeyError

    with pytest.raises(KeyError):
        compile_apart("step", fail)
    assert "compiling step" in terminal.text
    assert terminal.visible.strip() == ""


@pytest.mark.parametrize("silence", ["no terminal", "closed", "no stream", "CI", "dumb", "setting", "gone"])
def test_nothing_is_written_where_nobody_watches(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, silence: str
) -> None:
    def closed() -> bool:
        raise ValueError("I/O operation on closed file")

    terminal.watched, terminal.broken = silence != "no terminal", silence == "gone"
    if silence == "closed":
        monkeypatch.setattr(terminal, "isatty", closed)
    if silence == "no stream":
        monkeypatch.setattr(compiling, "sys", SimpleNamespace(stderr=None))
    if silence == "CI":
        monkeypatch.setenv("CI", "1")
    if silence == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    with fg.config(progress=silence != "setting"):
        long_work()
    assert terminal.text == ""


# -- processes ---------------------------------------------------------------------------------------------------------

SLOW = """
    import os, signal, sys, threading, time
    import funcgrad as fg, funcgrad.numpy as fnp
    from funcgrad.compiler import cache, compiling
    from funcgrad.backend.executable import compile_count

    begun = threading.Event()
    make_executable = cache.executable_of

    def slow(*args):
        begun.set()
        time.sleep(1.0)
        return make_executable(*args)

    def press():
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
"""


def test_control_c_in_the_middle_of_the_engine() -> None:
    said = run_python(
        SLOW
        + """
    def deep(x):
        for i in range(1500):
            x = fnp.sin(x * (i + 0.5)) + fnp.flip(x)
        return x

    def watched(*args):
        begun.set()
        return make_executable(*args)

    cache.executable_of = watched
    threading.Thread(target=press).start()
    function = fg.jit(deep)
    try:
        function(fnp.ones(5))
    except KeyboardInterrupt:
        print("interrupted", cache.compiled_count())
    print("again", function(fnp.ones(5)).shape, compile_count(), cache.compiled_count())
    """,
        FUNCGRAD_CACHE="0",
    )
    assert said.splitlines() == ["interrupted 0", "again (5,) 1 1"]


def test_leaving_during_a_compile_ends_in_order() -> None:
    said = run_python(
        SLOW
        + """
    cache.executable_of = slow
    threading.Thread(target=press).start()

    def step():
        function = fg.jit(lambda x: x * 2.5)
        try:
            function(1.0)
        except KeyboardInterrupt:
            print("interrupted", flush=True)

    import atexit
    atexit.register(lambda: print("at exit", compile_count(), cache.compiled_count()))
    step()
    """,
        FUNCGRAD_CACHE="0",
    )
    assert said.splitlines() == ["interrupted", "at exit 1 1"]


def test_control_c_while_leaving_ends_the_process_at_once() -> None:
    code = """
    import threading, time
    from funcgrad.compiler.compiling import Compilation

    begun = threading.Event()
    Compilation("program", lambda: (begun.set(), time.sleep(30)))
    begun.wait()
    print("leaving", flush=True)
    """
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", textwrap.dedent(code)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, **pipes) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "leaving\n"
        time.sleep(0.3)  # until it waits for the worker
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=PATIENCE) == ("", "")
    assert child.returncode == -signal.SIGINT


def test_at_exit_what_has_not_begun_is_dropped() -> None:
    said = run_python(
        """
    import threading, time
    from funcgrad.compiler.compiling import Compilation, compile_all

    begun = threading.Event()

    def step(number):
        begun.set()
        time.sleep(0.3)
        print("step", number, flush=True)

    Compilation("program", lambda: compile_all("program", [lambda i=i: step(i) for i in range(100)]))
    begun.wait()
    print("leaving", flush=True)
    """
    )
    assert said.splitlines() == ["leaving", "step 0"]


def test_compiling_at_exit_happens_on_the_main_thread() -> None:
    said = run_python(
        """
    import atexit, threading
    from funcgrad.compiler.compiling import compile_apart

    print(compile_apart("program", threading.current_thread) is threading.main_thread())
    atexit.register(lambda: print(compile_apart("program", threading.current_thread) is threading.main_thread()))
    """
    )
    assert said.splitlines() == ["False", "True"]


def test_a_forked_process_gets_a_worker_of_its_own_and_waits_for_no_other_thread() -> None:
    said = run_python(
        """
    import os, threading, warnings
    import funcgrad as fg
    from funcgrad.compiler import cache
    from funcgrad.compiler.compiling import compile_apart

    warnings.simplefilter("ignore")  # Python and JAX warn of forks
    begun, release = threading.Event(), threading.Event()

    def hold():
        begun.set()
        return release.wait(20), False

    compile_apart("program", threading.get_ident)
    holding = threading.Thread(target=lambda: cache._executables.get("key", hold))
    holding.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        print(cache._executables.get("key", lambda: ("made", True)), flush=True)
        print(compile_apart("program", threading.get_ident) != threading.get_ident(), flush=True)
        raise SystemExit
    release.set()
    assert os.waitpid(child, 0)[1] == 0
    holding.join()
    """
    )
    assert said.splitlines() == ["made", "True"]


def test_a_person_at_a_terminal_sees_the_line() -> None:
    code = """
    import time
    from funcgrad.compiler import compiling
    compiling._PATIENCE = 0.0
    compiling.compile_apart("train_step", lambda: time.sleep(0.5))
    """
    said = run_python(
        f"""
    import os, pty, subprocess, sys, textwrap
    controller, terminal = pty.openpty()
    environment = {{name: value for name, value in os.environ.items() if name != "CI"}}
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent({code!r})],
        stderr=terminal, env={{**environment, "TERM": "xterm"}}, timeout=60, check=True,
    )
    os.close(terminal)
    print(ascii(os.read(controller, 10000).decode()))
    """
    )
    assert "\\rfuncgrad: compiling train_step, 0 s" in said
    assert said.strip("'\n").endswith(" \\r")
