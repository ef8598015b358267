"""The user's line: which line of the user's code is running now, kept cheaply and resolved only when shown.

A `Source` is a pair (code object, instruction offset). Taking one costs a few frame steps; turning it
into a file, a line and the text of that line happens only when an error or a profile shows it.
"""

from __future__ import annotations

import linecache
import sys
from types import CodeType, FrameType
from typing import NamedTuple


class Source(NamedTuple):
    """A place in the user's code: a code object and the offset of an instruction in it."""

    code: CodeType
    instruction: int

    @property
    def line(self) -> int:
        """The line number, 1-based."""
        found = _line_tables.get(id(self.code))
        if found is None or found[0] is not self.code:
            if len(_line_tables) > 4096:
                _line_tables.clear()
            found = _line_tables[id(self.code)] = (self.code, _line_table(self.code))
        return found[1].get(self.instruction, self.code.co_firstlineno)

    @property
    def file(self) -> str:
        return self.code.co_filename

    @property
    def text(self) -> str:
        """The source line itself, stripped; empty if the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def function(self) -> str:
        return self.code.co_qualname

    def __str__(self) -> str:
        text = self.text
        place = f"{self.file}:{self.line} in {self.function}"
        return f"{place}\n    {text}" if text else place


_tuple = tuple.__new__  # several times as fast as calling a named tuple
_line_tables: dict[int, tuple[CodeType, dict[int, int]]] = {}  # by identity: hashing a code object is slow


def _line_table(code: CodeType) -> dict[int, int]:
    lines: dict[int, int] = {}
    for start, end, line in code.co_lines():
        if line is not None:
            lines.update(dict.fromkeys(range(start, end, 2), line))
    return lines


# Modules whose frames are not the user's: standard ones through which the library is called, and ours as they are met.
_passed_through = {"concurrent.futures.thread", "contextlib", "dataclasses", "funcgrad", "threading"}


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame that does not belong to this library, or None."""
    # Hot while staging: two dictionary look-ups a frame (benchmark: tracing).
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name not in _passed_through:
            if name is None or not name.startswith("funcgrad."):
                return frame
            _passed_through.add(name)
        frame = frame.f_back
    return None


def user_source(depth: int = 1) -> Source | None:
    """The user's current line, or None when only this library is on the stack.

    Args:
        depth: of the innermost frame that may be the user's; 1 is the caller.
    """
    frame = user_frame(depth + 1)
    return None if frame is None else _tuple(Source, (frame.f_code, frame.f_lasti))


def function_source(function: object) -> str:
    """`name (file:line)` of a Python function, for messages; falls back to its repr."""
    target = function
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__  # type: ignore[attr-defined]
    while hasattr(target, "func"):
        target = target.func  # type: ignore[attr-defined]
    code = getattr(target, "__code__", None)
    name = getattr(function, "__name__", None) or getattr(target, "__name__", None) or repr(function)
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"
