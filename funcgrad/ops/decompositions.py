"""Decompositions of one matrix: what their rules share.

The last two axes of the operand are the matrix, all others a batch. A matrix that is not finite where it is read, or on
which the routine fails, gives NaN in all its results, eagerly and compiled, and leaves the rest of the batch alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..core.dtypes import BOOL, is_complex, real_dtype
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType, Zero
from .complex_parts import real
from .elementwise import absolute, div, le, where
from .factorizations import each_matrix
from .gather import lead_axis
from .lapack import info_type, nan_where_failed
from .reducing import lower_reduce
from .structure import broadcast_in_dim, full, zeros_of
from .triangular import check_matrices

__all__ = [
    "Decomposition",
    "as_column",
    "as_row",
    "inverse_beyond",
    "real_part",
]


class Decomposition(Primitive):
    """A family: one operand, a matrix, and several results.

    Subclasses write `results`, `decompose`, `emit` and, where the derivative exists, `derivative`.

    Class attributes to declare:
        square: whether the matrix must be square.
    """

    multiple = True
    square: ClassVar[bool] = True

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        """The types of the results."""
        raise NotImplementedError

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        """The results for finite, non-empty matrices; raises NumPy's LinAlgError if it fails on one."""
        raise NotImplementedError

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        """The results in StableHLO, and after them `info`, for finite, non-empty matrices."""
        raise NotImplementedError

    def derivative(self, a: Any, da: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Results and their tangents for non-empty matrices."""
        raise NotImplementedError

    def read(self, a: np.ndarray) -> np.ndarray:
        """The part of the operand that counts."""
        return a

    def lower_read(self, build: Any, a: Any, type: ArrayType) -> Any:
        """The same in StableHLO."""
        return a

    def empty(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        """The results for matrices, or a batch, without elements."""
        return tuple(np.zeros(t.shape, t.dtype) for t in self.results(ArrayType(a.shape, a.dtype)))

    def lower_empty(self, build: Any) -> tuple[Any, ...]:
        """The same in StableHLO."""
        return tuple(build.constant(0, t) for t in build.out_types)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        (a,) = types
        check_matrices(self.name, a, square=self.square)
        return self.results(a)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (a,) = operands
        if not a.size:
            return self.empty(a)
        if np.isfinite(a).all():
            try:
                return self.decompose(a)
            except np.linalg.LinAlgError:
                pass
        return each_matrix(self._or_nan, a)

    def _or_nan(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        if np.isfinite(self.read(a)).all():
            try:
                return self.decompose(a)
            except np.linalg.LinAlgError:
                pass
        return tuple(np.full(t.shape, np.nan, t.dtype) for t in self.results(ArrayType(a.shape, a.dtype)))

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (a,), (type,) = operands, build.in_types
        if not type.size:
            return self.lower_empty(build)
        finite = _all_finite(build, self.lower_read(build, a, type), type)
        flags = type.update(dtype=BOOL)
        spread = build.broadcast(finite, flags, range(type.ndim - 2))
        harmless = build.op("select", (spread, a, build.constant(0, type)), type)
        *outs, info = self.emit(build, harmless, type)
        counted = info_type(type)
        info = build.op("select", (finite, info, build.constant(1, counted)), counted)
        pairs = zip(outs, build.out_types, strict=True)
        return tuple(nan_where_failed(build, out, t, info) for out, t in pairs)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        if 0 in primals[0].shape:
            outs = self(*primals)
            return outs, tuple(Zero(out.type) for out in outs)
        return self.derivative(primals[0], tangents[0])

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        outs = self(lead_axis(size, operands[0], axes[0]))
        return outs, (0,) * len(outs)


def _all_finite(build: Any, a: Any, type: ArrayType) -> Any:
    """For each matrix whether all its elements are finite."""
    flags, parts = type.update(dtype=BOOL), [a]
    if is_complex(type.dtype):
        part = type.update(dtype=real_dtype(type.dtype))
        parts = [build.op(name, (a,), part) for name in ("real", "imag")]
    finite = [build.op("is_finite", (part,), flags) for part in parts]
    both = finite[0] if len(finite) == 1 else build.op("and", finite, flags)
    return lower_reduce(build, "and", both, flags, (type.ndim - 2, type.ndim - 1), True)


# -- what derivatives are written with --------------------------------------------------------------------------------


def as_row(x: Any, count: int) -> Any:
    """Vectors as matrices of `count` equal rows."""
    batch, n = x.shape[:-1], x.shape[-1]
    return broadcast_in_dim(x, (*batch, count, n), (*range(len(batch)), len(batch) + 1))


def as_column(x: Any, count: int) -> Any:
    """Vectors as matrices of `count` equal columns."""
    return broadcast_in_dim(x, (*x.shape, count), range(x.ndim))


def real_part(x: Any) -> Any:
    """`x`, or its real part if it is complex."""
    return real(x) if is_complex(x.dtype) else x


def inverse_beyond(x: Any, bound: Any) -> Any:
    """1 / x, but 0 where |x| is not larger than the bound; so are its derivatives."""
    small = le(absolute(x), bound)
    one = full(x.type, 1)
    return where(small, zeros_of(x.type), div(one, where(small, one, x)))
