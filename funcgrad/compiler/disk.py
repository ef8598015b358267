"""Compiled programs on disk, for other processes: found by what they are made of, read only where nobody else writes.

An entry is a file named by the digest of its *facts*: the lowered program without names and lines, the versions of the
engine, its options, the device and the machine. What it holds is native code, and a checksum does not say who wrote it.
So it is read only if the directory and the file, as they were opened, belong to this user and nobody else may write to
them. (Then nothing depends on who may write to the directories above.) The engine, which checks neither versions nor
processors, sees it only if it begins with the very facts that hold here and its checksum is right.

A file is written under another name and then renamed, so that no reader meets half of it; after a loss of power the
checksum tells. There are no locks: processes that write the same entry replace equal by equal, and what another process
removed is missed, and made again.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import platform
import re
import secrets
import stat
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..backend.client import Device
from ..backend.executable import Executable, compile_module, engine_facts, load_executable
from ..backend.stablehlo import Module
from ..config import config
from ..errors import CacheWarning, EngineError
from ..source import Source

__all__ = ["Entry", "Usage", "clear", "directory_path", "entry_of", "executable_of", "usage"]

_MAGIC = b"funcgrad compiled program\n"
_FORMAT = 1  # of the files; another one is another key
_LENGTHS = struct.Struct("<QQ")  # of the facts and of the native code, after the magic
_WORTHWHILE = 0.02  # seconds of compiling, of which a load takes a 15th to a 35th: below, little would be won
_SCANS = 32  # the directory is looked through when a process has written this part of the limit
_ABANDONED = 3600.0  # seconds after which an unfinished file has no writer any more
_ENTRY = re.compile(r"[0-9a-f]{64}\.compiled")
_UNFINISHED = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{16}\.unfinished")

_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PLAIN_FILE = _ON_EXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # no links, no waiting pipes
_BY_DESCRIPTOR = {os.open, os.unlink, os.rename, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd


class _Process:
    """What this process did so far.

    Attributes:
        warned: whether it has said that the cache cannot be used.
        written: bytes written to each directory since it was last looked through.
    """

    def __init__(self) -> None:
        self.warned = False
        self.written: dict[str, int] = {}


_process = _Process()


class Usage(NamedTuple):
    """How many entries a directory holds, their bytes, and when the least and the most recently used were used."""

    entries: int
    bytes: int
    oldest: float | None
    newest: float | None


class Entry:
    """Where one compiled program is, or will be.

    Args:
        facts: all that it depends on.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        written = json.dumps(facts, sort_keys=True).encode()
        self.name = f"{hashlib.sha256(written).hexdigest()}.compiled"
        self._facts = written

    def load(self, module: Module, device: Device, source: Source | None = None) -> Executable | None:
        """The executable of a module on a device, if it is there. An entry that is damaged is removed."""
        try:
            with _opened(directory_path()) as directory:
                blob = self._read(directory)
                if blob is None:
                    return None
                try:
                    return load_executable(blob, module, device, source)
                except EngineError:
                    directory.remove(self.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            _warn(error, source)
        return None

    def store(self, executable: Executable, seconds: float) -> None:
        """Write the executable, which took so long to compile, if that is worthwhile."""
        if seconds < _WORTHWHILE:
            return
        try:
            content = self._content(executable.serialize())
        except EngineError:  # not every engine can
            return
        limit = config.cache_size
        if len(content) > limit:
            return
        try:
            path = directory_path()
            os.makedirs(path, mode=0o700, exist_ok=True)
            with _opened(path) as directory:
                directory.write(self.name, content)
                _keep_within(directory, limit, len(content))
        except FileNotFoundError:  # somebody removed the directory, or what was being written
            pass
        except OSError as error:
            _warn(error, executable.source)

    def _content(self, blob: bytes) -> bytes:
        head = _MAGIC + _LENGTHS.pack(len(self._facts), len(blob)) + self._facts
        return head + hashlib.sha256(head + blob).digest() + blob

    def _read(self, directory: _Directory) -> bytes | None:
        """The native code, if the file says that it was made from these very facts, and is whole."""
        content = directory.read(self.name)
        if content is None:
            return None
        blob = content[len(_MAGIC) + _LENGTHS.size + len(self._facts) + hashlib.sha256().digest_size :]
        if content != self._content(blob):
            directory.remove(self.name)
            return None
        return blob


def executable_of(module: Module, device: Device, source: Source | None = None) -> Executable:
    """A lowered program's executable on a device: from disk if it is there, else compiled, and then stored there.

    Args:
        module: the lowered program.
        device: where it will run.
        source: the user's line, for errors of the engine and for the warning that the cache cannot be used.
    """
    entry = entry_of(module, device)
    found = None if entry is None else entry.load(module, device, source)
    if found is not None:
        return found
    started = time.perf_counter()
    executable = compile_module(module, device, source)
    if entry is not None:
        entry.store(executable, time.perf_counter() - started)
    return executable


def entry_of(module: Module, device: Device) -> Entry | None:
    """The entry of a module on a device; None if the cache is off, or the module calls Python functions."""
    if not config.cache or module.callbacks:
        return None
    digest = hashlib.sha256(module.anonymous_text().encode()).hexdigest()
    return Entry({"module": digest, **engine_facts(module, device), **_machine_facts()})


def _machine_facts() -> dict[str, Any]:
    """What the code that an engine generates may depend on, besides the engine and the program."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "format": _FORMAT,
        "processors": os.cpu_count() if affinity is None else len(affinity(0)),  # work is cut into so many parts
        "processor": _processor(),
        "pointer": struct.calcsize("P"),
        "order": sys.byteorder,
        "environment": {name: os.environ.get(name, "") for name in _ENVIRONMENT},
    }


_ENVIRONMENT = ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "NPROC", "PJRT_NPROC")
_MODEL = re.compile(r"(vendor_id|cpu family|model|flags|features|isa|cpu|cpu \w+)\s*:\s*(.*)", re.I)


@functools.lru_cache(maxsize=1)
def _processor() -> str:
    """The processor's kind and features, as the system tells them."""
    described = [platform.machine(), platform.processor()]
    if sys.platform == "linux":
        with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = file.read().split("\n\n")[0]
            described += [line for line in first.splitlines() if _MODEL.fullmatch(line) and "MHz" not in line]
    elif sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"]
        with contextlib.suppress(OSError):
            described.append(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return "\n".join(described)


# -- the directory -------------------------------------------------------------------------------------------------


def directory_path() -> str:
    """The directory of the cache: as set, else the platform's own place.

    Raises:
        OSError: there is no such place.
    """
    if config.cache_dir is not None:
        return str(config.cache_dir)
    if sys.platform == "win32":
        parent = os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local")
    elif sys.platform == "darwin":
        parent = os.path.expanduser("~/Library/Caches")
    else:
        parent = os.environ.get("XDG_CACHE_HOME", "")
        parent = parent if os.path.isabs(parent) else os.path.expanduser("~/.cache")
    if not os.path.isabs(parent):
        raise _refusal("there is no home directory")
    return os.path.join(parent, "funcgrad")


class _Directory:
    """The cache's directory, opened. Names are looked up in what was opened, where the system can do that."""

    def __init__(self, path: str) -> None:
        self.path = path
        flags = os.O_RDONLY | os.O_DIRECTORY | _ON_EXEC if _BY_DESCRIPTOR else 0
        self._descriptor = os.open(path, flags) if _BY_DESCRIPTOR else None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def require_safe(self) -> None:
        """Raises OSError unless it belongs to this user alone."""
        status = os.stat(self.path if self._descriptor is None else self._descriptor)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not _is_ours(status):
            raise _refusal(f"it belongs to another user (number {status.st_uid})")
        if not _is_private(status):
            raise _refusal(f"other users may write to it; `chmod go-w {self.path}` forbids that")

    def read(self, name: str) -> bytes | None:
        """The content of a file, which counts as used now; None if there is none. One that is not safe is removed."""
        try:
            descriptor = os.open(self._at(name), os.O_RDONLY | _PLAIN_FILE, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):  # it is a symbolic link
                self.remove(name)
            return None
        try:
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) and _is_ours(status) and _is_private(status)):
                self.remove(name)
                return None
            with contextlib.suppress(OSError):  # a file system that may only be read serves as well
                os.utime(descriptor if os.utime in os.supports_fd else self._at(name))
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def write(self, name: str, content: bytes) -> None:
        """Make or replace a file, in one instant."""
        temporary = f"{name.partition('.')[0]}.{secrets.token_hex(8)}.unfinished"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN_FILE
        descriptor = os.open(self._at(temporary), flags, 0o600, dir_fd=self._descriptor)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            places = {"src_dir_fd": self._descriptor, "dst_dir_fd": self._descriptor} if _BY_DESCRIPTOR else {}
            os.replace(self._at(temporary), self._at(name), **places)
        except BaseException:
            self.remove(temporary)
            raise

    def remove(self, name: str) -> bool:
        """Remove a file; whether this process did."""
        try:
            os.unlink(self._at(name), dir_fd=self._descriptor)
        except OSError:
            return False
        return True

    def files(self, names: re.Pattern[str]) -> list[tuple[float, int, str]]:
        """When each of our files was last used, its bytes, and its name."""
        found = []
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as listing:
            for item in listing:
                if names.fullmatch(item.name):
                    with contextlib.suppress(OSError):  # removed meanwhile
                        status = item.stat(follow_symlinks=False)
                        found.append((status.st_mtime, status.st_size, item.name))
        return found

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name


@contextlib.contextmanager
def _opened(path: str) -> Iterator[_Directory]:
    """The directory at a path.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be used, or is not safe to use.
    """
    directory = _Directory(path)
    try:
        directory.require_safe()
        yield directory
    finally:
        directory.close()


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or status.st_uid == os.geteuid()  # Windows: the user's folders are the user's


def _is_private(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _refusal(reason: str) -> OSError:
    return PermissionError(errno.EPERM, reason)


def _keep_within(directory: _Directory, limit: int, added: int) -> None:
    """Remove what was not used for the longest time if there is too much; looked at only now and then."""
    written = _process.written.get(directory.path)
    if written is not None and written + added < limit // _SCANS:
        _process.written[directory.path] = written + added
        return
    _process.written[directory.path] = 0
    for used, _, name in directory.files(_UNFINISHED):
        if used < time.time() - _ABANDONED:
            directory.remove(name)
    files = directory.files(_ENTRY)
    excess = sum(size for _, size, _ in files) - limit
    for _, size, name in sorted(files):
        if excess <= 0:
            break
        directory.remove(name)
        excess -= size


def usage(path: str) -> Usage:
    """What is in a directory.

    Raises:
        OSError: it cannot be used, or is not safe to use.
    """
    try:
        with _opened(path) as directory:
            files = directory.files(_ENTRY)
    except FileNotFoundError:
        files = []
    times = [used for used, _, _ in files]
    return Usage(len(files), sum(size for _, size, _ in files), min(times, default=None), max(times, default=None))


def clear(path: str) -> int:
    """Remove all entries of a directory, and no other files; how many there were.

    Raises:
        OSError: it cannot be used, or is not safe to use.
    """
    try:
        with _opened(path) as directory:
            for _, _, name in directory.files(_UNFINISHED):
                directory.remove(name)
            return sum(directory.remove(name) for _, _, name in directory.files(_ENTRY))
    except FileNotFoundError:
        return 0


def _warn(error: OSError, source: Source | None) -> None:
    """Say, once in a process, that the cache cannot be used."""
    if _process.warned:
        return
    _process.warned = True
    try:
        place = f"the cache of compiled programs in {directory_path()}"
    except OSError:
        place = "the cache of compiled programs"
    warnings.warn_explicit(
        f"{place} cannot be used: {error.strerror or error}.\n"
        f"Work goes on without it: each process compiles its own programs. Choose another directory with "
        f"fg.config.update(cache_dir=…) or the environment variable FUNCGRAD_CACHE_DIR; or do without the cache, and "
        f"without this warning, by fg.config.update(cache=False) or FUNCGRAD_CACHE=0.",
        CacheWarning,
        *(("funcgrad", 0) if source is None else (source.file, source.line)),
    )
