"""Donation: arguments whose memory a compiled call may take for its results, and which are gone afterwards.

An array is marked as donated by our own record, whatever the engine made of it: the engine copies silently where
somebody still looks at the memory, and keeps what fits no result.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..backend.array import Array, copy_buffer
from ..backend.donated import Donated
from ..backend.executable import Executable
from ..backend.pending import Pending
from ..compiler.driver import Driver
from ..compiler.lower import aliases
from ..compiler.tiered import Tiered
from ..core.program import Program
from ..errors import DonationWarning
from ..source import function_source, user_frame, user_source

__all__ = ["Donation"]


class Donation:
    """The donated arguments of one compiled function, for fixed argument types.

    Attributes:
        places: their numbers among the traced leaves.
        names: their paths, such as `state['w']`.
        function: the function, in words.
    """

    __slots__ = ("function", "names", "places")

    def __init__(self, function: Callable[..., Any], places: Sequence[int], names: Sequence[str]) -> None:
        self.function = function_source(function)
        self.places = tuple(places)
        self.names = tuple(names)

    def inputs(self, constants: int) -> tuple[int, ...]:
        """The donated inputs of the program, whose first inputs are as many constants."""
        return tuple(constants + place for place in self.places)

    def run(
        self,
        executable: Executable | Driver | Tiered,
        constants: list[Any],
        buffers: list[Any],
        arrays: Sequence[Array],
        parents: tuple[Pending, ...],
    ) -> tuple[list[Any], Pending | None]:
        """Run the executable on the buffers of the constants and of the arrays, and mark the donated arrays.

        If the call fails, an array whose memory the engine has not taken is as it was.
        """
        source = user_source()
        before = []
        for place, name in zip(self.places, self.names, strict=True):
            array = arrays[place]
            if type(array._buffer) is not Donated:  # else it is there twice
                before.append((array, array._host, array._buffer, array._placed, array._pending))
                array.donate(Donated(name, self.function, source))
        given = constants + buffers
        buffers.clear()
        for place in self.places:
            place += len(constants)
            if sys.getrefcount(given[place]) > _ALONE:  # another array or argument needs it
                given[place] = copy_buffer(given[place], executable.device)
        try:
            return executable.run(given, parents)
        except BaseException:
            for array, host, buffer, placed, pending in before:
                if buffer is None or not buffer.is_deleted():
                    array._host, array._buffer, array._placed, array._pending = host, buffer, placed, pending
            raise

    def warn(self, program: Program, constants: int) -> None:
        """Tell which donated arguments have the shape and dtype of no result."""
        fitting = aliases(program, self.inputs(constants))
        useless = [
            f"  {name}: {program.inputs[place].type.strong()}"
            for name, (place, output) in zip(self.names, fitting.items(), strict=True)
            if output is None
        ]
        if useless:
            frame = user_frame()
            warnings.warn_explicit(
                f"{self.function} returns nothing of the shape and dtype of these donated arguments, so that their "
                f"memory cannot be used for its results:\n" + "\n".join(useless) + "\n"
                "Leave them out of donate_argnums and donate_argnames.",
                DonationWarning,
                *(("funcgrad", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)),
            )


def _count_alone() -> int:
    """What `getrefcount` says of a buffer that one list, and the memory of what was before, hold."""
    buffers = [object()]
    before = [(buffers[0],)]
    return sys.getrefcount(buffers[0]) + 0 * len(before)


_ALONE = _count_alone()
