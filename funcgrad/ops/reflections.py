"""Factorizations by reflections: QR, with and without pivoting, and products of Householder's reflections."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiler.lower import lower_by
from ..core.dtypes import INT32, is_complex
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType, Zero
from ..errors import ShapeError
from . import lapack
from .elementwise import add, mul, neg, stop_gradient, sub
from .factorizations import each_matrix, is_empty, lead, routine
from .gather import take_along_axis
from .linear_systems import solve
from .slicing import concatenate, pad
from .structure import broadcast_in_dim, full
from .triangular import (
    Triangle,
    adjoint,
    check_matrices,
    columns_of,
    diagonal_of,
    diagonal_part,
    divided,
    identity_like,
    matrix_product,
    rows_of,
    solve_triangular,
    strictly_lower,
    upper_triangle,
)

__all__ = ["QR", "Householder", "HouseholderProduct", "householder_product", "ormqr", "pivoted_qr", "qr"]


class Householder(Primitive):
    """R in the upper triangle and below it the vectors whose reflections make it; their factors; the order of columns.

    Results: that matrix, the factors tau, and int32 numbers of columns (only if `pivoting`, which brings the largest
    remaining column forward at each step).
    """

    multiple = True

    pivoting: bool = False

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * min(in_types[0].shape[-2:]) / 6

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("qr", a)
        *batch, rows, columns = a.shape
        taus = a.update(shape=(*batch, min(rows, columns)))
        return (a.strong(), taus, *[ArrayType((*batch, columns), INT32)] * self.pivoting)

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        types = self.infer(ArrayType(a.shape, a.dtype))
        if is_empty(a):
            order = [np.array(np.broadcast_to(np.arange(t.shape[-1], dtype=np.int32), t.shape)) for t in types[2:]]
            return (np.array(a), np.zeros(types[1].shape, a.dtype), *order)
        if self.pivoting:
            factor = routine("geqp3", a.dtype)
            packed, order, taus = each_matrix(lambda x: factor(x)[:3], a)
            return np.ascontiguousarray(packed), taus, (order - 1).astype(np.int32)
        factor = routine("geqrf", a.dtype)
        packed, taus = each_matrix(lambda x: factor(x)[:2], a)
        return np.ascontiguousarray(packed), taus

    def lower(self, build: Any, a: Any) -> tuple[Any, ...]:
        types, batch = build.out_types, build.out_types[0].ndim - 2
        if not self.pivoting:
            return lapack.call(build, "geqrf", (a,), build.in_types, types, {}, {}, batch)
        free, order = build.constant(0, types[2]), types[2]
        if not types[0].size:
            return *lapack.call(build, "geqrf", (a,), build.in_types, types[:2], {}, {}, batch), _counted(build, order)
        operands, given = (a, free), (build.in_types[0], order)
        packed, order_found, taus = lapack.call(
            build, "geqp3", operands, given, (types[0], order, types[1]), {}, None, batch
        )
        return packed, taus, build.op("subtract", (order_found, build.constant(1, order)), order)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        packed, taus, *order = outs = self(*primals)
        da = _in_order(tangents[0], order[0]) if order else tangents[0]
        rows, columns = packed.shape[-2:]
        k = taus.shape[-1]
        q = householder_product(columns_of(packed, 0, k), taus)
        dq, dr = _thin_tangents(q, rows_of(packed, 0, k), da)
        # The last reflection of real numbers turns nothing: one row is left.
        count = k if rows > columns or is_complex(packed.dtype) else max(k - 1, 0)
        dv, dtaus = _reflection_tangents(
            columns_of(packed, 0, count), columns_of(q, 0, count), columns_of(dq, 0, count)
        )
        moved = add(_grown(dv, rows, columns), _grown(dr, rows, columns))
        dtaus = pad(dtaus, full(ArrayType((), dtaus.dtype), 0), [(0, 0, 0)] * (dtaus.ndim - 1) + [(0, k - count, 0)])
        return outs, (moved, dtaus, *[Zero(places.type) for places in order])

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def _counted(build: Any, type: ArrayType) -> Any:
    return build.op("iota", (), type, {"iota_dimension": build.integer(type.ndim - 1)})


class HouseholderProduct(Primitive):
    """The first columns of H₁ H₂ … Hₖ, where Hᵢ = 1 - tauᵢ vᵢ vᵢᴴ; the first operand holds the vᵢ below its diagonal.

    As many columns as that operand has. As one matrix the product is 1 - V T Vᴴ with an upper triangular T
    (R. Schreiber and C. Van Loan, A storage-efficient WY representation for products of Householder transformations,
    1989), and T = (1 + D S)⁻¹ D, where D has the tauᵢ on its diagonal, and S is the part of VᴴV above it.
    """

    takes_zeros = False

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * in_types[1].shape[-1] / 6

    def infer(self, a: ArrayType, taus: ArrayType) -> tuple[ArrayType, ...]:
        check_reflections("householder_product", a, taus)
        if a.shape[-2] < a.shape[-1]:
            raise ShapeError(f"householder_product takes at least as many rows as columns, got shape {a.shape}")
        return (a.strong(),)

    def evaluate(self, a: np.ndarray, taus: np.ndarray) -> tuple[np.ndarray, ...]:
        if is_empty(a, taus):
            return (np.array(np.broadcast_to(np.eye(*a.shape[-2:], dtype=a.dtype), a.shape)),)
        multiply = routine("orgqr", a.dtype)
        (result,) = each_matrix(lambda x, tau: (multiply(x, tau[0])[0],), a, taus[..., None, :])
        return (np.ascontiguousarray(result),)

    def lower(self, build: Any, a: Any, taus: Any) -> tuple[Any, ...]:
        (type,) = build.out_types
        if not build.in_types[1].size:
            return (lapack.identity(build, type),)
        return lapack.call(build, "orgqr", (a, taus), build.in_types, (type,), {}, {}, type.ndim - 2)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a, taus), (da, dtaus) = primals, tangents
        k = taus.shape[-1]
        v, t, system, products = compact(a, taus)
        dv = columns_of(strictly_lower(da), 0, k)
        half = matrix_product(adjoint(dv), v)
        above = Triangle(False, 1)(add(half, adjoint(half)))
        d_scaled = _scaled_rows(dtaus, identity_like(t))
        d_system = add(_scaled_rows(dtaus, products), _scaled_rows(taus, above))
        dt = solve_triangular(system, sub(d_scaled, matrix_product(d_system, t)), False, unit=True)
        first = rows_of(v, 0, a.shape[-1])
        d_first = rows_of(dv, 0, a.shape[-1])
        vt = matrix_product(v, t)
        d_vt = add(matrix_product(dv, t), matrix_product(v, dt))
        moved = add(matrix_product(d_vt, adjoint(first)), matrix_product(vt, adjoint(d_first)))
        return (self(a, taus),), (neg(moved),)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def check_reflections(name: str, a: ArrayType, taus: ArrayType) -> None:
    """Refuse reflections that do not fit together.

    Raises:
        ShapeError: their vectors and factors are not equally many, or the batches differ.
    """
    check_matrices(name, a, taus.update(shape=(*taus.shape, 1)))
    if taus.shape[-1] > min(a.shape[-2:]):
        raise ShapeError(f"{name}: {taus.shape[-1]} factors, but vectors of shape {a.shape} hold {min(a.shape[-2:])}")


def _scaled_rows(factors: Any, x: Any) -> Any:
    return mul(broadcast_in_dim(factors, x.shape, range(factors.ndim)), x)


def compact(a: Any, taus: Any) -> tuple[Any, Any, Any, Any]:
    """V and T of `HouseholderProduct`, the matrix 1 + D S, of which T is D divided by it, and S."""
    k = taus.shape[-1]
    v = columns_of(strictly_lower(a), 0, k)
    v = add(v, identity_like(v))
    products = Triangle(False, 1)(matrix_product(adjoint(v), v))
    scaled = _scaled_rows(taus, products)
    t = solve_triangular(scaled, _scaled_rows(taus, identity_like(scaled)), False, unit=True)
    return v, t, scaled, products


def householder_product(a: Any, taus: Any) -> Any:
    """The first columns of a product of reflections; see `HouseholderProduct`."""
    return HouseholderProduct()(a, taus)


def ormqr(a: Any, taus: Any, c: Any, left: bool = True, adjoint_of: bool = False) -> Any:
    """Q c, c Q, or these with Qᴴ, where Q is the whole product of reflections; see `HouseholderProduct`."""
    check_reflections("ormqr", a.type, taus.type)
    v, t, _, _ = compact(a, taus)
    t = adjoint(t) if adjoint_of else t
    if left:
        return sub(c, matrix_product(v, matrix_product(t, matrix_product(adjoint(v), c))))
    return sub(c, matrix_product(matrix_product(matrix_product(c, v), t), adjoint(v)))


class QR(Primitive):
    """Q with orthonormal columns and the upper triangular R with Q R = a.

    Fields:
        full: whether Q is square, even if `a` has more rows than columns.

    For a matrix with as many rows as columns or fewer there is no difference. The derivative exists where the first
    columns of `a`, as many as there are rows, are linearly independent; elsewhere tangents are infinite or NaN.

    With X = Qᴴ da R⁻¹ (of the first columns), Qᴴ dQ is skew-Hermitian, and X - Qᴴ dQ = dR R⁻¹ is upper triangular with
    a real diagonal, which determines both. The further columns of a square Q depend on the first k: as a product of k
    reflections differs from 1 by a matrix of rank k, Q₂ = E₂ + (Q₁ - E₁) (Q₁₁ - 1)⁻ᴴ Q₂₁ᴴ.
    """

    multiple = True

    full: bool = False

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[0].size * min(in_types[0].shape[-2:]) / 3

    def infer(self, a: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("qr", a)
        *batch, rows, columns = a.shape
        inner = rows if self.full else min(rows, columns)
        return a.update(shape=(*batch, rows, inner)), a.update(shape=(*batch, inner, columns))

    def evaluate(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        q, r = np.linalg.qr(a, mode="complete" if self.full else "reduced")
        return q, r

    def composed(self, a: Any) -> tuple[Any, Any]:
        """The same, written with operations."""
        packed, taus = Householder(False)(a)
        return assembled(packed, taus, self.full)

    lower = lower_by(lambda self, a: self.composed(a))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        q, r = self(*primals)
        rows, columns = tangents[0].shape[-2:]
        k = min(rows, columns)
        thin = columns_of(q, 0, k)
        dq, dr = _thin_tangents(thin, rows_of(r, 0, k), tangents[0])
        if self.full and rows > k:
            dq = concatenate([dq, _turned_complement(thin, dq)], dq.ndim - 1)
            dr = _grown(dr, rows, columns)
        return (q, r), (dq, dr)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return lead(self, size, operands, axes)


def assembled(packed: Any, taus: Any, complete: bool) -> tuple[Any, Any]:
    """Q and R from what `Householder` gives."""
    rows, columns = packed.shape[-2:]
    inner = rows if complete else min(rows, columns)
    r = upper_triangle(rows_of(packed, 0, inner))
    vectors = columns_of(packed, 0, min(columns, inner))
    return householder_product(_grown(vectors, rows, inner), taus), r


def _thin_tangents(q: Any, r: Any, da: Any) -> tuple[Any, Any]:
    """The tangents of a Q with no more columns than needed, and of R; see `QR`. Below its diagonal `r` is not read."""
    k, columns = r.shape[-2:]
    square = columns_of(r, 0, k)
    scaled = divided(columns_of(da, 0, k), square)
    inner = matrix_product(adjoint(q), scaled)
    low = strictly_lower(inner)
    turn = sub(low, adjoint(low))
    if is_complex(q.dtype):
        diagonal = diagonal_part(inner)
        turn = add(turn, mul(full(inner.type, 0.5), sub(diagonal, adjoint(diagonal))))
    growth = sub(inner, turn)
    dq = sub(scaled, matrix_product(q, growth))
    dr = matrix_product(growth, upper_triangle(square))
    if columns > k:
        rest = sub(columns_of(da, k, columns), matrix_product(dq, columns_of(r, k, columns)))
        dr = concatenate([dr, matrix_product(adjoint(q), rest)], dr.ndim - 1)
    return dq, upper_triangle(dr)


def _reflection_tangents(packed: Any, q: Any, dq: Any) -> tuple[Any, Any]:
    """The tangents of the vectors and factors of reflections, from the first columns of their product and theirs.

    As the product is 1 - V T Vᴴ, Q - E = V W with V unit lower triangular and W = -T V₁ᴴ upper triangular: an
    elimination without pivots, as in G. Ballard et al., Reconstructing Householder vectors from tall-skinny QR (2014).
    """
    rows, k = packed.shape[-2:]
    v = strictly_lower(packed)
    top = add(rows_of(v, 0, k), identity_like(packed, k, k))
    w = solve_triangular(top, rows_of(sub(q, identity_like(q)), 0, k), True, unit=True)
    inner = divided(solve_triangular(top, rows_of(dq, 0, k), True, unit=True), w)
    d_top, dw = matrix_product(top, strictly_lower(inner)), matrix_product(upper_triangle(inner), upper_triangle(w))
    rest = sub(rows_of(dq, k, rows), matrix_product(rows_of(v, k, rows), dw))
    t = neg(adjoint(solve_triangular(top, adjoint(w), True, unit=True)))
    pushed = add(dw, matrix_product(t, adjoint(d_top)))
    dt = neg(adjoint(solve_triangular(top, adjoint(pushed), True, unit=True)))
    return concatenate([d_top, divided(rest, w)], packed.ndim - 2), diagonal_of(dt)


def _grown(x: Any, rows: int, columns: int) -> Any:
    """Matrices with zeros appended below and on the right."""
    edges = [(0, 0, 0)] * (x.ndim - 2) + [(0, rows - x.shape[-2], 0), (0, columns - x.shape[-1], 0)]
    return pad(x, full(ArrayType((), x.dtype), 0), edges)


def _in_order(x: Any, order: Any) -> Any:
    """The columns of matrices in another order."""
    places = broadcast_in_dim(order, x.shape, (*range(order.ndim - 1), order.ndim))
    return take_along_axis(x, places, x.ndim - 1)


def _turned_complement(q: Any, dq: Any) -> Any:
    """The tangent of the further columns of a square Q, from its first columns and theirs; see `QR`."""
    rows, k = q.shape[-2:]
    beyond = sub(q, identity_like(q))
    square = adjoint(rows_of(beyond, 0, k))
    factor = solve(square, adjoint(rows_of(q, k, rows)))
    rest = sub(adjoint(rows_of(dq, k, rows)), matrix_product(adjoint(rows_of(dq, 0, k)), factor))
    return add(matrix_product(dq, factor), matrix_product(beyond, solve(square, rest)))


def qr(a: Any, complete: bool = False) -> tuple[Any, Any]:
    """Q with orthonormal columns and the upper triangular R with Q R = a; see `QR`."""
    return QR(complete)(a)


def pivoted_qr(a: Any, complete: bool = False) -> tuple[Any, Any, Any]:
    """Q, R and the order of columns p, largest first, with Q R = a[..., p]."""
    _, _, order = Householder(True)(stop_gradient(a))
    q, r = qr(_in_order(a, order), complete)
    return q, r, order
