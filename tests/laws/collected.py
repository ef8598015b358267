"""All samples, in chunks, and what the laws share: when two results agree, and how operands are widened and moved."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from funcgrad.backend.array import Array
from funcgrad.core import dtypes as dt
from funcgrad.core.primitive import infer
from funcgrad.core.types import ArrayType
from tests.laws.sample import Sample

FILES = sorted(file.stem for file in Path(__file__).parent.glob("samples_*.py"))
CHUNK = 60
SUMMED = ("reduce_sum", "dot_general", "cum_sum", "scatter_add", "correlate")
MIXED = (
    "fourier_transform",
)  # every result element is of all operand elements, so that errors are those of the largest


@cache
def samples_of(file: str) -> tuple[Sample, ...]:
    """The samples of one file."""
    return tuple(importlib.import_module(f"tests.laws.{file}").samples())


def chunks() -> list[tuple[str, int]]:
    """(file, number of its chunk): what the laws are parametrized by; a chunk is compiled as one program."""
    return [(file, number) for file in FILES for number in range((len(samples_of(file)) + CHUNK - 1) // CHUNK)]


def chunk(part: tuple[str, int]) -> tuple[Sample, ...]:
    """The samples of a chunk: every n-th of the file, so that slow operations spread."""
    file, number = part
    return samples_of(file)[number :: (len(samples_of(file)) + CHUNK - 1) // CHUNK]


def types_of(operands: Sequence[np.ndarray]) -> tuple[ArrayType, ...]:
    """The types of NumPy operands."""
    return tuple(ArrayType(np.shape(x), np.asarray(x).dtype) for x in operands)


def arrays(operands: Sequence[np.ndarray]) -> list[Array]:
    """NumPy operands as arrays."""
    return [Array(np.array(x)) for x in operands]


def applied(op: Any, operands: Sequence[Any]) -> tuple[Any, ...]:
    """The results of an operation, always a tuple."""
    results = op(*operands)
    return results if op.multiple else (results,)


def assert_holds(law: Callable[[Sample], None], rows: Sequence[Sample]) -> None:
    """Check a law on every row; the failure names all the rows that break it, each with its reason."""
    broken = []
    for row in rows:
        try:
            law(row)
        except Exception as error:
            broken.append(f"{row.name}: {type(error).__name__}: {str(error)[:500]}")
    assert not broken, f"{len(broken)} of {len(rows)} rows break the law\n" + "\n".join(broken)


def evaluated(op: Any, operands: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """`op.evaluate` with NumPy's floating-point warnings off, as the interpreter calls it."""
    with np.errstate(all="ignore"):
        return tuple(np.asarray(result) for result in op.evaluate(*operands))


def scales(op: Any, operands: Sequence[np.ndarray]) -> tuple[np.ndarray | None, ...]:
    """What rounding errors of a sum are relative to: the sum of magnitudes. None for what does not sum."""
    if op.name in MIXED:
        return tuple(np.max(np.abs(out), initial=0) for out in evaluated(op, operands))
    if op.name not in SUMMED:
        return (None,) * len(infer(op, *types_of(operands)))
    magnitudes = [np.abs(x) if dt.is_inexact(np.asarray(x).dtype) else x for x in operands]
    magnitudes = [m.astype(x.dtype) for m, x in zip(magnitudes, operands, strict=True)]
    return evaluated(op, magnitudes)


def assert_agree(found: Any, expected: Any, ulps: float, scale: Any = None, what: str = "") -> None:
    """Equal types; equal values, up to `ulps` for inexact dtypes. NaN equals NaN, subnormals equal zero."""
    one, two = np.asarray(found), np.asarray(expected)
    assert one.shape == two.shape, f"{what}shape {one.shape}, expected {two.shape}"
    assert one.dtype == two.dtype, f"{what}dtype {one.dtype}, expected {two.dtype}"
    if not dt.is_inexact(one.dtype):
        np.testing.assert_array_equal(one, two, err_msg=what)
        return
    limits = dt.finfo(dt.real_dtype(one.dtype))
    wide = np.complex128 if dt.is_complex(one.dtype) else np.float64
    one, two = one.astype(wide), two.astype(wide)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(one), np.abs(two))
        if scale is not None:
            size = np.maximum(size, np.abs(np.asarray(scale).astype(wide)))
        close = np.abs(one - two) <= ulps * float(limits.eps) * size
        close |= (one == two) | (np.isnan(one) & np.isnan(two)) | (size < 2 * float(limits.tiny))
    if not close.all():
        where = np.argwhere(~close)[0].tolist()
        a, b = one[tuple(where)], two[tuple(where)]
        apart = np.abs(a - b) / (float(limits.eps) * size[tuple(where)])
        raise AssertionError(f"{what}{a!r}, expected {b!r} at {where}: {apart:.3g} ulps apart, {ulps} allowed")


# -- moving operands ---------------------------------------------------------------------------------------------------


def widened(operands: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Inexact operands in double precision, where differences approximate derivatives well."""

    def wide(x: np.ndarray) -> np.ndarray:
        if not dt.is_inexact(x.dtype):
            return x
        return x.astype(np.complex128 if dt.is_complex(x.dtype) else np.float64)

    return tuple(wide(np.asarray(x)) for x in operands)


def direction(x: np.ndarray, seed: int) -> np.ndarray:
    """A random tangent for an operand; zeros for integers."""
    if not dt.is_inexact(x.dtype):
        return np.zeros_like(x)
    rng = np.random.default_rng([seed, *x.shape])
    values = rng.uniform(0.2, 1, x.shape) * rng.choice([-1, 1], x.shape)
    if dt.is_complex(x.dtype):
        values = values + 1j * rng.uniform(-1, 1, x.shape)
    return np.asarray(values, x.dtype)


def differentiable_points(rows: Sequence[Sample]) -> Iterator[Sample]:
    """The samples at which derivatives are checked, widened; the several precisions of one point count once."""
    seen = set()
    for row in rows:
        operands = widened(row.operands)
        key = (row.op, types_of(operands))
        if row.differentiable and key not in seen and any(dt.is_inexact(x.dtype) for x in operands):
            try:
                infer(row.op, *types_of(operands))
            except Exception:  # an operation that does not take doubles is checked at its own precision elsewhere
                continue
            seen.add(key)
            yield Sample(row.name, row.op, operands)


def inexact(values: Sequence[Any]) -> list[Any]:
    """Those values that have tangents."""
    return [value for value in values if dt.is_inexact(value.dtype)]


def pairing(cts: Sequence[Any], tangents: Sequence[Any]) -> float:
    """The real part of Σ ct·t, without conjugation: what transposition preserves."""
    pairs = zip(inexact(cts), inexact(tangents), strict=True)
    return float(sum(np.sum(np.asarray(ct) * np.asarray(t)).real for ct, t in pairs))
