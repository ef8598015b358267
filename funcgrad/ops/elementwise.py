"""Arithmetic, sign, rounding, comparison, selection: the elementwise operations of everyday programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import BOOL, FLOAT16, is_complex, is_float, is_integer, real_dtype
from ..core.graph import Graph, filled, folded, is_filled_with
from ..core.primitive import Linear, Primitive, not_differentiable, not_linear
from ..core.program import Atom, Literal
from ..core.types import ArrayType, Shape, Zero, is_linear
from ..errors import ArgumentError, DTypeError, ShapeError
from .bits import Not, and_
from .complex_corners import mended
from .complex_parts import complex_, conj, real
from .families import Comparison, Elementwise, align_batch, elementwise_batch, same_operands
from .structure import broadcast, broadcast_in_dim, full, instantiate, sunk, zeros_of

__all__ = [
    "absolute",
    "add",
    "ceil",
    "chosen",
    "clamp",
    "copy",
    "div",
    "eq",
    "floor",
    "ge",
    "gt",
    "is_finite",
    "le",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "rem",
    "round_nearest",
    "select",
    "sign",
    "stop_gradient",
    "sub",
    "where",
]

# -- linear and bilinear arithmetic --------------------------------------------------------------------------------


class Neg(Elementwise):
    """-x; unsigned integers wrap."""

    involution = True
    exact = True
    compute, stablehlo, accepts = np.negative, "negate", "ifc"
    pushforwards = (lambda dx, out, x: neg(dx),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (neg(cts[0]),)

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        (x,) = inputs
        inner = graph.operation(x)
        if inner is None or not graph.alone(x, inputs):
            return None
        if type(inner.op) is Sub and is_integer(x.type.dtype):  # of floats, the zero would have another sign
            return (graph.emit(inner.op, inner.inputs[1], inner.inputs[0]),)
        if type(inner.op) in (Mul, Div) and type(inner.inputs[1]) is Literal and _is_float(x):
            return (graph.emit(inner.op, inner.inputs[0], graph.emit(self, inner.inputs[1])),)
        if type(inner.op) is Mul and type(inner.inputs[0]) is Literal and _is_float(x):
            return (graph.emit(inner.op, graph.emit(self, inner.inputs[0]), inner.inputs[1]),)
        return None


class Add(Elementwise):
    """x + y; integers wrap."""

    neutral = -0.0  # 0.0 would make a positive zero of a negative one
    commutative = True
    exact = True
    compute, stablehlo, accepts = np.add, "add", "ifc"
    pushforwards = (lambda dx, out, x, y: dx, lambda dy, out, x, y: dy)

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return cts[0] if is_linear(x) else None, cts[0] if is_linear(y) else None

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        for x, y in (inputs, inputs[::-1]):
            negated = graph.producer(y, Neg)
            if negated is not None:
                return (graph.emit(sub, x, negated.inputs[0]),)
        return None


class Sub(Elementwise):
    """x - y; integers wrap."""

    neutral = 0.0
    exact = True
    compute, stablehlo, accepts = np.subtract, "subtract", "ifc"
    pushforwards = (lambda dx, out, x, y: dx, lambda dy, out, x, y: neg(dy))

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return cts[0] if is_linear(x) else None, neg(cts[0]) if is_linear(y) else None

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        x, y = inputs
        negated = graph.producer(y, Neg)
        if negated is not None:
            return (graph.emit(add, x, negated.inputs[0]),)
        if is_integer(x.type.dtype) and x is y:
            return (filled(0, x.type),)
        if x.type.dtype.kind != "c" and is_filled_with(x, 0 if is_integer(x.type.dtype) else -0.0):
            return (graph.emit(neg, y),)
        return None


class Mul(Elementwise):
    """x * y; integers wrap."""

    neutral = 1.0
    commutative = True
    exact = True
    compute, stablehlo, accepts = np.multiply, "multiply", "ifc"
    pushforwards = (lambda dx, out, x, y: mul(dx, y), lambda dy, out, x, y: mul(x, dy))

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return (mul(cts[0], y), None) if is_linear(x) else (None, mul(x, cts[0]))

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if is_integer(inputs[0].type.dtype):
            return next(((a,) for a in inputs if is_filled_with(a, 0)), None)
        return _without_signs(self, graph, inputs)


neg, add, sub, mul = Neg(), Add(), Sub(), Mul()


def _is_float(x: Atom) -> bool:
    return is_float(x.type.dtype)


def _without_signs(op: Primitive, graph: Graph, inputs: Sequence[Atom]) -> Sequence[Atom] | None:
    """Products and quotients of two negated floats are those of the floats; so is -x by a literal."""
    first, second = graph.producer(inputs[0], Neg), graph.producer(inputs[1], Neg)
    if (first is None and second is None) or not _is_float(inputs[0]):
        return None
    if first is not None and second is not None:
        return (graph.emit(op, first.inputs[0], second.inputs[0]),)
    x, y = inputs
    if first is not None and type(y) is Literal:
        return (graph.emit(op, first.inputs[0], graph.emit(neg, y)),)
    if second is not None and type(x) is Literal:
        return (graph.emit(op, graph.emit(neg, x), second.inputs[0]),)
    return None


# -- division ----------------------------------------------------------------------------------------------------


class Div(Elementwise):
    """x / y; integers truncate, and x / 0 is -1 for signed and the largest value for unsigned integers."""

    neutral = 1.0
    exact = True
    compute, stablehlo, accepts = np.divide, "divide", "ifc"
    pushforwards = (lambda dx, out, x, y: div(dx, y), lambda dy, out, x, y: neg(mul(dy, div(out, y))))

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        if operands[0].dtype.kind in "iu":
            return (_truncated_quotient(*operands),)
        return (np.divide(*operands),)

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return div(cts[0], y), None

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return None if is_integer(inputs[0].type.dtype) else _without_signs(self, graph, inputs)


def _truncated_quotient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    quotient = np.floor_divide(x, y)
    if (y > 0).all() and (x >= 0).all():
        return quotient
    inexact = (x - quotient * y != 0) & ((x < 0) != (y < 0))
    by_zero = x.dtype.type(-1) if x.dtype.kind == "i" else x.dtype.type(np.iinfo(x.dtype).max)
    return np.where(y == 0, by_zero, quotient + inexact).astype(x.dtype)


class Rem(Elementwise):
    """The remainder of the truncated division, with the sign of x (C's fmod); x rem 0 is x for integers, else NaN."""

    compute, stablehlo, accepts = np.fmod, "remainder", "if"
    pushforwards = (
        lambda dx, out, x, y: dx,
        lambda dy, out, x, y: neg(mul(dy, round_nearest(div(sub(x, out), y), to_even=True))),
    )

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, y = operands
        remainder = np.fmod(x, y)
        return (np.where(y == 0, x, remainder) if x.dtype.kind in "iu" else remainder,)


# -- sign and magnitude ------------------------------------------------------------------------------------------


class Abs(Elementwise):
    """|x|, real for complex x; its derivative at 0 is 0."""

    exact = True
    compute, stablehlo, accepts = np.abs, "abs", "ifc"
    pushforwards = (lambda dx, out, x: real(mul(dx, conj(sign(x)))) if is_complex(x.dtype) else mul(dx, sign(x)),)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        (x,) = super().infer(*types)
        return (x.update(dtype=real_dtype(x.dtype), weak=x.weak) if is_complex(x.dtype) else x,)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        if type.dtype.kind == "u":
            return operands[0]
        size = build.op("abs", operands, type)
        if not is_complex(build.in_types[0].dtype):
            return size
        # An infinite part makes the number infinite, whatever the other is; the engine has NaN beside NaN.
        infinity = build.constant(np.inf, type)
        for name in ("real", "imag"):
            part = build.op("abs", (build.op(name, operands, type),), type)
            size = build.op("select", (build.compare("EQ", part, infinity, type), infinity, size), type)
        return size

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if graph.producer(inputs[0], Abs):
            return inputs
        inner = graph.producer(inputs[0], Neg)
        return inner and (graph.emit(self, inner.inputs[0]),)


class Sign(Elementwise):
    """-1, 0 or 1 by the sign of x (x / |x| for complex x); keeps -0 and NaN."""

    exact = True
    compute, stablehlo, accepts = np.sign, "sign", "ifc"
    pushforwards = (lambda dx, out, x: _sign_pushforward(dx, out, x) if is_complex(x.dtype) else Zero(out.type),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = operands
        result = np.sign(x)
        if is_complex(x.dtype):
            return (np.where(np.isnan(x), x.dtype.type(complex(np.nan, np.nan)), result),)
        return (np.copysign(result, x) if is_float(x.dtype) else result,)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        if type.dtype.kind == "u":
            return build.op("minimum", (*operands, build.constant(1, type)), type)
        result = build.op("sign", operands, type)
        return mended("sign", build, type, result, operands[0]) if is_complex(type.dtype) else result


def _sign_pushforward(dx: Any, out: Any, x: Any) -> Any:
    # Only the part of dx across x turns its direction.
    along = real(mul(dx, conj(out)))
    across = sub(dx, mul(out, complex_(along, zeros_of(along.type))))
    size = absolute(x)
    reciprocal = where(eq(size, zeros_of(size.type)), zeros_of(size.type), div(full(size.type, 1), size))
    return mul(across, complex_(reciprocal, zeros_of(size.type)))


class Maximum(Elementwise):
    """The larger one; NaN if either is; ties share the derivative."""

    idempotent = True
    commutative = True
    exact = True
    compute, stablehlo, accepts = np.maximum, "maximum", "bif"
    pushforwards = (
        lambda dx, out, x, y: mul(dx, _share(gt(x, y), x, y)),
        lambda dy, out, x, y: mul(dy, _share(gt(y, x), x, y)),
    )


class Minimum(Elementwise):
    """The smaller one; NaN if either is; ties share the derivative."""

    idempotent = True
    commutative = True
    exact = True
    compute, stablehlo, accepts = np.minimum, "minimum", "bif"
    pushforwards = (
        lambda dx, out, x, y: mul(dx, _share(lt(x, y), x, y)),
        lambda dy, out, x, y: mul(dy, _share(lt(y, x), x, y)),
    )


def _share(chosen: Any, x: Any, y: Any) -> Any:
    """How much of a choice between x and y falls to one of them: 1, 0, or half where they are equal."""
    return where(chosen, full(x.type, 1), where(eq(x, y), full(x.type, 0.5), zeros_of(x.type)))


# -- rounding ----------------------------------------------------------------------------------------------------


class Floor(Elementwise):
    """The largest integer not above x."""

    exact = True
    compute, stablehlo, accepts = np.floor, "floor", "f"
    jvp = not_differentiable


class Ceil(Elementwise):
    """The smallest integer not below x."""

    exact = True
    compute, stablehlo, accepts = np.ceil, "ceil", "f"
    jvp = not_differentiable


class Round(Elementwise):
    """The nearest integer; halves go to the even one, or away from zero."""

    exact = True

    to_even: bool

    accepts, via_float32 = "f", True
    jvp = not_differentiable

    def compute(self, x: np.ndarray) -> np.ndarray:  # type: ignore[override]
        if self.to_even:
            return np.rint(x)
        # floor(|x| + 0.5) would be wrong just below 0.5 and for large odd numbers.
        whole = np.trunc(x)
        return whole + np.copysign((np.abs(x - whole) >= 0.5).astype(x.dtype), x)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        return build.op("round_nearest_even" if self.to_even else "round_nearest_afz", operands, type)


def round_nearest(x: Any, to_even: bool = False) -> Any:
    """`x` rounded to integers; halves go away from zero, or to the even neighbour."""
    return Round(to_even)(x)


class Nextafter(Elementwise):
    """The next representable number after x in the direction of y."""

    compute, stablehlo, accepts = np.nextafter, "chlo.next_after", "f"
    jvp = not_differentiable

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, y = operands
        result = np.nextafter(x, y)
        # NumPy's float16 loop gives x rather than y where they are zeros of different sign.
        return (np.where(x == y, y, result) if x.dtype == FLOAT16 else result,)


# -- comparison --------------------------------------------------------------------------------------------------


class IsFinite(Elementwise):
    """Whether x is neither infinite nor NaN."""

    exact = True
    compute, stablehlo, accepts = np.isfinite, "is_finite", "f"
    jvp = not_differentiable

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return (super().infer(*types)[0].update(dtype=BOOL),)


class Eq(Comparison):
    """x == y; false where either is NaN."""

    commutative = True
    compute, direction, accepts = np.equal, "EQ", "bifc"
    reflexive = True


class Ne(Comparison):
    """x != y; true where either is NaN."""

    commutative = True
    compute, direction, accepts = np.not_equal, "NE", "bifc"
    reflexive = False


class Lt(Comparison):
    """x < y; false where either is NaN."""

    compute, direction = np.less, "LT"
    reflexive = False


class Le(Comparison):
    """x <= y; false where either is NaN."""

    compute, direction = np.less_equal, "LE"
    reflexive = True


class Gt(Comparison):
    """x > y; false where either is NaN."""

    compute, direction = np.greater, "GT"
    reflexive = False


class Ge(Comparison):
    """x >= y; false where either is NaN."""

    compute, direction = np.greater_equal, "GE"
    reflexive = True


# -- selection ---------------------------------------------------------------------------------------------------


_GUESSED = 1 << 16  # elements from which on processors do not remember how irregular masks went


def chosen(which: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`np.where` of operands of one dtype; for large ones by bits, as branches take ten times as long to guess."""
    if which.size < _GUESSED or not which.shape == x.shape == y.shape or x.itemsize not in (4, 8):
        return np.where(which, x, y)
    bits = np.dtype(f"i{x.itemsize}")
    on, off = x.view(bits), y.view(bits)
    result = on ^ off
    result &= np.negative(which.view(np.int8), dtype=bits)
    result ^= off
    return result.view(x.dtype)


class Select(Primitive):
    """Operands (which, *cases): elements of cases[which]; `which` is bool or int32 (clamped), scalar or full."""

    exact = True
    cheap = True
    takes_zeros = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        which, *cases = types
        if not cases:
            raise ArgumentError("select takes at least one case after its predicate")
        result = same_operands(self.name, tuple(cases))
        if which.dtype not in (BOOL, np.int32):
            raise DTypeError(f"select: the predicate must be bool or int32, not {which.dtype.name}")
        if which.dtype == BOOL and len(cases) > 2:
            raise ArgumentError(f"select: a bool predicate chooses between two cases, not {len(cases)}; use int32")
        if which.shape not in ((), result.shape):
            raise ShapeError(
                f"select: the predicate's shape {which.shape} must be () or the cases' shape {result.shape}"
            )
        return (result.update(weak=all(t.weak for t in cases)),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        which, *cases = operands
        if which.dtype == BOOL and len(cases) == 2:
            return (chosen(which, cases[1], cases[0]),)
        result = cases[-1]
        for number in range(len(cases) - 2, -1, -1):
            result = np.where(which <= number, cases[number], result)
        return (result,)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        (which, *cases), predicate, result = operands, build.in_types[0], build.out_types[0]
        if predicate.dtype == BOOL and len(cases) == 2:
            return (build.op("select", (which, cases[1], cases[0]), result),)
        chosen = cases[-1]
        for number in range(len(cases) - 2, -1, -1):
            below = build.compare("LE", which, build.constant(number, predicate), predicate)
            chosen = build.op("select", (below, cases[number], chosen), result)
        return (chosen,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        if all(type(t) is Zero for t in tangents):
            return (out,), (Zero(out.type),)
        return (out,), (self(primals[0], *map(instantiate, tangents[1:])),)

    def transpose(self, cts: tuple[Any, ...], which: Any, *cases: Any) -> tuple[Any | None, ...]:
        (ct,), zeros = cts, zeros_of(cts[0].type)
        parts = []
        for number, case in enumerate(cases):
            spread = [ct if i == number else zeros for i in range(len(cases))]
            parts.append(self(which, *spread) if is_linear(case) else None)
        return None, *parts

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (which, *cases), case_axes = operands, axes[1:]
        if which.ndim == 0:
            aligned, axis = align_batch(size, tuple(cases), case_axes)
            return (self(which, *aligned),), (axis,)
        shape = _example_shape(cases[0], case_axes[0])
        which, which_axis = _spread(size, which, axes[0], shape)
        aligned, axis = align_batch(size, (which, *cases), (which_axis, *case_axes))
        return (self(*aligned),), (axis,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        which, *cases = inputs
        found = _chosen(which, cases)
        if found is not None:
            return (found,)
        if which.type.dtype == BOOL and len(cases) == 2:
            opposite = graph.producer(which, Not)
            if opposite is not None:
                return (graph.emit(self, opposite.inputs[0], cases[1], cases[0]),)
            for number, case in enumerate(cases):
                inner = graph.producer(case, Select)
                if inner is not None and inner.inputs[0] is which:
                    cases[number] = inner.inputs[1 + number]
                    return (graph.emit(self, which, *cases),)
        return sunk(self, graph, inputs, first=int(which.type.shape != cases[0].type.shape))


def _chosen(which: Atom, cases: Sequence[Atom]) -> Atom | None:
    """The case that is chosen everywhere, if that is known."""
    if type(which) is Literal:
        return cases[min(max(int(which.value), 0), len(cases) - 1)]
    first = cases[0]
    same = all(case is first or (type(case) is Literal and case == first) for case in cases)
    return first if same else None


def where(predicate: Any, x: Any, y: Any) -> Any:
    """Elements of `x` where the bool `predicate` (scalar or full) holds, else of `y`; equal shapes and dtypes."""
    return select(predicate, y, x)


def _example_shape(x: Any, axis: int | None) -> Shape:
    return x.shape if axis is None else (*x.shape[:axis], *x.shape[axis + 1 :])


def _spread(size: int, x: Any, axis: int | None, shape: Shape) -> tuple[Any, int | None]:
    """An operand that may be one scalar an example, and its mapped axis, with the full shape of an example."""
    if axis is None:
        return broadcast(x, shape), None
    return (broadcast_in_dim(x, (size, *shape), (0,)), 0) if x.ndim == 1 and shape else (x, axis)


class Clamp(Primitive):
    """Operands (low, x, high): x held between bounds of its dtype that are scalars or of its shape; NaN stays."""

    exact = True
    takes_zeros = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        low, x, high = types
        same_operands(self.name, tuple(t.update(shape=()) for t in types))
        if not (is_integer(x.dtype) or is_float(x.dtype)):
            raise DTypeError(f"clamp takes integer, floating operands, not {x.dtype.name}")
        for bound in (low, high):
            if bound.shape not in ((), x.shape):
                raise ShapeError(f"clamp: a bound's shape {bound.shape} must be () or the operand's shape {x.shape}")
        return (x,)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        low, x, high = operands
        return (np.minimum(np.maximum(x, low), high),)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return (build.op("clamp", operands, build.out_types[0]),)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return folded(self, inputs) if inputs[1].type.shape == inputs[0].type.shape == inputs[2].type.shape else None

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        low, x, high = (broadcast(p, out.shape) for p in primals)
        below, above = lt(x, low), gt(x, high)
        inside = and_(gt(x, low), lt(x, high))
        total = Zero(out.type)
        for tangent, mask in zip(tangents, (below, inside, above), strict=True):
            if type(tangent) is not Zero:
                term = where(mask, broadcast(tangent, out.shape), zeros_of(out.type))
                total = term if type(total) is Zero else add(total, term)
        return (out,), (total,)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        low, x, high = operands
        if low.ndim == high.ndim == 0:
            return (self(low, x, high),), (axes[1],)
        shape = _example_shape(x, axes[1])
        spread = [_spread(size, operand, axis, shape) for operand, axis in zip(operands, axes, strict=True)]
        aligned, axis = align_batch(size, tuple(o for o, _ in spread), tuple(a for _, a in spread))
        return (self(*aligned),), (axis,)


# -- identities --------------------------------------------------------------------------------------------------


class StopGradient(Primitive):
    """x itself, as a constant for differentiation."""

    exact = True
    cheap = True
    takes_zeros = True

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x,)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x,)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (x,)

    jvp = not_differentiable

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        # What is transposed is the function itself, not its derivative, and that is the identity.
        return (stop_gradient(cts[0]),)

    batch = elementwise_batch

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return inputs


class Copy(Linear):
    """x itself in memory of its own."""

    exact = True

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        return (x,)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x.copy(),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (x,)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (cts[0],)

    batch = elementwise_batch

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return inputs


div, rem, absolute, sign = Div(), Rem(), Abs(), Sign()
maximum, minimum = Maximum(), Minimum()
floor, ceil, nextafter = Floor(), Ceil(), Nextafter()
is_finite, eq, ne, lt, le, gt, ge = IsFinite(), Eq(), Ne(), Lt(), Le(), Gt(), Ge()
select, clamp, stop_gradient, copy = Select(), Clamp(), StopGradient(), Copy()
