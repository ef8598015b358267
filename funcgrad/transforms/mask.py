"""Masking: effects happen and loops run only where a mask is true; what a `vmap`ped branch needs under a select."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..core.primitive import Primitive
from ..core.program import Program, run_program, stage
from ..core.trace import Trace, run_under, state
from ..core.types import ArrayType

__all__ = ["MaskTrace", "mask_program"]

_MASK = ArrayType((), np.dtype(np.bool_))


class MaskTrace(Trace):
    """Gives operations with effects the mask; all others pass to the parent."""

    __slots__ = ("mask",)

    def __init__(self, parent: Trace, purpose: str, mask: Any) -> None:
        super().__init__(parent, purpose)
        self.mask = mask

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        parent = self.parent
        state.trace = parent  # type: ignore[assignment]
        try:
            if op.effects:
                return op.masked(self.mask, args)
            return parent.process(op, args)  # type: ignore[union-attr]
        finally:
            state.trace = self


@lru_cache(maxsize=1024)
def mask_program(program: Program) -> Program:
    """The program (mask, inputs) → (results): its effects happen and its loops run only if `mask`, a bool[], is true.

    Under a false mask the results may be anything of the right types.
    """

    def masked(mask: Any, *args: Any) -> list[Any]:
        if not program.effects:
            return run_program(program, args)
        trace = MaskTrace(state.trace, f"masking of {program.name}", mask)
        try:
            return run_under(trace, run_program, program, args)
        finally:
            trace.ended = True

    return stage(masked, [_MASK, *program.in_types], f"masked_{program.name}")
