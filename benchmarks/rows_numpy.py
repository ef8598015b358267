"""NumPy's functions: eagerly for tiny and large arrays, and compiled for large ones, against NumPy and JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .libraries import JAX, OURS, Library
from .timing import Ratio, Row

__all__ = ["rows"]

Program = Callable[..., Any]  # of a namespace like NumPy's and its arrays

_random = np.random.default_rng(0)


def _normal(*shape: int) -> np.ndarray:
    return _random.standard_normal(shape).astype(np.float32)


def _matrix(n: int) -> np.ndarray:
    return _normal(n, n) + n * np.eye(n, dtype=np.float32)


def _positive_definite(n: int) -> np.ndarray:
    a = _normal(n, n)
    return a @ a.T / n + np.eye(n, dtype=np.float32)


def _eager(quick: bool) -> Iterator[tuple[str, int, Program, tuple[np.ndarray, ...]]]:
    """Name, number of elements, program, arguments."""
    tiny, large = 4, 8 if quick else 1000
    for n in (tiny, large):
        a, b, vector = _normal(n, n), _normal(n, n), _normal(n * n)
        order = np.argsort(vector)
        yield "where", n, lambda np, a, b: np.where(a > 0, a, b), (a, b)
        if n == tiny:
            yield "a[0]", n, lambda np, a: a[0], (a,)
            yield "a[i, j]", n, lambda np, a: a[2, 1], (a,)
            yield "a[1:-1]", n, lambda np, a: a[1:-1], (a,)
        yield "a[mask]", n, lambda np, a, mask: a[mask], (a, a > 1)
        yield "take", n, lambda np, x, i: np.take(x, i), (vector, order.astype(np.int32))
        yield "concatenate", n, lambda np, a, b: np.concatenate([a, b]), (a, b)
        yield "stack", n, lambda np, a, b: np.stack([a, b]), (a, b)
        yield "argmax", n, lambda np, a: np.argmax(a), (a,)
        yield "max", n, lambda np, a: np.max(a), (a,)
        yield "mean", n, lambda np, a: np.mean(a, axis=0), (a,)
        yield "sort", n, lambda np, x: np.sort(x), (vector,)
        yield "argsort", n, lambda np, x: np.argsort(x), (vector,)
        yield "cumsum", n, lambda np, x: np.cumsum(x), (vector,)
        yield "unique", n, lambda np, x: np.unique(x), (np.round(vector, 1),)
        yield "searchsorted", n, lambda np, x, y: np.searchsorted(x, y), (np.sort(vector), vector)
        yield "percentile", n, lambda np, x: np.percentile(x, 30), (vector,)
        yield "histogram", n, lambda np, x: np.histogram(x)[0], (vector,)
        yield "bincount", n, lambda np, i: np.bincount(i), ((order % 50).astype(np.int32),)
        yield "interp", n, lambda np, x, t: np.interp(x, t, t), (vector, np.sort(vector))
        yield "convolve", n, lambda np, x: np.convolve(x, x[:3]), (vector,)
        yield "diff", n, lambda np, x: np.diff(x), (vector,)
        yield "pad", n, lambda np, a: np.pad(a, 1, mode="reflect"), (a,)
        yield "fft", n, lambda np, x: np.fft.fft(x), (vector,)
        yield "rfft", n, lambda np, x: np.fft.rfft(x), (vector,)
    for n in (tiny, 8 if quick else 300):
        square, definite, b = _matrix(n), _positive_definite(n), _normal(n, 3)
        yield "einsum ij,jk->ik", n, lambda np, a, b: np.einsum("ij,jk->ik", a, b), (square, square)
        yield "einsum bij,bjk->bik", n, lambda np, a: np.einsum("bij,bjk->bik", a, a), (_normal(4, n, n),)
        yield "linalg.solve", n, lambda np, a, b: np.linalg.solve(a, b), (square, b)
        yield "linalg.inv", n, lambda np, a: np.linalg.inv(a), (square,)
        yield "linalg.det", n, lambda np, a: np.linalg.det(a), (square,)
        yield "linalg.cholesky", n, lambda np, a: np.linalg.cholesky(a), (definite,)
        yield "linalg.eigh", n, lambda np, a: np.linalg.eigh(a)[0], (definite,)
        yield "linalg.svd", n, lambda np, a: np.linalg.svd(a)[1], (square,)
        yield "linalg.norm", n, lambda np, a: np.linalg.norm(a), (square,)


def _compiled(quick: bool) -> Iterator[tuple[str, Program, tuple[np.ndarray, ...]]]:
    n = 8 if quick else 1000
    a, vector = _normal(n, n), _normal(n * n)
    places = _random.integers(0, n * n, n * n).astype(np.int32)
    bins = (places % 1000).astype(np.int32)
    yield "sort", lambda np, x: np.sort(x), (vector,)
    yield "sort rows", lambda np, a: np.sort(a, axis=1), (a,)
    yield "argsort", lambda np, x: np.argsort(x), (vector,)
    yield "cumsum", lambda np, x: np.cumsum(x), (vector,)
    yield "cumsum of rows", lambda np, a: np.cumsum(a, axis=1), (a,)
    yield "cumsum of columns", lambda np, a: np.cumsum(a, axis=0), (a,)
    yield "cumprod", lambda np, x: np.cumprod(x), (vector,)
    yield "sum of columns", lambda np, a: np.sum(a, axis=0), (a,)
    yield "max of columns", lambda np, a: np.max(a, axis=0), (a,)
    yield "argmax", lambda np, x: np.argmax(x), (vector,)
    yield "argmax of columns", lambda np, a: np.argmax(a, axis=0), (a,)
    yield "any", lambda np, x: np.any(x > 9), (vector,)
    yield "take", lambda np, x, i: np.take(x, i), (vector, places)
    yield "bincount", lambda np, i, w: np.bincount(i, w, 1000, **_length(np)), (bins, vector)
    yield "searchsorted", lambda np, x, y: np.searchsorted(x, y), (np.sort(vector), vector)
    yield "unique", lambda np, x: np.unique(x, **_size(np)), (np.round(vector, 1),)
    yield "percentile", lambda np, x: np.percentile(x, 30), (vector,)
    yield "median of rows", lambda np, a: np.median(a, axis=1), (a,)
    yield "histogram", lambda np, x: np.histogram(x, 50, (-4, 4))[0], (vector,)
    yield "interp", lambda np, x, t: np.interp(x, t, t), (vector, np.sort(vector[:1000]))
    yield "convolve", lambda np, x: np.convolve(x, x[:16]), (vector,)
    yield "diff", lambda np, x: np.diff(x), (vector,)
    yield "fft", lambda np, x: np.fft.fft(x), (vector,)
    yield "var of columns", lambda np, a: np.var(a, axis=0), (a,)
    m = 8 if quick else 300
    square, definite = _matrix(m), _positive_definite(m)
    yield "linalg.solve", lambda np, a: np.linalg.solve(a, a[:, :3]), (square,)
    yield "linalg.inv", lambda np, a: np.linalg.inv(a), (square,)
    yield "linalg.cholesky", lambda np, a: np.linalg.cholesky(a), (definite,)
    yield "linalg.eigh", lambda np, a: np.linalg.eigh(a)[0], (definite,)
    yield "linalg.svd", lambda np, a: np.linalg.svd(a)[1], (square,)
    yield "linalg.qr", lambda np, a: np.linalg.qr(a)[1], (square,)


def _length(module: Any) -> dict[str, int]:
    """What makes the shape of `bincount` known."""
    return {} if module is np else {"length": 1000}


def _size(module: Any) -> dict[str, int]:
    """What makes the shape of `unique` known."""
    return {} if module is np else {"size": 128}


def rows(quick: bool) -> Iterator[Row]:
    """Eager ones, then compiled ones."""
    for what, n, program, host in _eager(quick):
        small = n == 4
        budget = [Ratio("numpy", 3.0 if small else 1.2), Ratio("jax", 1.0)]
        ours = _call(OURS, program, host)
        contenders = {"ours": ours, "numpy": lambda p=program, h=host: p(np, *h), "jax": _finished(JAX, program, host)}
        yield Row("numpy", f"{what}, {'tiny' if small else 'large'}", contenders, budget, clock=time.perf_counter)
    for what, program, host in _compiled(quick):
        contenders = {
            "ours": _finished(OURS, program, host, compiled=True),
            "numpy": lambda p=program, h=host: p(np, *h),
            "jax": _finished(JAX, program, host, compiled=True),
        }
        yield Row("compiled", what, contenders, [Ratio("jax", 1.0)], clock=time.perf_counter)


def _call(library: Library, program: Program, host: tuple[np.ndarray, ...], compiled: bool = False) -> Program:
    arrays = [library.np.asarray(x) for x in host]

    def call(*args: Any) -> Any:
        return program(library.np, *args)

    run = library.top.jit(call) if compiled else call
    return lambda: run(*arrays)


def _finished(library: Library, program: Program, host: tuple[np.ndarray, ...], compiled: bool = False) -> Program:
    """As `_call`, waiting for the result. (Eagerly ours is there when the call returns.)"""
    call = _call(library, program, host, compiled)
    return lambda: library.top.block_until_ready(call())
