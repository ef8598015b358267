"""What stands in an array for the buffer that was donated, and tells every later use of it what happened."""

from __future__ import annotations

from ..core.types import ArrayType
from ..errors import DonatedError
from ..source import Source

__all__ = ["Donated"]


class Donated:
    """Takes the place of a donated array's buffer.

    Attributes:
        name: the path of the argument that it was part of, such as `state['w']`.
        function: the function it was donated to, in words.
        source: the line of that call.
    """

    __slots__ = ("function", "name", "source")

    def __init__(self, name: str, function: str, source: Source | None) -> None:
        self.name = name
        self.function = function
        self.source = source

    def error(self, type: ArrayType) -> DonatedError:
        """The error for a use of the array."""
        place = "" if self.source is None else f" at {self.source}"
        return DonatedError(
            f"this array of type {type} was donated: it was the argument {self.name} of {self.function}, "
            f"called{place}\n"
            f"A donated array's memory belongs to the results of the call, so its value is gone.\n"
            f"Use the result of that call instead, or leave the argument out of donate_argnums and donate_argnames."
        )
