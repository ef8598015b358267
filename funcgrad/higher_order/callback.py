"""Callbacks: a program calls a Python function with the values of arrays; `pure_callback` and `io_callback`.

The function gets concrete arrays, whatever transformations the caller runs under, and its results are checked before
anything reads them: an engine believes every shape that it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array, aligned_copy, to_device
from ..backend.client import default_device
from ..compiler.evaluate import common_device
from ..compiler.tiered import interpretation
from ..config import config
from ..core.dtypes import INT32, canonical
from ..core.interned import Interned
from ..core.primitive import Primitive, not_linear
from ..core.program import stage
from ..core.trace import bottom, run_under, state
from ..core.types import ArrayType, Zero
from ..errors import ArgumentError, CallbackError, DifferentiationError, DTypeError, MissingRuleError
from ..ops.stacking import stack, unstack
from ..ops.structure import broadcast_in_dim, convert, move_axis, zeros_of
from ..source import Source, function_source
from ..transforms.arguments import argument_names, check_callable, is_array_like, leaf_names, lift, strong
from .cond import Cond
from .scan import map_in_turn
from .traced import mismatch

__all__ = ["Callback", "Callee", "call_back", "io_callback", "pure_callback"]

_SCALARS = {bool: "b", int: "iu", float: "f", complex: "c"}
_VMAP_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all")


class Callee:
    """A Python function, with those of its arguments that are not arrays; equal if it is surely the same.

    Attributes:
        function: what is called.
        in_tree: structure of its `(args, kwargs)`.
        fixed: per leaf of them, None for an array, else a list of the one object that is always passed.
    """

    __slots__ = ("_key", "fixed", "function", "in_tree")

    def __init__(self, function: Callable[..., Any], in_tree: Any, fixed: Sequence[list[Any] | None]) -> None:
        self.function = function
        self.in_tree = in_tree
        self.fixed = tuple(fixed)
        objects = [f and _identity(f[0]) for f in self.fixed]
        self._key = (_identity(function), in_tree, *objects)

    def __call__(self, arrays: Sequence[Array]) -> Any:
        given = iter(arrays)
        args, kwargs = self.in_tree.unflatten([next(given) if f is None else f[0] for f in self.fixed])
        return self.function(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callee) and self._key == other._key

    def __str__(self) -> str:
        return function_source(self.function)

    __repr__ = __str__


def _identity(value: Any) -> Any:
    """A hashable value that is equal only for objects that can stand for each other while they live."""
    kind = type(value)
    if isinstance(value, Interned):
        return value
    if kind is MethodType:
        return MethodType, id(value.__self__), id(value.__func__)
    if kind in (str, bytes, int, bool, float, complex):
        return kind, repr(value)
    return id(value)


class Callback(Primitive):
    """Calls a Python function with concrete arrays.

    Fields:
        what: the public function that made it, for messages.
        callee: what to call.
        out_tree: the structure of what it returns, or None for a function whose result is ignored.
        out_types: the types of the leaves.
        effect: None for a pure function, "callback", or "ordered".
        watches: True if it only looks at its operands: differentiation shows it the values and passes it by.
        vmap_method: how a pure function is mapped.
    """

    multiple = True
    takes_zeros = True
    plain = False
    runs_itself = True

    what: str
    callee: Callee
    out_tree: Any
    out_types: tuple[ArrayType, ...]
    effect: str | None
    watches: bool = False
    vmap_method: str | None = None

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset() if self.effect is None else frozenset({self.effect})

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return self.out_types

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        device = common_device(self.what, arrays)
        interpreted = interpretation()
        if interpreted is None:
            called: Sequence[np.ndarray] = self.call([strong(x) for x in arrays], state.source)
        else:
            called = interpreted.call_python(self._for_program(state.source), [x.host() for x in arrays])
        results = [Array(x) for x in called]
        return tuple(results if device is None else [to_device(x, device) for x in results])

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(self.call([Array(x) for x in operands], state.source))

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        if build.platform not in ("cpu", "gpu"):
            raise CallbackError(
                f"{self.what}: programs for {build.platform} cannot call Python. Compile the function for the CPU: "
                f"fg.jit(f, device='cpu').",
                build.source,
            )
        function = self._for_program(build.source)
        return build.call_python(function, operands, self.effect == "ordered", self.effect is not None)

    def _for_program(self, source: Source | None) -> Callable[..., tuple[np.ndarray, ...]]:
        """What a program calls, which has its own memory."""

        def call_from_program(*views: np.ndarray) -> tuple[np.ndarray, ...]:
            arrays = [Array(aligned_copy(view)) for view in views]
            try:
                if default_device().is_host:
                    return tuple(self.call(arrays, source))
                with config(default_device="cpu"):  # the accelerator waits for this call, so nothing may wait for it
                    return tuple(self.call(arrays, source))
            except BaseException as error:
                self._add_place(error, source)
                raise

        return call_from_program

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        moving = [i for i, t in enumerate(tangents) if type(t) is not Zero]
        if moving and not self.watches:
            raise self._not_differentiable(moving[0])
        outs = self(*primals)
        return outs, tuple(Zero(out.type) for out in outs)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        if self.effect is not None or self.vmap_method == "sequential":
            return map_in_turn(self, size, operands, axes)
        if self.vmap_method is None:
            raise MissingRuleError(
                f"pure_callback of {self.callee} is under vmap, which cannot know whether it takes whole batches.\n"
                f"Say what to do: pure_callback(…, vmap_method='sequential') calls it once per element, 'expand_dims' "
                f"and 'broadcast_all' call it once with a leading axis on every argument and result "
                f"(of length 1, or {size}, for arguments that are not mapped)."
            )
        if self.vmap_method == "sequential_unrolled":
            return self._unrolled(size, operands, axes)
        leading = []
        for x, axis in zip(operands, axes, strict=True):
            if axis is None:
                length = 1 if self.vmap_method == "expand_dims" else size
                leading.append(broadcast_in_dim(x, (length, *x.shape), range(1, x.ndim + 1)))
            else:
                leading.append(move_axis(x, axis, 0))
        types = tuple(t.update(shape=(size, *t.shape)) for t in self.out_types)
        outs = self.like(types)(*leading)
        return outs, (0,) * len(outs)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        types = [x.type for x in operands]
        called = stage(lambda *args: self(*args), types, self.what)
        passed_by = stage(lambda *args: [zeros_of(t) for t in self.out_types], types, f"no_{self.what}")
        return Cond((passed_by, called))(convert(mask, INT32), *operands)

    # -- what the rules are made of ----------------------------------------------------------------------------------

    def like(self, out_types: tuple[ArrayType, ...]) -> Callback:
        """The same call with other result types."""
        return Callback(self.what, self.callee, self.out_tree, out_types, self.effect, self.watches, self.vmap_method)

    def call(self, arrays: Sequence[Array], source: Source | None) -> list[np.ndarray]:
        """Call the function as a user would, outside of all transformations, and check what it returns."""
        outer, state.source = state.source, None
        try:
            result = run_under(bottom(), self.callee, arrays)
        finally:
            state.source = outer
        return [] if self.out_tree is None else self._checked(result, source)

    def _checked(self, result: Any, source: Source | None) -> list[np.ndarray]:
        """The leaves of a result as contiguous arrays of the declared types; Python numbers adapt."""
        leaves, out_tree = tree.flatten(result)
        found, types = [], []
        for i, leaf in enumerate(leaves):
            value, type = self._as_result(leaf, self.out_types[i] if i < len(self.out_types) else None, source)
            found.append(value)
            types.append(type)
        if out_tree != self.out_tree or tuple(types) != self.out_types:
            shown = mismatch(("declared", "returned"), (self.out_tree, out_tree), (self.out_types, types))
            raise CallbackError(
                f"{self.what}: {self.callee} returned something else than result_shape_dtypes says:\n{shown}\n"
                f"Return arrays of these shapes and dtypes (np.asarray(x, dtype) converts; NumPy computes in float64), "
                f"or declare what it returns.",
                source,
            )
        return found

    def _as_result(self, leaf: Any, expected: ArrayType | None, source: Source | None) -> tuple[np.ndarray, ArrayType]:
        kinds = _SCALARS.get(type(leaf))
        try:
            if kinds is not None and expected is not None and expected.shape == () and _adapts(kinds, expected.dtype):
                return np.asarray(leaf, expected.dtype), expected
            if type(leaf) is Array:
                return np.asarray(leaf.host(), order="C"), strong(leaf).type
            plain = np.asarray(leaf)
            dtype = canonical(plain.dtype)
            return np.array(plain, dtype, order="C"), ArrayType(plain.shape, dtype)  # the user's memory may change
        except DTypeError:
            problem = "which is neither an array nor a number"
        except OverflowError:
            problem = f"which {expected} cannot hold"
        shown = repr(leaf)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise CallbackError(
            f"{self.what}: {self.callee} returned {shown} of type {type(leaf).__name__}, {problem}.\n"
            f"Return arrays or numbers of the types that result_shape_dtypes declares.",
            source,
        )

    def _add_place(self, error: BaseException, source: Source | None) -> None:
        """Tell where the traced function asked for the call: the traceback of a running program does not know."""
        if isinstance(error, CallbackError) and error.source is source:
            return
        place = "" if source is None else f", which is called at {source}"
        note = f"raised by the callback {self.callee}{place}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)

    def _unrolled(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        rows = [
            (x,) * size if axis is None else unstack(move_axis(x, axis, 0))
            for x, axis in zip(operands, axes, strict=True)
        ]
        results = [self(*row) for row in zip(*rows, strict=True)]
        return tuple(stack(column) for column in zip(*results, strict=True)), (0,) * len(self.out_types)

    def _not_differentiable(self, number: int) -> DifferentiationError:
        places = [i for i, f in enumerate(self.callee.fixed) if f is None]
        args, kwargs = self.callee.in_tree.unflatten([_Leaf(i) for i in range(len(self.callee.fixed))])
        names = leaf_names(argument_names(self.callee.function, args, kwargs), [*args, *kwargs.values()])
        way_out = "give the function that calls it its own derivative with fg.custom_jvp or fg.custom_vjp"
        stop = "if the derivative does not matter, pass fg.stop_gradient(x)"
        return DifferentiationError(
            f"{self.what} of {self.callee} cannot be differentiated with respect to its argument "
            f"{names[places[number]]}: nothing is known about what a Python function computes.\n"
            + (f"To differentiate, {way_out}; {stop}." if self.effect is None else f"{stop.capitalize()}.")
        )


class _Leaf:
    """Stands for an argument whose name is wanted."""

    def __init__(self, number: int) -> None:
        self.number = number


def _adapts(kinds: str, dtype: np.dtype) -> bool:
    """Whether a Python number of these kinds can become `dtype` without losing its nature."""
    kind = "f" if dtype.kind == "V" else dtype.kind
    order = ["b", "iu", "f", "c"]
    return order.index(kinds) <= next(i for i, group in enumerate(order) if kind in group)


def call_back(
    what: str,
    function: Callable[..., Any],
    result: tuple[Any, tuple[ArrayType, ...]] | None,
    effect: str | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    watches: bool = False,
    vmap_method: str | None = None,
) -> tuple[Any, ...]:
    """Call `function(*args, **kwargs)` through a `Callback`; arrays and numbers among the leaves are its operands.

    Args:
        what: the public function, for messages.
        function: what to call.
        result: structure and types of what it returns; None if that is ignored.
        effect, watches, vmap_method: as in `Callback`.
        args, kwargs: trees of arrays, numbers, and any objects, which are passed as they are.

    Returns:
        The leaves of the results.
    """
    check_callable(function, what)
    leaves, in_tree = tree.flatten((args, kwargs))
    fixed = [None if is_array_like(leaf) else [leaf] for leaf in leaves]
    values = [lift(leaf) for leaf, f in zip(leaves, fixed, strict=True) if f is None]
    out_tree, out_types = (None, ()) if result is None else result
    callee = Callee(function, in_tree, fixed)
    return Callback(what, callee, out_tree, out_types, effect, watches, vmap_method)(*values)


def _result_types(what: str, result_shape_dtypes: Any) -> tuple[Any, tuple[ArrayType, ...]]:
    types = []
    leaves, out_tree = tree.flatten(result_shape_dtypes)
    for leaf, name in zip(leaves, leaf_names(["result_shape_dtypes"], [result_shape_dtypes]), strict=True):
        shape, dtype = getattr(leaf, "shape", None), getattr(leaf, "dtype", None)
        if shape is None or dtype is None or isinstance(leaf, type):
            raise ArgumentError(
                f"{what}: {name} is {leaf!r}, which has no shape and dtype.\n"
                f"Say what the function returns as a tree of fg.ShapeDtypeStruct(shape, dtype), or of arrays like it."
            )
        types.append(ArrayType(tuple(shape), canonical(dtype)))
    return out_tree, tuple(types)


# -- the public functions --------------------------------------------------------------------------------------------


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Python function that always returns the same for the same arguments, also from compiled code.

    Since it is pure, the call may be left out if nothing uses the result, shared between equal calls, made more often
    than written, or made for both sides of a branch under `vmap`. Use `io_callback` for functions with side effects.

    Args:
        callback: called as `callback(*args, **kwargs)` with concrete arrays. It returns arrays (of any library that
            NumPy understands) or Python numbers.
        result_shape_dtypes: the structure, shapes and dtypes of what it returns: a tree of `ShapeDtypeStruct`, or of
            arrays.
        *args, **kwargs: trees of arrays and numbers; other leaves are passed as they are.
        vmap_method: what to do under `vmap`. "sequential" calls it for one element after another, in a loop;
            "sequential_unrolled" does the same without a loop. "expand_dims" calls it once, where every argument and
            result has one more, leading axis: of length 1 for arguments that are not mapped; "broadcast_all" repeats
            these instead. Without it, `vmap` is an error.

    Returns:
        What the callback returned, as arrays.

    Raises:
        CallbackError: it returned another structure, other shapes or other dtypes.
        DifferentiationError: its derivative is asked for. Give the caller a rule with `custom_jvp` or `custom_vjp`.

    Example:
        >>> import numpy as np, funcgrad as fg, funcgrad.numpy as fnp
        >>> f = fg.jit(lambda x: fg.pure_callback(np.sort, x, x) + 1.0)
        >>> f(fnp.array([3.0, 1.0, 2.0]))
        Array([2., 3., 4.], dtype=float32)
    """
    if vmap_method is not None and vmap_method not in _VMAP_METHODS:
        raise ArgumentError(
            f"pure_callback: vmap_method is {vmap_method!r}; it is None or one of {', '.join(map(repr, _VMAP_METHODS))}"
        )
    result = _result_types("pure_callback", result_shape_dtypes)
    outs = call_back("pure_callback", callback, result, None, args, kwargs, vmap_method=vmap_method)
    return result[0].unflatten(outs)


def io_callback(
    callback: Callable[..., Any], result_shape_dtypes: Any, *args: Any, ordered: bool = False, **kwargs: Any
) -> Any:
    """Call a Python function with side effects, also from compiled code: exactly once each time it is reached.

    Under `vmap` it is called for one element after another, and in a branch only for the elements that take it.

    Args:
        callback: called as `callback(*args, **kwargs)` with concrete arrays.
        result_shape_dtypes: the structure, shapes and dtypes of what it returns: a tree of `ShapeDtypeStruct`, or of
            arrays; None if it returns None.
        *args, **kwargs: trees of arrays and numbers; other leaves are passed as they are.
        ordered: whether the call happens after all ordered calls that were written before it. Others may happen in
            any order, when their arguments are there.

    Returns:
        What the callback returned, as arrays.

    Raises:
        CallbackError: it returned another structure, other shapes or other dtypes.
        DifferentiationError: its derivative is asked for.

    Example:
        >>> import funcgrad as fg
        >>> seen = []
        >>> total = fg.jit(lambda x: fg.io_callback(lambda v: seen.append(float(v)), None, x, ordered=True))(2.0)
        >>> seen
        [2.0]
    """
    result = _result_types("io_callback", result_shape_dtypes)
    outs = call_back("io_callback", callback, result, "ordered" if ordered else "callback", args, kwargs)
    return result[0].unflatten(outs)
