"""Golden messages: a mistake is a function, the class of the error that it must raise, and the exact text.

A message begins with the user's own line; here that is a line of the test file, which is checked apart from the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import funcgrad as fg
from funcgrad import errors

__all__ = ["Mistakes"]


class Mistake(NamedTuple):
    """A function that makes a mistake, and what must come of it."""

    function: Callable[[], Any]
    kind: type[errors.FuncgradError]
    message: str

    def check(self) -> None:
        """Make the mistake; the error must be exactly the one declared, and quote the line that made it."""
        with pytest.raises(self.kind) as caught:
            self.function()
        error = caught.value
        file = self.function.__code__.co_filename
        assert type(error) is self.kind
        assert normalised(error.message, file) == self.message
        assert error.source is not None
        assert error.source.file == file
        assert error.source.function.startswith(self.function.__name__)
        place = f"at {file}:{error.source.line} in {error.source.function}\n    {error.source.text}\n"
        assert str(error) == place + error.message


def normalised(text: str, file: str) -> str:
    """The text with FILE:N for the lines of the test file and DEVICES for the devices of this machine."""
    present = ", ".join(str(device) for platform in fg.platforms() for device in fg.devices(platform))
    return re.sub(re.escape(file) + r":\d+", "FILE:N", text).replace(f"there are: {present}", "there are: DEVICES")


class Mistakes:
    """The mistakes of one test file; used as a decorator it adds one."""

    def __init__(self) -> None:
        self.rows: list[Mistake] = []

    def __call__(self, kind: type[errors.FuncgradError], message: str) -> Callable[[Callable[[], Any]], Any]:
        def declare(function: Callable[[], Any]) -> Callable[[], Any]:
            self.rows.append(Mistake(function, kind, message))
            return function

        return declare

    @property
    def names(self) -> list[str]:
        return [row.function.__name__ for row in self.rows]
