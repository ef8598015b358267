"""Dense linear algebra in `lower`: the LAPACK routines that jaxlib brings for the CPU, and cuSOLVER's for NVIDIA GPUs.

One call is one line:

    lower, info = call(build, "potrf", (a,), build.in_types, (type, info_type), {"uplo": "L"}, {"lower": True})

The routine is named without the letter of its dtype, and as for real numbers (`orgqr`, `syevd`). Static parameters are
given once for LAPACK and once for cuSOLVER, which differ: a letter becomes its character code, an int a byte, an
`np.int32` itself. Arrays are batches of matrices, of vectors or of numbers; the rank of the `info` result, or `batch`,
says how many axes are the batch. Matrices are handed over column-major, which is what both libraries read, whatever the
rank.

Nothing is called for arrays without elements: results are zeros then, `info` too. What failed is told by `info` alone;
`nan_where_failed` makes NaN of it.

The LAPACK calls are tested. There was no GPU to run the cuSOLVER calls on: their names and parameters are those that
jaxlib 0.10 registers, and the tests look at the text of the module only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.dtypes import BOOL, INT32, is_complex
from ..core.types import ArrayType
from ..errors import EngineError

__all__ = ["call", "full_name", "identity", "info_type", "nan_where_failed", "triangle"]

Parameters = Mapping[str, str | bool | int | np.int32]

_LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
_COMPLEX_NAMES = {"orgqr": "ungqr", "ormqr": "unmqr", "syevd": "heevd", "sytrd": "hetrd"}


def call(
    build: Any,
    routine: str,
    operands: Sequence[Any],
    in_types: Sequence[ArrayType],
    out_types: Sequence[ArrayType],
    cpu: Parameters,
    gpu: Parameters | None,
    batch: int | None = None,
) -> tuple[Any, ...]:
    """Emit the call of a routine.

    Args:
        build: the builder of the module.
        routine: its name, such as "getrf".
        operands: StableHLO values.
        in_types: their types; the first one's dtype chooses the routine.
        out_types: of the results.
        cpu: static parameters of LAPACK's.
        gpu: those of cuSOLVER's; None if it has none, so that a GPU gets an error.
        batch: how many leading axes count the matrices; by default those of the last result, `info`.

    Raises:
        EngineError: the platform has no such routine.
    """
    if not all(type.size for type in in_types):
        return tuple(build.constant(0, type) for type in out_types)
    parameters = {"cpu": cpu, "gpu": gpu}.get(build.platform)
    if parameters is None:
        raise EngineError(
            f"no routine {routine} for platform {build.platform!r}: this part of linear algebra has no compiled form "
            f"there. Compute it on the CPU: fg.device_put(x, fg.devices('cpu')[0]), or outside of fg.jit"
        )
    rank = out_types[-1].ndim if batch is None else batch
    layouts = [_column_major(t, rank) for t in in_types], [_column_major(t, rank) for t in out_types]
    attributes = {name: _text(value) for name, value in parameters.items()}
    return build.call_library(
        _target(build.platform, routine, in_types[0].dtype), operands, out_types, layouts, attributes
    )


def _target(platform: str, routine: str, dtype: np.dtype) -> str:
    return f"cusolver_{routine}_ffi" if platform == "gpu" else f"lapack_{full_name(routine, dtype)}_ffi"


def full_name(routine: str, dtype: np.dtype) -> str:
    """LAPACK's name of a routine for a dtype: `dorgqr`, `zungqr`."""
    return _LETTERS[dtype.name] + (_COMPLEX_NAMES.get(routine, routine) if is_complex(dtype) else routine)


def _column_major(type: ArrayType, batch: int) -> tuple[int, ...]:
    """The axes from the one that varies fastest: those of a matrix swapped, vectors and numbers as they are."""
    order = list(range(type.ndim))[::-1]
    if type.ndim - batch == 2:
        order[:2] = order[1::-1]
    return tuple(order)


def _text(value: str | bool | int | np.int32) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is np.int32:
        return f"{value} : i32"
    return f"{ord(value) if isinstance(value, str) else value} : ui8"


def info_type(matrix: ArrayType) -> ArrayType:
    """The type of `info` for a batch of matrices: 0 for each that went well."""
    return ArrayType(matrix.shape[:-2], INT32)


def nan_where_failed(build: Any, value: Any, type: ArrayType, info: Any) -> Any:
    """`value` with NaN for the matrices whose `info`, over the leading axes of `type`, is not 0."""
    counted = ArrayType(tuple(info.type.shape), INT32)
    failed = build.compare("NE", info, build.constant(0, counted), counted)
    spread = build.broadcast(failed, type.update(dtype=BOOL), range(counted.ndim))
    return build.op("select", (spread, build.constant(np.nan, type), value), type)


def triangle(build: Any, value: Any, type: ArrayType, lower: bool, offset: int = 0) -> Any:
    """Matrices with zeros above (or, if not `lower`, below) the diagonal number `offset`."""
    inside = _diagonal_compared(build, type, "GE" if lower else "LE", offset)
    return build.op("select", (inside, value, build.constant(0, type)), type)


def identity(build: Any, type: ArrayType) -> Any:
    """Matrices with ones on the diagonal and zeros elsewhere."""
    return build.convert(_diagonal_compared(build, type, "EQ", 0), type.update(dtype=BOOL), type.dtype)


def _diagonal_compared(build: Any, type: ArrayType, direction: str, offset: int) -> Any:
    """Where row + offset compares so with the column."""
    positions = type.update(dtype=INT32)
    row, column = (
        build.op("iota", (), positions, {"iota_dimension": build.integer(axis)})
        for axis in (type.ndim - 2, type.ndim - 1)
    )
    if offset:
        row = build.op("add", (row, build.constant(offset, positions)), positions)
    return build.compare(direction, row, column, positions)
