"""Calls drawn by Hypothesis, and the comparison of funcgrad's answer with NumPy's: values, dtype, shape, error or not.

A *call* is a strategy for `Call(args, kwargs)` whose arrays are NumPy's; the rest is passed on as it is. `agree` runs a
function of NumPy and of funcgrad on it, eagerly or compiled (arrays traced, all else static):

    @given(call(arrays("fi"), axis=axes(0, None)))
    def test_sum(drawn):
        agree("sum", drawn)

dtypes: where NumPy widens to 64 bits what no operand has, funcgrad gives its default of that kind; elsewhere the dtypes
are equal. Letters for `kinds`: b bool, i integers of 32 bits, I all integers, u unsigned, f float32, F float32 and
float64, c complex64, C complex64 and complex128.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad.numpy as fnp
from funcgrad.errors import FuncgradError
from funcgrad.higher_order.jit import jit
from funcgrad.transforms.placement import block_until_ready

__all__ = [
    "SHAPES", "Call", "agree", "arrays", "axes", "call", "calls", "elements", "matrices", "operands", "shaped",
]  # fmt: skip

KINDS = {
    "b": ("bool",),
    "i": ("int32",),
    "I": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
    "u": ("uint8", "uint32"),
    "f": ("float32",),
    "F": ("float32", "float64"),
    "c": ("complex64",),
    "C": ("complex64", "complex128"),
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
_ERRORS = (
    np.linalg.LinAlgError,
    np.exceptions.AxisError,
    IndexError,
    OverflowError,
    ZeroDivisionError,
    TypeError,
    ValueError,
)


@dataclass
class Call:
    """Arguments of a function; arrays among them, also inside lists and tuples, are NumPy's."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


def calls(*choices: Any) -> st.SearchStrategy[Call]:
    """One of several strategies of calls."""
    return st.one_of(*choices)


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def call(*args: Any, **kwargs: Any) -> st.SearchStrategy[Call]:
    """A call whose arguments are drawn from strategies; anything else is taken as it is."""
    positional = st.tuples(*map(_strategy, args))
    named = st.fixed_dictionaries({name: _strategy(value) for name, value in kwargs.items()})
    return st.builds(Call, positional, named)


# -- arrays ----------------------------------------------------------------------------------------------------------


def dtypes(kinds: str) -> st.SearchStrategy[np.dtype]:
    """One of the dtypes that the letters stand for."""
    return st.sampled_from([np.dtype(name) for kind in kinds for name in KINDS[kind]])


def elements(dtype: np.dtype, low: float = -4, high: float = 4, special: bool = False) -> st.SearchStrategy[Any]:
    """Numbers that a dtype holds exactly, in quarters; with `special`, infinities, NaN and -0 as well."""
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind in "iu":
        return st.integers(max(int(low), 0) if dtype.kind == "u" else int(low), int(high))
    quarters = st.integers(round(4 * low), round(4 * high)).map(lambda n: n / 4)
    if special:
        quarters = quarters | st.sampled_from([np.inf, -np.inf, np.nan, -0.0])
    return st.builds(complex, quarters, quarters) if dtype.kind == "c" else quarters


def shaped(shape: Any, kinds: str = "f", low: float = -4, high: float = 4, special: bool = False) -> Any:
    """Arrays of a shape (or a strategy for one)."""
    return dtypes(kinds).flatmap(lambda d: hnp.arrays(d, shape, elements=elements(d, low, high, special)))


def arrays(
    kinds: str = "f", low: float = -4, high: float = 4, special: bool = False, min_dims: int = 0, min_side: int = 0
) -> st.SearchStrategy[np.ndarray]:
    """Arrays of up to three dimensions, empty ones and scalars among them."""
    shapes = hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=min_side, max_side=3)
    return shaped(shapes, kinds, low, high, special)


@st.composite
def operands(draw: Any, count: int, kinds: str = "f", mixed: bool = False, **limits: Any) -> tuple[np.ndarray, ...]:
    """Arrays whose shapes broadcast; of one dtype, or each of its own if `mixed`."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3, min_side=0)).input_shapes
    one = draw(dtypes(kinds))
    chosen = [draw(dtypes(kinds)) if mixed else one for _ in shapes]
    return tuple(
        draw(hnp.arrays(d, shape, elements=elements(d, **limits))) for d, shape in zip(chosen, shapes, strict=True)
    )


@st.composite
def matrices(draw: Any, rows: Any = None, columns: Any = None, kinds: str = "F", batch: bool = True) -> np.ndarray:
    """Matrices of well separated random numbers, some of them stacked; square unless `columns` are given."""
    m = draw(_strategy(rows if rows is not None else st.integers(0, 4)))
    n = m if columns is None else draw(_strategy(columns))
    leading = draw(st.sampled_from([(), (), (2,), (0,), (2, 1)])) if batch else ()
    dtype = draw(dtypes(kinds))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    parts = random.normal(size=(2, *leading, m, n))
    return (parts[0] + 1j * parts[1] if dtype.kind == "c" else parts[0]).astype(dtype)


def axes(*others: Any, low: int = -1, high: int = 1) -> st.SearchStrategy[Any]:
    """An axis, valid for some of the arrays and not for others, or one of `others`."""
    return st.integers(low, high) | st.sampled_from(others) if others else st.integers(low, high)


# -- comparison ------------------------------------------------------------------------------------------------------


def agree(
    function: str | Callable[..., Any],
    drawn: Call,
    ulps: float = 64,
    compiled: bool = False,
    same_dtype: bool = True,
    reference: Callable[..., Any] | None = None,
    absolute: float = 1.0,
    floor: float = 0.0,
    magnitude: bool = False,
) -> None:
    """Check that funcgrad answers as NumPy does.

    Args:
        function: a name in the module, such as "linalg.solve", or `function(module, *args, **kwargs)`.
        drawn: the arguments.
        ulps: tolerance in units of the found dtype, relative to each element and to `absolute` times the largest one.
        compiled: run under `jit`.
        same_dtype: compare dtypes.
        reference: what to compare with, where NumPy has no such function.
        absolute: 0 to compare each element only with its own size.
        floor: the least size that errors are relative to, for functions of which small results are differences.
        magnitude: compare absolute values, of what is determined up to its sign or phase.
    """
    ours = _function(function, fnp)
    theirs = reference if reference is not None else _function(function, np)
    expected, error = _outcome(theirs, drawn)
    if compiled:
        run = _under_jit(ours, drawn)
    else:
        run = lambda: ours(*_ours(drawn.args), **_ours(drawn.kwargs))  # noqa: E731
    if error is not None:
        wanted = next((one for one in _ERRORS if isinstance(error, one)), Exception)
        found, raised = _outcome(lambda *_, **__: run(), drawn)
        problem = f"expected {wanted.__name__} as {error!r}, got {found if raised is None else raised!r} for {drawn}"
        assert isinstance(raised, wanted), problem
        assert isinstance(raised, FuncgradError | OverflowError), f"not an error of ours: {raised!r} for {drawn}"
        return
    found = run()
    if magnitude:
        found, expected = np.abs(np.asarray(found)), np.abs(expected)
    inputs = [x.dtype for x in _leaves((drawn.args, drawn.kwargs)) if isinstance(x, np.ndarray)]
    _compare(found, expected, inputs, ulps, same_dtype, (absolute, floor), str(drawn))


def _function(function: str | Callable[..., Any], module: Any) -> Callable[..., Any]:
    if not isinstance(function, str):
        return lambda *args, **kwargs: function(module, *args, **kwargs)
    found = module
    for part in function.split("."):
        found = getattr(found, part)
    return found


def _outcome(function: Callable[..., Any], drawn: Call) -> tuple[Any, Exception | None]:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return function(*drawn.args, **drawn.kwargs), None
    except Exception as error:
        return None, error


def _map(function: Callable[[Any], Any], tree: Any) -> Any:
    if type(tree) is dict:
        return {key: _map(function, value) for key, value in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(_map(function, value) for value in tree)
    return function(tree)


def _leaves(tree: Any) -> list[Any]:
    found: list[Any] = []
    _map(found.append, tree)
    return found


def _ours(tree: Any) -> Any:
    return _map(lambda x: fnp.asarray(x) if isinstance(x, np.ndarray) else x, tree)


def _under_jit(function: Callable[..., Any], drawn: Call) -> Callable[[], Any]:
    """The call with its arrays traced and everything else closed over."""
    given = [x for x in _leaves((drawn.args, drawn.kwargs)) if isinstance(x, np.ndarray)]

    def traced(*inputs: Any) -> Any:
        rest = iter(inputs)
        args, kwargs = _map(lambda x: next(rest) if isinstance(x, np.ndarray) else x, (drawn.args, drawn.kwargs))
        return function(*args, **kwargs)

    return lambda: block_until_ready(jit(traced)(*map(fnp.asarray, given)))


def expected_dtypes(theirs: np.dtype, inputs: Sequence[np.dtype]) -> set[np.dtype]:
    """The dtypes that funcgrad may give where NumPy gives `theirs` for operands of dtypes `inputs`."""
    if theirs.kind == "f" and not any(d.kind in "fc" for d in inputs):
        return {np.dtype(np.float32)}
    if theirs.itemsize < 8 or theirs.kind == "b" or theirs == np.complex64:
        return {theirs}
    if theirs.kind in "iu":
        wide = any(d.kind in "iu" and d.itemsize == 8 for d in inputs)
        smaller = {np.dtype(np.int32), np.dtype(np.uint32)}
        return {theirs} if wide and theirs.kind == "u" else {theirs, *smaller}
    if any(d in (np.float64, np.complex128) for d in inputs):
        return {theirs}
    floats = [d for d in inputs if d.kind in "fc"]
    real = max((np.finfo(d).dtype for d in floats), key=lambda d: d.itemsize, default=np.dtype(np.float32))
    return {np.result_type(real, np.complex64)} if theirs.kind == "c" else {real}


def _compare(
    found: Any, expected: Any, inputs: Any, ulps: float, same_dtype: bool, scale: tuple[float, float], what: str
) -> None:
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected), f"{len(found)} results, expected {len(expected)} for {what}"
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, inputs, ulps, same_dtype, scale, what)
        return
    theirs, ours = np.asarray(expected), np.asarray(found)
    assert ours.shape == theirs.shape, f"shape {ours.shape}, expected {theirs.shape} for {what}"
    if same_dtype and theirs.dtype.kind in "biufc":
        allowed = expected_dtypes(theirs.dtype, inputs)
        assert ours.dtype in allowed, f"dtype {ours.dtype}, expected one of {allowed} for {what}"
    if ours.dtype.kind not in "fcV":
        np.testing.assert_array_equal(ours, theirs.astype(ours.dtype), err_msg=what)
        return
    finite = np.abs(theirs[np.isfinite(theirs)]).max(initial=0)
    tolerance = ulps * float(np.finfo(ours.dtype).eps)
    size = max(scale[0] * float(finite), scale[1])
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * size, err_msg=what)
