"""What an engine says when it fails, made readable: with the program, its call site, shapes, and the operation's line

A program runs after its call has returned, so that a failure may show only when a result is read. A result carries the
label that its program gave it, by which the program is found again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np
from jaxlib.mlir import ir

from ..errors import EngineError
from ..source import Source

__all__ = ["compiling_error", "engine_error", "labelled_by", "lowering_error", "read", "unreadable", "wait_for"]

_LONGEST = 2000  # characters of what the engine says
_DIAGNOSTIC = re.compile(
    r"^(?:[A-Z_]+: )?(?P<file>[^\n]*?):(?P<line>\d+):\d+: (?P<kind>error|note): (?P<text>.*)$", re.M
)
_LOCATION = re.compile(r'loc\("(?P<name>.*)"\("(?P<file>.*)":(?P<line>\d+):\d+\)\)')
_QUOTED = re.compile(r"'([a-z]+\.\w+)'")
_CURRENT = "see current operation: "
_TRACE = re.compile(r"\n=*\s*Source Location Trace.*", re.S)


class Named(Protocol):
    """A program, as far as messages are concerned."""

    @property
    def name(self) -> str: ...

    @property
    def in_types(self) -> Sequence[Any]: ...


class Compiled(Named, Protocol):
    """A compiled program."""

    @property
    def source(self) -> Source | None: ...


class Lowered(Named, Protocol):
    """A module for the engine."""

    @property
    def module(self) -> Any: ...

    def sources(self) -> Iterable[Source]:
        """The user's lines that its operations may carry."""
        ...


class Place(Protocol):
    """Where a module is being written."""

    @property
    def location(self) -> Any: ...

    @property
    def source(self) -> Source | None: ...


_makers: WeakValueDictionary[int, Compiled] = WeakValueDictionary()


def labelled_by(labels: Iterable[Any], program: Compiled) -> None:
    """Remember whose results carry these labels, which must be the program's own and live as long as it."""
    _makers.update((id(label), program) for label in labels)


def wait_for(buffer: Any, what: Callable[[], str]) -> None:
    """Wait until a buffer has its value. In messages it is called `what()`.

    Raises:
        EngineError: it will never have one, because the program that should have made it failed.
    """
    try:
        buffer.block_until_ready()
    except Exception as error:  # the engine raises several unrelated classes
        raise unreadable(buffer, what(), error) from None


def read(buffer: Any, what: Callable[[], str]) -> np.ndarray:
    """A buffer's value on the host. In messages it is called `what()`.

    Raises:
        EngineError: it cannot be read, or its program failed.
    """
    try:
        buffer.block_until_ready()  # looking at a buffer whose program failed would abort the process
        return np.asarray(buffer)
    except Exception as error:  # the engine raises several unrelated classes
        raise unreadable(buffer, what(), error) from None


def unreadable(buffer: Any, what: str, error: BaseException) -> EngineError:
    """The error for a buffer that could not be read."""
    program = _makers.get(id(getattr(buffer, "aval", None)))
    if program is None:
        return EngineError(f"reading {what} failed:\n{_said(error)[0]}")
    return engine_error("running", program, error, f", as was found when {what} was read")


def engine_error(doing: str, program: Compiled, error: BaseException, found: str = "") -> EngineError:
    """The error for what the engine raised while doing something with a program; `found` says how it showed."""
    return EngineError(
        f"{doing} program {_described(program)} failed in the engine{found}:\n{_said(error)[0]}", program.source
    )


def compiling_error(module: Lowered, call: Source | None, error: BaseException) -> EngineError:
    """The error for a module that the engine refused: at the operation that it complains about, if that is clear.

    Args:
        module: what it refused.
        call: the user's line where the program was called.
        error: what the engine raised.
    """
    said, places = _said(error)
    what = f"compiling program {_described(module)} failed in the engine"
    culprit = _culprit(module, said, places)
    if culprit is None:
        return EngineError(f"{what}:\n{said}", call)
    operation, source = culprit
    return EngineError(f"{what}, at {operation} from this line.\n{_site(call)}{said}", source)


def lowering_error(program: Named, build: Place, call: Source | None, error: BaseException) -> EngineError:
    """The error for an operation that could not be written; the arguments are as those of `compiling_error`."""
    what = f"lowering program {_described(program)} failed"
    place = _LOCATION.fullmatch(str(build.location))
    said = f"{type(error).__name__}: {_said(error)[0]}"
    if place is None or build.source is None:
        return EngineError(f"{what}:\n{said}", call)
    return EngineError(
        f"{what} at its operation {place['name']}, which comes from this line.\n{_site(call)}{said}", build.source
    )


def _site(call: Source | None) -> str:
    return "" if call is None else f"The program was called at {call.file}:{call.line}.\n"


def _described(program: Named) -> str:
    return f"{program.name}({', '.join(map(str, program.in_types))})"


def _said(error: BaseException) -> tuple[str, list[tuple[str, int]]]:
    """What the engine says, without its own places and ornaments; and the places in the user's code that it names."""
    text = _TRACE.sub("", str(error)).strip()
    found = list(_DIAGNOSTIC.finditer(text))
    if found:
        lines = [
            f"    {f['text'].removeprefix(_CURRENT)}" if f["text"].startswith(_CURRENT) else f["text"] for f in found
        ]
        text = "\n".join(dict.fromkeys(lines))
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} …"
    return text, [(f["file"], int(f["line"])) for f in found]


def _culprit(module: Lowered, said: str, places: list[tuple[str, int]]) -> tuple[str, Source] | None:
    """The operation, in words, that the engine complains about, and its line; None if it is not clear which it is."""
    blamed = set(_QUOTED.findall(said))
    found: dict[tuple[str, int], set[str]] = {}

    def look_at(operation: Any) -> Any:
        place = _LOCATION.fullmatch(str(operation.location))
        if place is not None:
            line = place["file"], int(place["line"])
            named = operation.name in blamed or not blamed
            if _calls_what_is_named(operation, said) or (line in places and named):
                found.setdefault(line, set()).add(place["name"])
        return ir.WalkResult.ADVANCE

    module.module.operation.walk(look_at)
    if len(found) != 1:
        return None
    ((line, names),) = found.items()
    source = next((source for source in module.sources() if (source.file, source.line) == line), None)
    if source is None:
        return None
    return (f"its operation {names.pop()}, which comes" if len(names) == 1 else "an operation that comes"), source


def _calls_what_is_named(operation: Any, said: str) -> bool:
    """Whether it is a call of foreign code whose name the engine mentions."""
    if operation.name != "stablehlo.custom_call":
        return False
    target = str(operation.attributes["call_target_name"]).strip('"')
    return re.search(rf"\b{re.escape(target)}\b", said) is not None
