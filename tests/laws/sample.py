"""A sample: an operation and operands on which every law is checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from funcgrad.core.primitive import Primitive


@dataclass
class Sample:
    """One row.

    Attributes:
        name: unique, shown in the test's id.
        op: the operation.
        operands: what it is applied to.
        differentiable: whether the operands are points where the derivative exists and differences approximate it.
        ulps: how far `evaluate` and the compiled `lower` may be apart.
        batch: whether its `batch` rule is checked.
    """

    name: str
    op: Primitive
    operands: tuple[np.ndarray, ...]
    differentiable: bool = True
    ulps: float = 4
    batch: bool = True
