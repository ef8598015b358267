"""Checks: operations without results that report an error where a value is not as it must be, eagerly or compiled.

Eagerly a failing check raises at once. In a program, checks hand one vector on from one to the next (the thread
"errors" of `Builder`): the number of the first check that failed, and the words that it carries. A compiled call
returns it as a hidden result, and reading one of the other results raises the error, at the user's line.

Each check keeps that line as a field, so that it survives every transformation, and so that equal programs from
different lines are different programs.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import not_finite
from ..compiler.tiered import interpretation
from ..config import config
from ..core.dtypes import BOOL, FLOAT32, INT32, UINT32, is_complex, is_inexact, real_dtype
from ..core.primitive import Primitive, not_linear
from ..core.trace import state
from ..core.types import ArrayType
from ..errors import CheckError, FuncgradError, IntegerDivisionError, OutOfBoundsError
from ..source import Source, user_source
from .bits import not_, or_
from .elementwise import where
from .reducing import lower_reduce
from .reduction import argmin, reduce_and
from .slicing import dynamic_slice
from .structure import broadcast, convert, full, move_axis, reshape, zeros_of

__all__ = [
    "AnyCheck",
    "Check",
    "CheckDivisor",
    "CheckFinite",
    "CheckIndices",
    "Site",
    "here",
    "lower_failure",
    "require_all",
    "require_nonzero",
    "site_of",
]

_WORD = ArrayType((), UINT32)
_FLAG = ArrayType((), BOOL)


class Site:
    """A line of the user's code as a field of an operation: one object for each place."""

    __slots__ = ("source",)

    def __init__(self, source: Source | None) -> None:
        self.source = source

    def __repr__(self) -> str:
        return "unknown" if self.source is None else f"{self.source.file}:{self.source.line}"

    def __reduce__(self) -> tuple[Any, ...]:
        return site_of, (None,)  # code objects cannot be pickled


_sites: dict[tuple[int, int], Site] = {}  # by the identity of the code, which the site keeps alive
_nowhere = Site(None)
_CACHE = 0  # the operation code of the words after an instruction in which the interpreter keeps what it learned


def site_of(source: Source | None) -> Site:
    """The one `Site` of a place."""
    if source is None:
        return _nowhere
    key = id(source.code), source.instruction
    found = _sites.get(key)
    if found is None:
        found = _sites[key] = _sites.setdefault((id(source.code), _beginning(source)), Site(source))
    return found


def _beginning(source: Source) -> int:
    """Where the instruction begins: once the interpreter has specialised it, frames stop within what follows it."""
    place, code = source.instruction, source.code.co_code
    while place > 0 and code[place] == _CACHE:
        place -= 2
    return place


def here() -> Site:
    """The line that the user's code is at, or the one that is being interpreted."""
    return site_of(state.source or user_source(2))


class Record:
    """One check in a compiled program.

    Attributes:
        op: the check.
        types: of its operands.
    """

    __slots__ = ("op", "types")

    def __init__(self, op: AnyCheck, types: tuple[ArrayType, ...]) -> None:
        self.op = op
        self.types = types

    def error(self, words: np.ndarray) -> FuncgradError:
        """The exception for the words that the failing check carried."""
        return self.op.error(self.op.read(words, self.types))


class AnyCheck(Primitive):
    """A family: no results, and an error if something about the operands does not hold.

    Subclasses have a field `site`, and write `failing` and `error`, `lower` by `lower_failure`, `batch` and `masked`.
    """

    multiple = True
    takes_zeros = True
    plain = False
    runs_itself = True
    effects = frozenset({"check"})

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return ()

    def failing(self, *operands: np.ndarray) -> tuple[Any, ...] | None:
        """What the error tells, if the check fails on these operands; else None."""
        raise NotImplementedError

    def error(self, found: tuple[Any, ...]) -> FuncgradError:
        """The exception for what `failing` found."""
        raise NotImplementedError

    def read(self, words: np.ndarray, types: tuple[ArrayType, ...]) -> tuple[Any, ...]:
        """What `failing` would have found, from the words that a compiled check carried."""
        return ()

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        found = self.failing(*operands)
        if found is not None:
            raise self.error(found)
        return ()

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        operands = [array.host() for array in arrays]
        interpreted = interpretation()
        if interpreted is None:
            return self.evaluate(*operands)
        found = None if interpreted.failure is not None else self.failing(*operands)
        if found is not None:
            interpreted.note(lambda: self.error(found))
        return ()

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return self(*primals), ()

    transpose = not_linear


# -- in StableHLO ----------------------------------------------------------------------------------------------------


def lower_failure(build: Any, op: AnyCheck, failed: Any, words: Sequence[Any], count: int) -> tuple[()]:
    """Write this check into the vector of errors if it failed and is the first that did.

    Args:
        failed: a value of type bool[].
        words: vectors of uint32, `count` words together.
    """
    build.checks.append(Record(op, build.in_types))
    errors, type = build.threaded["errors"], build.errors_type
    parts = [build.constant(len(build.checks), ArrayType((1,), UINT32)), *words]
    if build.payload > count:
        parts.append(build.constant(0, ArrayType((build.payload - count,), UINT32)))
    report = parts[0] if len(parts) == 1 else build.op("concatenate", parts, type, {"dimension": build.integer(0)})
    first = slice_words(build, errors, 0, 1)
    untouched = build.compare("EQ", build.op("reshape", (first,), _WORD), build.constant(0, _WORD), _WORD)
    chosen = build.op("and", (untouched, failed), _FLAG)
    build.threaded["errors"] = build.op("select", (chosen, report, errors), type)
    return ()


def slice_words(build: Any, vector: Any, start: int, stop: int) -> Any:
    """Some words of a vector."""
    bounds = {"start_indices": (start,), "limit_indices": (stop,), "strides": (1,)}
    attributes = {name: build.integers(values) for name, values in bounds.items()}
    return build.op("slice", (vector,), ArrayType((stop - start,), UINT32), attributes)


def reduced(build: Any, name: str, value: Any, type: ArrayType, identity: Any) -> tuple[Any, ArrayType]:
    """All elements combined by a StableHLO operation, and the type of the result."""
    scalar = type.update(shape=())
    if not type.shape:
        return value, scalar
    return lower_reduce(build, name, value, type, range(type.ndim), identity), scalar


def word_count(type: ArrayType) -> int:
    """How many words a value takes."""
    return type.size * max(1, type.dtype.itemsize // 4)


def lower_words(build: Any, value: Any, type: ArrayType) -> Any:
    """The bits of a value as a vector of words; values of less than 32 bits are widened first."""
    if is_complex(type.dtype):
        part = type.update(dtype=real_dtype(type.dtype), shape=(*type.shape, 1))
        halves = [build.op("reshape", (build.op(f, (value,), part.update(shape=type.shape)),), part) for f in _PARTS]
        type = part.update(shape=(*type.shape, 2))
        value = build.op("concatenate", halves, type, {"dimension": build.integer(type.ndim - 1)})
    wide = _widened(type.dtype)
    value, type = build.convert(value, type, wide), type.update(dtype=wide)
    if wide != UINT32:
        type = type.update(dtype=UINT32, shape=type.shape if wide.itemsize == 4 else (*type.shape, 2))
        value = build.op("bitcast_convert", (value,), type)
    return build.op("reshape", (value,), type.update(shape=(type.size,)))


_PARTS = ("real", "imag")


def _widened(dtype: np.dtype) -> np.dtype:
    if dtype.itemsize >= 4:
        return dtype
    if is_inexact(dtype):
        return FLOAT32
    return np.dtype(np.int32 if dtype.kind == "i" else np.uint32)


def read_words(words: np.ndarray, type: ArrayType) -> np.ndarray:
    """The value that `lower_words` took apart."""
    wide = type.dtype if is_complex(type.dtype) else _widened(type.dtype)
    return np.ascontiguousarray(words).view(wide).astype(type.dtype).reshape(type.shape)


# -- the user's checks -----------------------------------------------------------------------------------------------


class Shown(str):
    """A description that stands for a value in a format string, whatever its format."""

    def __format__(self, spec: str) -> str:
        return str(self)


class Check(AnyCheck):
    """Operands (ok, where, values): an error with the user's message unless `ok`, a bool[], is true.

    Fields:
        message: a format string for the values.
        names: of the values; empty for positional ones.
        types: of the values that the user gave.
        carried: the types of the operands for them; of large values these are extremes, see `summarised`.
        mapped: how many operands `where` there are: numbers of the failing element along mapped axes, from outermost.
        site: the user's line.
        kind: the class of the error.
    """

    message: str
    names: tuple[str, ...]
    types: tuple[ArrayType, ...]
    carried: tuple[ArrayType, ...]
    mapped: int
    site: Site
    kind: type[FuncgradError] = CheckError

    @property
    def payload(self) -> int:  # type: ignore[override]
        return self.mapped + sum(map(word_count, self.carried))

    def failing(self, ok: np.ndarray, *rest: np.ndarray) -> tuple[Any, ...] | None:
        return None if ok else rest

    def read(self, words: np.ndarray, types: tuple[ArrayType, ...]) -> tuple[Any, ...]:
        found, start = [], 0
        for type in types[1:]:
            count = word_count(type)
            found.append(read_words(words[start : start + count], type))
            start += count
        return tuple(found)

    def error(self, found: tuple[Any, ...]) -> FuncgradError:
        places, values = [int(place) for place in found[: self.mapped]], found[self.mapped :]
        shown = [self._shown(*pair) for pair in zip(values, self.types, self.carried, strict=True)]
        return self.kind(format_message(self.message, self.names, shown) + mapped_place(places), self.site.source)

    def _shown(self, value: np.ndarray, type: ArrayType, carried: ArrayType) -> Any:
        if type.strong() is carried.strong():
            return Array(value)
        low, high = value.tolist()
        return Shown(f"{type} with {'absolute ' * is_complex(type.dtype)}values from {low} to {high}")

    def lower(self, build: Any, ok: Any, *rest: Any) -> tuple[Any, ...]:
        words = [lower_words(build, x, t) for x, t in zip(rest, build.in_types[1:], strict=True)]
        return lower_failure(build, self, build.op("not", (ok,), _FLAG), words, self.payload)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        if not size:
            return (), ()
        ok, rest = operands[0], operands[1:]
        if axes[0] is None:
            first = full(ArrayType((), INT32), 0)
        else:
            first, ok = argmin(convert(ok, INT32), 0, INT32), reduce_and(ok, (0,))
        rest = [
            x if axis is None else _row(move_axis(x, axis, 0), first) for x, axis in zip(rest, axes[1:], strict=True)
        ]
        fields = self.message, self.names, self.types, self.carried, self.mapped + 1, self.site
        return Check(*fields, self.kind)(ok, first, *rest), ()

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return self(or_(operands[0], not_(mask)), *operands[1:])


def _row(x: Any, number: Any) -> Any:
    zero = zeros_of(number.type)
    return reshape(dynamic_slice(x, [number, *[zero] * (x.ndim - 1)], (1, *x.shape[1:])), x.shape[1:])


class _Formatter(string.Formatter):
    """Formats, and remembers which values the format string mentioned."""

    def __init__(self) -> None:
        self.used: set[int | str] = set()

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        self.used.add(key)
        return super().get_value(key, args, kwargs)


def format_message(message: str, names: Sequence[str], values: Sequence[Any]) -> str:
    """The message with the values in their places; values that it does not mention follow, one a line."""
    positional = [value for value, name in zip(values, names, strict=True) if not name]
    named = {name: value for value, name in zip(values, names, strict=True) if name}
    formatter = _Formatter()
    lines = [formatter.vformat(message, positional, named)]
    lines += [f"value {i}: {value}" for i, value in enumerate(positional) if i not in formatter.used]
    lines += [f"{name}: {value}" for name, value in named.items() if name not in formatter.used]
    return "\n".join(lines)


def mapped_place(places: Sequence[int]) -> str:
    """Which element of mapped axes, for messages."""
    if not places:
        return ""
    if len(places) == 1:
        return f"\n(at index {places[0]} of the mapped axis)"
    return f"\n(at index {tuple(places)} of the mapped axes)"


# -- the library's own checks ----------------------------------------------------------------------------------------


class _ElementCheck(AnyCheck):
    """A check of every element of its one operand. `harmless(type)` is an array whose elements pass."""

    def harmless(self, type: ArrayType) -> Any:
        raise NotImplementedError

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self(*operands), ()

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        (x,) = operands
        return self(where(broadcast(mask, x.shape), x, self.harmless(x.type)))


class CheckIndices(_ElementCheck):
    """Operand: indices, int32 or int64, negative ones already counted from the end. All must be inside their axis.

    Fields:
        axis, length: the axis that they choose from, and its length.
        shape: of the array, for the message.
        site: the user's line.
    """

    axis: int
    length: int
    shape: tuple[int, ...]
    site: Site

    payload = 2

    def failing(self, *operands: np.ndarray) -> tuple[Any, ...] | None:
        (indices,) = operands
        worst = indices.view(f"u{indices.dtype.itemsize}").max(initial=0)  # negative ones are huge when unsigned
        return None if worst < self.length or not indices.size else (int(worst.astype(indices.dtype)),)

    def error(self, found: tuple[Any, ...]) -> FuncgradError:
        index = found[0] - self.length if found[0] < 0 else found[0]
        where_ = f"axis {self.axis} of length {self.length} (shape {self.shape})"
        return OutOfBoundsError(f"index {index} is out of bounds for {where_}", self.site.source)

    def read(self, words: np.ndarray, types: tuple[ArrayType, ...]) -> tuple[Any, ...]:
        type = types[0].update(shape=())
        return (int(read_words(words[: word_count(type)], type)),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (type,) = build.in_types
        unsigned = type.update(dtype=np.dtype(f"u{type.dtype.itemsize}"))
        value = build.op("bitcast_convert", operands, unsigned)
        worst, scalar = reduced(build, "maximum", value, unsigned, 0)
        failed = build.compare("GE", worst, build.constant(self.length, scalar), scalar)
        words = [lower_words(build, worst, scalar)]
        return lower_failure(build, self, failed, words, word_count(scalar))

    def harmless(self, type: ArrayType) -> Any:
        return zeros_of(type)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.length:
            return super().masked(mask, operands)
        error = self.error((0,))
        return Check(error.message, (), (), (), 0, self.site, type(error))(not_(mask))  # no index is inside


class CheckDivisor(_ElementCheck):
    """Operand: integers that something is divided by. None may be zero."""

    what: str
    site: Site

    def failing(self, *operands: np.ndarray) -> tuple[Any, ...] | None:
        (divisor,) = operands
        return None if np.count_nonzero(divisor) == divisor.size else (divisor.shape,)

    def error(self, found: tuple[Any, ...]) -> FuncgradError:
        return division_error(self.what, self.site.source)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (type,) = build.in_types
        zero = build.compare("EQ", operands[0], build.constant(0, type), type)
        failed, _ = reduced(build, "or", zero, type.update(dtype=BOOL), False)
        return lower_failure(build, self, failed, (), 0)

    def harmless(self, type: ArrayType) -> Any:
        return full(type, 1)


def division_error(what: str, source: Source | None = None) -> IntegerDivisionError:
    """The error for an integer division by zero."""
    return IntegerDivisionError(
        f"{what}: an integer is divided by zero, which has no result.\n"
        f"Choose another divisor where it is zero, fnp.where(y == 0, 1, y), divide as floating point, or accept the "
        f"result 0 with fg.config(check_division=False).",
        source,
    )


def require_all(ok: Any, message: str, kind: type[FuncgradError] = CheckError) -> None:
    """An error, now or when a result of the compiled call is read, unless every element of `ok` is true."""
    Check(message, (), (), (), 0, here(), kind)(reduce_and(ok, tuple(range(ok.ndim))))


def require_nonzero(what: str, divisor: Any) -> None:
    """Check what integers are divided by; a divisor that is known and has no zero costs nothing in a program.

    Raises:
        IntegerDivisionError: eagerly, if an element is zero.
    """
    if not config.current.check_division or not divisor.size:
        return
    if type(divisor) is Array:
        splat = divisor.splat()
        known = divisor.host() if splat is None else splat
        if np.count_nonzero(known) == known.size:
            return
    CheckDivisor(what, here())(divisor)


class CheckFinite(_ElementCheck):
    """Operand: the result of an operation, real or complex. No element may be NaN or infinite."""

    what: str
    site: Site

    payload = 1

    def failing(self, *operands: np.ndarray) -> tuple[Any, ...] | None:
        (x,) = operands
        return None if np.isfinite(x).all() else (bool(np.isnan(x).any()),)

    def error(self, found: tuple[Any, ...]) -> FuncgradError:
        return not_finite(self.what, found[0], self.site.source)

    def read(self, words: np.ndarray, types: tuple[ArrayType, ...]) -> tuple[Any, ...]:
        return (bool(words[0]),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (type,), parts = build.in_types, operands
        if is_complex(type.dtype):
            type = type.update(dtype=real_dtype(type.dtype))
            parts = [build.op(part, operands, type) for part in _PARTS]
        flags = type.update(dtype=BOOL)
        tests = [(build.compare("NE", x, x, type), build.op("is_finite", (x,), flags)) for x in parts]
        nan, finite = tests[0]
        for other_nan, other_finite in tests[1:]:
            nan, finite = build.op("or", (nan, other_nan), flags), build.op("and", (finite, other_finite), flags)
        has_nan, scalar = reduced(build, "or", nan, flags, False)
        all_finite, _ = reduced(build, "and", finite, flags, True)
        failed = build.op("not", (all_finite,), scalar)
        return lower_failure(build, self, failed, [lower_words(build, has_nan, scalar)], 1)

    def harmless(self, type: ArrayType) -> Any:
        return zeros_of(type)
