"""Compiled programs on disk: found again by other processes, never trusted blindly, never in the way."""

from __future__ import annotations

import errno
import os
import random
import resource
import stat
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend import executable as engine
from funcgrad.backend.client import default_device
from funcgrad.backend.executable import Executable, compile_count
from funcgrad.backend.stablehlo import Module
from funcgrad.compiler import disk
from funcgrad.compiler.disk import Entry, Usage, clear, directory_path, entry_of, executable_of, usage
from funcgrad.compiler.lower import lower_program
from funcgrad.core.program import stage
from funcgrad.core.types import ArrayType
from tests.backend.subprocesses import run_python

VECTOR = ArrayType((13,), np.dtype(np.float32))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test's own, in which everything is worth storing."""
    monkeypatch.setattr(disk, "_WORTHWHILE", -1.0)
    monkeypatch.setattr(disk, "_process", disk._Process())
    with fg.config(cache=True, cache_dir=tmp_path / "cache", cache_size=1 << 30):
        yield tmp_path / "cache"


class Blob:
    """As much of an executable as `store` needs."""

    source = None

    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> bytes:
        return self.content


def module_of(scale: float = 2.0, name: str = "scaled", donated: tuple[int, ...] = ()) -> Module:
    return lower_program(stage(lambda x: [fnp.cosh(x) * scale], [VECTOR], name), "cpu", donated)


def make(module: Module) -> Executable:
    return executable_of(module, default_device())


def compiles(module: Module) -> int:
    """How many compiles it takes to get the executable of a module, which must work."""
    before = compile_count()
    (result,) = make(module)([fnp.ones(13).buffer(default_device())])
    assert np.isfinite(np.asarray(result)).all()
    return compile_count() - before


def entry(module: Module) -> Entry:
    found = entry_of(module, default_device())
    assert found is not None
    return found


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def store(number: int, size: int = 100) -> Entry:
    """Store an entry that the engine could not read."""
    made: Any = Blob(bytes([number]) * size)
    found = Entry({"number": number})
    found.store(made, 1.0)
    return found


# -- what is found again ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cache")
def test_what_was_compiled_is_loaded() -> None:
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0
    x = fnp.linspace(-1.0, 1.0, 13).buffer(default_device())
    with fg.config(cache=False):
        expected = make(module_of())([x])
    np.testing.assert_array_equal(make(module_of())([x])[0], expected[0])


@pytest.mark.usefixtures("cache")
def test_names_and_lines_do_not_matter() -> None:
    @fg.jit
    def first(x: Any) -> Any:
        return fnp.tanh(x) * 3.0

    @fg.jit
    def größer(z: Any) -> Any:
        y = fnp.tanh(z)
        return y * 3.0

    def program(function: Any, name: str) -> Module:
        return lower_program(stage(lambda x: [function(function(x) + 1.0)], [VECTOR], name), "cpu")

    texts = [program(first, "one"), program(größer, "2 two")]
    assert texts[0].text() != texts[1].text()
    assert texts[0].text(debug=True) != texts[0].text()
    assert texts[0].anonymous_text() == texts[1].anonymous_text()
    assert entry(texts[0]).name == entry(texts[1]).name
    assert __file__ not in texts[0].anonymous_text()


def test_what_a_custom_call_names_is_part_of_the_text() -> None:
    def shout(x: Any) -> Any:
        return x

    shape = fg.ShapeDtypeStruct((3,), np.float32)
    module = fg.jit(lambda x: fg.pure_callback(shout, shape, x)).lower(fnp.ones(3))._module
    assert "@xla_ffi_python_cpu_callback" in module.anonymous_text()


@pytest.mark.usefixtures("cache")
def test_what_is_computed_matters() -> None:
    wide = lower_program(stage(lambda x: [fnp.cosh(x) * 2.0], [ArrayType((14,), VECTOR.dtype)], "scaled"), "cpu")
    different = [module_of(), module_of(2.5), module_of(donated=(0,)), wide]
    assert len({entry(module).name for module in different}) == len(different)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["XLA_FLAGS", "LIBTPU_INIT_ARGS", "NPROC"])
def test_the_environment_matters(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = entry(module_of()).name
    monkeypatch.setenv(name, "2")
    assert entry(module_of()).name != before


@pytest.mark.usefixtures("cache")
def test_options_of_the_engine_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = entry(module_of()).name
    options = engine._compile_options

    def with_barriers(*given: Any) -> Any:
        made = options(*given)
        engine._keep_barriers(made.executable_build_options.debug_options)
        return made

    monkeypatch.setattr(engine, "_compile_options", with_barriers)
    assert entry(module_of()).name != plain


PROGRAM = """
    import os, warnings
    import funcgrad as fg, funcgrad.numpy as fnp
    from funcgrad.backend.executable import compile_count
    from funcgrad.compiler import disk
    warnings.simplefilter("ignore")  # some say that threads and forks do not go together: nothing has run yet
    disk._WORTHWHILE = -1.0

    def {name}(w, x):
        return fnp.sum(fnp.tanh(x @ w) ** 2)

    def run():
        result = fg.jit(fg.grad({name}))(fnp.arange(12.0).reshape(3, 4) / 7, fnp.ones((2, 3)))
        os.write(1, f"{{compile_count()}} {{result.tolist()}}\\n".encode())  # a line at once, however Python buffers

    children = []
    for _ in range({forks}):
        children.append(os.fork())
        if children[-1] == 0:
            run()
            os._exit(0)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    run()
"""


def test_other_processes_compile_nothing(tmp_path: Path) -> None:
    """Eight of them at once, then one with other names, lines and hashes."""
    environment = {"FUNCGRAD_CACHE_DIR": str(tmp_path / "cache"), "FUNCGRAD_CACHE": "1"}
    first = run_python(PROGRAM.format(name="loss", forks=8), PYTHONHASHSEED="1", **environment).splitlines()
    assert len(first) == 9
    assert any(line[0] != "0" for line in first[:8])
    assert first[8][0] == "0"
    assert usage(str(tmp_path / "cache")).entries == len(files(tmp_path / "cache")) >= 1
    other = "\n\n" + PROGRAM.format(name="another", forks=0)
    (second,) = run_python(other, PYTHONHASHSEED="2", **environment).splitlines()
    assert second[0] == "0"
    assert {line.split(" ", 1)[1] for line in first} == {second.split(" ", 1)[1]}


def test_changing_the_cache_traces_and_compiles_nothing(cache: Path) -> None:
    @fg.jit
    def function(x: Any) -> Any:
        return x * 3.5 + 1.25

    x = fnp.ones(5)
    function(x)
    before = compile_count()
    with fg.config(cache=False):
        function(x)
    with fg.config(cache_dir=cache / "another", cache_size=10, progress=False):
        function(x)
    assert function.cache_info().traces == 1
    assert compile_count() == before
    assert not (cache / "another").exists()


def test_clear_caches_leaves_the_disk(cache: Path) -> None:
    f = fg.jit(lambda x: fnp.sinh(x) * 0.375)
    f(fnp.ones(5))
    before, entries = compile_count(), files(cache)
    fg.clear_caches()
    f(fnp.ones(5))
    assert compile_count() == before
    assert files(cache) == entries


# -- what a loaded program does --------------------------------------------------------------------------------------


def loaded_again(function: Any, *args: Any) -> Any:
    """Compile a function for arguments, and forget it, so that the next call loads it."""
    function(*args)
    fg.clear_caches()
    return compile_count()


@pytest.mark.usefixtures("cache")
def test_checks_name_the_line_of_this_process() -> None:
    first = fg.jit(lambda x, i: x[i] * 1.5)
    other = fg.jit(lambda table, row: table[row] * 1.5)  # equal, at another line
    before = loaded_again(first, fnp.ones(7), 3)
    with pytest.raises(errors.OutOfBoundsError, match=r"table\[row\] \* 1\.5") as raised:
        other(fnp.ones(7), 9).tolist()
    assert "9" in str(raised.value)
    assert compile_count() == before


@pytest.mark.usefixtures("cache")
def test_donation() -> None:
    f = fg.jit(lambda x: x * 1.75 + 0.5, donate_argnums=0)
    make = fg.jit(lambda x: x - 1.0)
    x = make(fnp.ones((64, 64)) * 2)
    before = loaded_again(f, make(fnp.ones((64, 64)) * 2))
    place = x.buffer(default_device()).unsafe_buffer_pointer()
    y = f(x)
    assert compile_count() == before
    assert y.buffer(default_device()).unsafe_buffer_pointer() == place
    np.testing.assert_array_equal(y, np.full((64, 64), 2.25, np.float32))
    with pytest.raises(errors.DonatedError):
        x + 1


@pytest.mark.usefixtures("cache")
def test_loops_and_branches() -> None:
    f = fg.jit(lambda x: fg.lax.fori_loop(0, x.shape[0], lambda i, c: c + fnp.where(x[i] > 0, x[i], 0.25), 0.0))
    x = fnp.asarray([1.0, -1.0, 2.0])
    before = loaded_again(f, x)
    assert float(f(x)) == 3.25
    assert compile_count() == before


@pytest.mark.usefixtures("cache")
def test_a_loaded_program_can_be_looked_into() -> None:
    one, two = make(module_of()), make(module_of())
    assert "cosh" in two.text() or "exponential" in two.text()
    assert two.cost_analysis() == one.cost_analysis()
    assert two.memory_analysis().output_size_in_bytes == 52
    assert two.serialize()


def test_programs_that_call_python_are_not_stored(cache: Path) -> None:
    shape = fg.ShapeDtypeStruct((3,), np.float32)
    f = fg.jit(lambda x: fg.pure_callback(lambda v: v + 1, shape, x))
    assert f(fnp.ones(3)).tolist() == [2.0, 2.0, 2.0]
    assert entry_of(f.lower(fnp.ones(3))._module, default_device()) is None
    assert not cache.exists() or not files(cache)


def test_what_compiles_quickly_is_not_stored(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_WORTHWHILE", 1000.0)
    assert compiles(module_of()) == 1
    assert not cache.exists()


def test_what_the_engine_cannot_save_is_not_stored(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(executable: Executable) -> bytes:
        raise errors.EngineError("not implemented")

    monkeypatch.setattr(Executable, "serialize", refuse)
    assert compiles(module_of()) == 1
    assert not cache.exists()


def test_switched_off(cache: Path) -> None:
    with fg.config(cache=False):
        assert compiles(module_of()) == 1
    assert not cache.exists()


# -- what is not trusted ---------------------------------------------------------------------------------------------


@pytest.fixture
def stored(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an entry. That the engine is asked to load anything is an error."""
    assert compiles(module_of()) == 1
    (name,) = files(cache)
    monkeypatch.setattr(disk, "load_executable", lambda *_: pytest.fail("the engine was asked"))
    return cache / name


def lookup(path: Path) -> Executable | None:
    found = entry(module_of())
    assert found.name == path.name
    return found.load(module_of(), default_device())


def test_every_damage_is_a_miss_and_removed(stored: Path) -> None:
    whole = stored.read_bytes()
    key = entry(module_of())
    head = whole.index(b"{")
    blob = head + len(key._facts) + 32
    boundaries = [0, 1, len(disk._MAGIC), head - 1, head, head + 5, blob - 32, blob - 1, blob, blob + 1, len(whole) - 1]
    drawn = random.Random(0)
    flipped = [*range(0, blob, 5), *range(blob, len(whole), 211), len(whole) - 1]
    damaged = [whole[:n] for n in boundaries]
    damaged += [whole[:n] + bytes([whole[n] ^ 1 << drawn.randrange(8)]) + whole[n + 1 :] for n in flipped]
    damaged += [drawn.randbytes(len(whole)), whole + b"\0", whole[:blob], whole[:head] + whole[blob:]]
    device, module = default_device(), module_of()
    for content in damaged:
        stored.write_bytes(content)
        assert key.load(module, device) is None
        assert not stored.exists()


@pytest.mark.parametrize(
    "name", ["jaxlib", "jax", "processor", "processors", "platform", "device", "options", "format"]
)
def test_facts_of_another_engine_or_machine_are_refused(stored: Path, name: str) -> None:
    key = entry(module_of())
    facts = {**disk.json.loads(key._facts), name: "another"}
    other = Entry(facts)
    assert other.name != key.name
    blob = stored.read_bytes()[-100:]
    stored.write_bytes(other._content(blob))  # whole and consistent, but not made here
    assert lookup(stored) is None
    assert not stored.exists()


def test_what_the_engine_cannot_read_is_removed(cache: Path) -> None:
    key = entry(module_of())
    made: Any = Blob(b"no program")
    key.store(made, 1.0)
    assert files(cache) == [key.name]
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_directory_that_others_may_write_to(stored: Path, mode: int) -> None:
    stored.parent.chmod(mode)
    with pytest.warns(errors.CacheWarning, match="other users may write to it"):
        assert lookup(stored) is None
    assert compiles(module_of()) == 1  # told once
    stored.parent.chmod(0o700)
    assert stored.exists()


def test_a_directory_of_another_user(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: stored.stat().st_uid + 1)
    with pytest.warns(errors.CacheWarning, match="it belongs to another user"):
        assert lookup(stored) is None
    before = stored.read_bytes()
    assert compiles(module_of()) == 1
    assert stored.read_bytes() == before


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_to(stored: Path, mode: int) -> None:
    stored.chmod(mode)
    assert lookup(stored) is None
    assert not stored.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user(stored: Path) -> None:
    os.chown(stored, 12345, -1)
    assert lookup(stored) is None
    assert not stored.exists()


def test_links_pipes_and_directories_in_place_of_a_file(stored: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    stored.rename(target)
    stored.symlink_to(target)
    assert lookup(stored) is None
    assert target.exists()
    assert not stored.is_symlink()
    os.mkfifo(stored)
    assert lookup(stored) is None
    assert not stored.exists()
    stored.mkdir()
    assert lookup(stored) is None
    with pytest.warns(errors.CacheWarning, match="Is a directory"):
        assert compiles(module_of()) == 1


def test_a_link_to_a_directory_is_judged_by_where_it_leads(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    cache.symlink_to(tmp_path / "real")
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0
    (tmp_path / "real").chmod(0o777)
    with pytest.warns(errors.CacheWarning, match="other users may write to it"):
        assert compiles(module_of()) == 1


@pytest.mark.usefixtures("cache")
def test_what_is_made_is_private(cache: Path) -> None:
    old = os.umask(0)
    try:
        compiles(module_of())
    finally:
        os.umask(old)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in cache.iterdir()] == [0o600]


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("function", ["open", "replace", "makedirs"])
def test_a_failure_to_write_is_told_once(
    cache: Path, function: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(os, function)

    def fail(path: Any, *args: Any, **kwargs: Any) -> Any:
        if function == "open" and not str(path).endswith(".unfinished"):
            return original(path, *args, **kwargs)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.warns(errors.CacheWarning, match=os.strerror(number)):
            assert compiles(module_of()) == 1
        assert compiles(module_of(2.5)) == 1
    assert not cache.exists() or files(cache) == []
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0


def test_a_disk_that_is_full_in_the_middle_of_a_file(cache: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.warns(errors.CacheWarning, match="File too large"):
            store(1, 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(cache) == []


def test_a_file_in_place_of_the_directory(cache: Path) -> None:
    cache.write_text("mine")
    with pytest.warns(errors.CacheWarning, match="Not a directory"):
        assert compiles(module_of()) == 1
    assert cache.read_text() == "mine"


def test_no_home(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with fg.config(cache_dir=None), pytest.warns(errors.CacheWarning, match="there is no home directory"):
        assert compiles(module_of()) == 1
    assert not cache.exists()


def test_a_file_system_that_may_only_be_read(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EROFS, "")

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(disk, "load_executable", engine.load_executable)
    assert lookup(stored) is not None


def test_the_directory_is_removed_under_way(cache: Path) -> None:
    assert compiles(module_of()) == 1
    assert clear(str(cache)) == 1
    cache.rmdir()
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0


def test_what_is_being_written_is_removed_by_another_process(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def replace_cleared(*args: Any, **kwargs: Any) -> None:
        assert clear(str(cache)) == 0
        replace(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_cleared)
        assert compiles(module_of()) == 1
    assert files(cache) == []


def test_an_interrupted_write_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store(1)
    assert files(cache) == []
    store(1)
    assert len(files(cache)) == 1


WRITER = """
    import os, signal, time, warnings
    from funcgrad.compiler.disk import Entry

    class Blob:
        source = None

        def __init__(self, number):
            self.number = number

        def serialize(self):
            return bytes([self.number]) * 1_000_000

    def write():
        while True:
            for number in range(20):
                Entry({"number": number}).store(Blob(number), 1.0)

    warnings.simplefilter("ignore")  # some say that threads and forks do not go together: nothing has run yet
    for delay in (10, 20, 30, 50, 70, 110, 130, 170):
        writers = []
        for _ in range(2):
            writers.append(os.fork())
            if writers[-1] == 0:
                write()
        time.sleep(delay / 1000)
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
"""


def test_killed_writers_leave_only_whole_entries(cache: Path) -> None:
    run_python(WRITER, FUNCGRAD_CACHE_DIR=str(cache), FUNCGRAD_CACHE="1")
    numbers = {Entry({"number": number}).name: number for number in range(20)}
    entries = [name for name in files(cache) if name.endswith(".compiled")]
    assert entries
    with disk._opened(str(cache)) as directory:
        for name in entries:
            number = numbers[name]
            assert Entry({"number": number})._read(directory) == bytes([number]) * 1_000_000
    for path in cache.glob("*.unfinished"):
        os.utime(path, (0, 0))
    store(100)
    assert all(name.endswith(".compiled") for name in files(cache))


# -- how much there is -----------------------------------------------------------------------------------------------


def test_the_least_recently_used_go_first(cache: Path) -> None:
    entries = [store(number, 1000) for number in range(6)]
    for age, each in enumerate(entries):
        os.utime(cache / each.name, (1000 + age, 1000 + age))
    with disk._opened(str(cache)) as directory:
        assert entries[0]._read(directory) is not None  # used now
    with fg.config(cache_size=4 * (cache / entries[0].name).stat().st_size):
        last = store(6, 1000)
    assert files(cache) == sorted(each.name for each in (entries[0], entries[4], entries[5], last))


@pytest.mark.usefixtures("cache")
def test_the_directory_stays_within_its_size(cache: Path) -> None:
    with fg.config(cache_size=200_000):
        for number in range(200):
            store(number, 10_000)
            assert usage(str(cache)).bytes <= 220_000
    assert usage(str(cache)).entries >= 15


def test_looks_through_the_directory_now_and_then_only(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    original = disk._Directory.files
    monkeypatch.setattr(disk._Directory, "files", lambda self, names: looks.append(names) or original(self, names))
    for number in range(100):
        store(number)
    assert len(looks) == 2  # one look at entries, one at unfinished files
    assert len(files(cache)) == 100


def test_what_is_larger_than_the_cache_is_not_stored(cache: Path) -> None:
    with fg.config(cache_size=1000):
        store(1, 2000)
    assert not cache.exists()


def test_clearing_removes_only_what_is_ours(cache: Path) -> None:
    store(1)
    store(2)
    others = ["notes.txt", "0123.compiled", f"{'0' * 64}.compiled.txt"]
    for name in others:
        (cache / name).write_text("mine")
    (cache / f"{'0' * 64}.{'0' * 16}.unfinished").touch()
    assert usage(str(cache)).entries == 2
    assert clear(str(cache)) == 2
    assert files(cache) == sorted(others)
    assert usage(str(cache)) == Usage(0, 0, None, None)


# -- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "environment", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/fast"}, "/fast/funcgrad"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/funcgrad"),
        ("linux", {}, "/home/me/.cache/funcgrad"),
        ("darwin", {}, "/home/me/Library/Caches/funcgrad"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/funcgrad"),
    ],
)
def test_the_place_of_each_platform(
    system: str, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in {"HOME": "/home/me", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    with fg.config(cache_dir=None):
        assert directory_path() == expected


def test_without_descriptors_of_directories(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_BY_DESCRIPTOR", False)
    monkeypatch.setattr(os, "supports_fd", frozenset())
    assert compiles(module_of()) == 1
    assert compiles(module_of()) == 0
    (name,) = files(cache)
    (cache / name).write_bytes(b"")
    assert compiles(module_of()) == 1
    assert clear(str(cache)) == 1


def test_warnings_that_are_errors_come_once(cache: Path) -> None:
    cache.write_text("")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(errors.CacheWarning):
            make(module_of())
        make(module_of())
