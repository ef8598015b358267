"""Reverse mode and its relatives, by composition: `grad` is linearize, then transpose.

`linearize` runs the function in forward mode with unknown tangents, so primal work happens at once and a linear tape
remains; `vjp` runs that tape backwards; everything else here is written with those two and `vmap`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array, aligned_copy
from ..backend.registry import flatten as flatten_leaves
from ..core.dtypes import INT32, is_complex, is_inexact
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, DifferentiationError, TreeError
from ..ops.elementwise import eq
from ..ops.elementwise import stop_gradient as stop_gradient_leaf
from ..ops.structure import convert, full, instantiate, iota, reshape, zeros_of
from ..source import function_source
from .arguments import FlatFunction, argument_names, check_callable, is_array_like, leaf_names, lift, strong
from .jvp import jvp
from .linearize import Linearized
from .transpose import check_cotangent
from .vmap import map_rows

__all__ = [
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacrev",
    "linearize",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate `fun` and return the linear map that approximates it there.

    Args:
        fun: a pure function of arrays and pytrees of arrays.
        *primals: its positional arguments.
        has_aux: whether `fun` returns a pair (output, auxiliary data).

    Returns:
        `(output, push)`; `push(*tangents)` is the output's tangent, and costs only the linear part of the work.
        With `has_aux`, the auxiliary data is a third item.

    Raises:
        TreeError: `push` is called with tangents of another structure than the primals.
    """
    leaves, in_tree = tree.flatten((primals, {}))
    values = [lift(leaf) for leaf in leaves]
    flat = FlatFunction(fun, in_tree, has_aux)
    linear = Linearized(flat, values, ("linearize", fun))

    def push(*tangents: Any) -> Any:
        given, given_tree = tree.flatten((tangents, {}))
        if given_tree != in_tree:
            raise TreeError(f"linearize: the tangents have structure {given_tree}, the primals have {in_tree}")
        checked = [check_cotangent(t, x, "linearize") for t, x in zip(given, values, strict=True)]
        outs = linear.push([instantiate(t) if t is not None else None for t in checked])
        return flat.out_tree.unflatten([strong(instantiate(t)) for t in outs])

    out = flat.out_tree.unflatten([strong(x) for x in linear.outputs])
    return (out, push, flat.aux) if has_aux else (out, push)


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate `fun` and return the function that pulls cotangents back (reverse-mode differentiation).

    Args:
        fun: a pure function of arrays and pytrees of arrays.
        *primals: its positional arguments.
        has_aux: whether `fun` returns a pair (output, auxiliary data).

    Returns:
        `(output, pull)`; `pull(ct)` is a tuple with one cotangent per primal, and may be called repeatedly.
        With `has_aux`, the auxiliary data is a third item.

    Raises:
        TreeError: `pull` is called with a cotangent of another structure than the output.
    """
    leaves, in_tree = tree.flatten((primals, {}))
    values = [lift(leaf) for leaf in leaves]
    flat = FlatFunction(fun, in_tree, has_aux)
    linear = Linearized(flat, values, ("vjp", fun))

    def pull(ct: Any) -> tuple[Any, ...]:
        ct_leaves, ct_tree = tree.flatten(ct)
        if ct_tree != flat.out_tree:
            raise TreeError(f"vjp: the cotangent has structure {ct_tree}, but the output has {flat.out_tree}")
        cts = [check_cotangent(c, out, "vjp") for c, out in zip(ct_leaves, linear.outputs, strict=True)]
        results = [_gradient_of(x, ct) for x, ct in zip(values, linear.pull(cts), strict=True)]
        args, _ = in_tree.unflatten(results)
        return args

    out = flat.out_tree.unflatten([strong(x) for x in linear.outputs])
    return (out, pull, flat.aux) if has_aux else (out, pull)


def _gradient_of(primal: Any, ct: Any) -> Any:
    """A cotangent written out; zeros of the input's own dtype for integers, whose tangent space is trivial."""
    return zeros_of(primal.type) if ct is None else strong(instantiate(ct))


class Selection:
    """Which arguments of a call to differentiate, by position and by name, and the others held fixed."""

    def __init__(
        self, fun: Callable[..., Any], argnums: Any, argnames: Any, args: tuple[Any, ...], kwargs: Any
    ) -> None:
        self.fun, self.args, self.kwargs = fun, args, kwargs
        nums = () if argnums is None else (argnums,) if isinstance(argnums, int) else tuple(argnums)
        names = () if argnames is None else (argnames,) if isinstance(argnames, str) else tuple(argnames)
        self.single = len(nums) + len(names) == 1 and not isinstance(argnums if nums else argnames, (tuple, list))
        self.slots: list[int | str] = []
        for number in nums:
            if not isinstance(number, int):
                raise ArgumentError(f"argnums={argnums!r} must be integers; name arguments with argnames= instead")
            if not -len(args) <= number < len(args):
                raise ArgumentError(
                    f"argnums={argnums} names positional argument {number}, "
                    f"but {function_source(fun)} was called with {len(args)}"
                )
            self.slots.append(number % len(args))
        for name in names:
            if name in kwargs:
                self.slots.append(name)
            elif name in argument_names(fun, args, {}):
                self.slots.append(argument_names(fun, args, {}).index(name))
            else:
                raise ArgumentError(f"argnames={argnames!r}: {function_source(fun)} was not given an argument {name!r}")

        if len(set(self.slots)) != len(self.slots):
            raise ArgumentError(f"argnums={argnums}, argnames={argnames!r} name an argument twice")

    def chosen(self) -> tuple[Any, ...]:
        return tuple(self.args[s] if isinstance(s, int) else self.kwargs[s] for s in self.slots)

    def chosen_names(self) -> list[str]:
        names = argument_names(self.fun, self.args, {})
        return [names[s] if isinstance(s, int) else s for s in self.slots]

    def call(self, fun: Callable[..., Any], *chosen: Any) -> Any:
        """Call `fun` with other values for the chosen arguments."""
        args, kwargs = list(self.args), dict(self.kwargs)
        for slot, value in zip(self.slots, chosen, strict=True):
            if isinstance(slot, int):
                args[slot] = value
            else:
                kwargs[slot] = value
        return fun(*args, **kwargs)


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """A function that returns both the value of `fun` and its gradient.

    Args:
        fun: a function with a scalar output of real dtype (complex with `holomorphic`).
        argnums: which positional arguments to differentiate; an int or several. The default is 0.
        has_aux: whether `fun` returns a pair (output, auxiliary data).
        holomorphic: promise that `fun` is holomorphic; inputs and output are then complex.
        allow_int: let integer inputs pass; their gradient is zeros of the input's dtype.
        argnames: arguments to differentiate by name, however they are passed.

    Returns:
        A function with `fun`'s arguments that returns `(value, gradient)`, or `((value, aux), gradient)`. The gradient
        has the structure of the chosen argument, or is a tuple of such if several are chosen.

    Raises:
        DifferentiationError: the output is not a real scalar, or an input is not floating.
    """
    check_callable(fun, "grad")
    if argnums is None and argnames is None:
        argnums = 0

    @functools.wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        selection = Selection(fun, argnums, argnames, args, kwargs)
        leaves, in_tree = flatten_leaves((selection.chosen(), {}))
        values = []
        for number, leaf in enumerate(leaves):
            if type(leaf) is not Array or not is_inexact(leaf.dtype) or holomorphic:
                leaf = _input(leaf, number, selection, holomorphic, allow_int, fun)
            values.append(leaf)
        flat = FlatFunction(functools.partial(selection.call, fun), in_tree, has_aux, fun)
        linear = Linearized(flat, values, ("grad", fun))
        out = _scalar_output(linear.outputs, flat.out_tree, fun, holomorphic)
        pulled = linear.pull([full(out.type, 1)])
        gradients, _ = in_tree.unflatten([_gradient_of(x, ct) for x, ct in zip(values, pulled, strict=True)])
        value = strong(out)
        return ((value, flat.aux) if has_aux else value), gradients[0] if selection.single else gradients

    return differentiated


def _input(leaf: Any, number: int, selection: Selection, holomorphic: bool, allow_int: bool, fun: Any) -> Any:
    """A leaf to differentiate, checked; messages name its path."""

    def name() -> str:
        return leaf_names(selection.chosen_names(), selection.chosen())[number]

    value = lift(leaf, "" if is_array_like(leaf) else f"argument {name()}")
    if holomorphic and not is_complex(value.dtype):
        raise DifferentiationError(
            f"grad with holomorphic=True differentiates complex inputs, but {name()} has dtype {value.dtype.name}; "
            f"convert it: {name()}.astype('complex64')"
        )
    if not value.type.differentiable and not allow_int:
        raise DifferentiationError(
            f"grad of {function_source(fun)} needs floating-point inputs, but argument {name()} "
            f"has dtype {value.dtype.name}.\n"
            f"Convert it ({name()} = fnp.asarray({name()}, dtype=float)), differentiate other arguments with argnums=, "
            f"or pass allow_int=True for zero gradients."
        )
    return value


def _scalar_output(outputs: Sequence[Any], out_tree: Any, fun: Any, holomorphic: bool) -> Any:
    out = outputs[0] if len(outputs) == 1 and out_tree == _LEAF else None
    if out is not None and not out.shape and is_inexact(out.dtype) and is_complex(out.dtype) == holomorphic:
        return out
    where = function_source(fun)
    if out is None:
        raise DifferentiationError(
            f"grad needs a scalar output, but {where} returned {out_tree}.\n"
            f"Return one number; if there is more to return, return (loss, aux) and pass has_aux=True."
        )
    if out.shape != ():
        raise DifferentiationError(
            f"grad needs a scalar output, but {where} returned shape {out.shape}.\n"
            f"Reduce it, for instance with .sum() or .mean(), or ask for all derivatives: fg.jacrev(f)."
        )
    if not is_inexact(out.dtype):
        raise DifferentiationError(
            f"grad needs a floating-point output, but {where} returned dtype {out.dtype.name}, "
            f"which does not vary continuously with the inputs"
        )
    if holomorphic:
        raise DifferentiationError(f"grad with holomorphic=True needs a complex output, {where} returned {out.type}")
    raise DifferentiationError(
        f"grad needs a real output, but {where} returned {out.type}.\n"
        f"Take a real function of it (such as abs(x) ** 2), or pass holomorphic=True if it is holomorphic."
    )


_LEAF = tree.structure(0)


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """The gradient of a scalar function.

    Args, Raises: as `value_and_grad`.

    Returns:
        A function with `fun`'s arguments that returns the gradient, or `(gradient, aux)` with `has_aux`.

    Example:
        >>> import funcgrad as fg
        >>> float(fg.grad(lambda x: x * x * x)(2.0))
        12.0
    """
    with_value = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int, argnames=argnames)

    @functools.wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, gradients = with_value(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def _basis(values: Sequence[Any]) -> Sequence[Any]:
    """For each value, the standard basis of all values' space: shape (total size, *shape)."""
    types = tuple([x.type.strong() for x in values])
    total = sum(t.size for t in types)
    if total <= _SMALL_BASIS:
        return _small_basis(types, total)
    basis = []
    start = 0
    for t in types:
        rows = iota(INT32, (total, t.size), 0)
        columns = iota(INT32, (total, t.size), 1) + start
        basis.append(reshape(convert(eq(rows, columns), t.dtype), (total, *t.shape)))
        start += t.size
    return basis


_SMALL_BASIS = 64


@lru_cache(maxsize=256)
def _small_basis(types: tuple[ArrayType, ...], total: int) -> tuple[Array, ...]:
    """As constants, remembered: small Jacobians are asked for in loops."""
    blocks = np.split(np.eye(total), np.cumsum([t.size for t in types])[:-1], axis=1)
    pairs = zip(blocks, types, strict=True)
    return tuple(Array(aligned_copy(block.astype(t.dtype).reshape(total, *t.shape))) for block, t in pairs)


def _split_rows(stacked: Any, values: Sequence[Any], axis: int) -> list[Any]:
    """Cut a Jacobian with flat first axis back into blocks, one per value."""
    blocks = []
    start = 0
    for x in values:
        size = x.type.size
        block = stacked if len(values) == 1 else stacked[start : start + size]
        rest = tuple(range(1, block.ndim))
        if axis:
            block = block.transpose((*rest, 0)).reshape((*block.shape[1:], *x.shape))
        else:
            block = block.reshape((*x.shape, *block.shape[1:]))
        blocks.append(block)
        start += size
    return blocks


def _jacobian_inputs(fun: Any, selection: Selection, holomorphic: bool, allow_int: bool) -> tuple[list[Any], Any]:
    leaves, in_tree = tree.flatten((selection.chosen(), {}))
    return [_input(leaf, i, selection, holomorphic, allow_int, fun) for i, leaf in enumerate(leaves)], in_tree


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian, column by column in forward mode: cheap when there are few inputs.

    Args:
        fun: a function of arrays and pytrees of arrays.
        argnums: which positional arguments to differentiate.
        has_aux: whether `fun` returns a pair (output, auxiliary data).
        holomorphic: promise that `fun` is holomorphic; inputs are then complex.

    Returns:
        A function that returns, for every leaf of the output, a tree like the argument whose leaves have shape
        `output.shape + input.shape`.
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        selection = Selection(fun, argnums, None, args, kwargs)
        values, in_tree = _jacobian_inputs(fun, selection, holomorphic, False)
        if not holomorphic and any(is_complex(x.dtype) for x in values):
            raise DifferentiationError("jacfwd of complex inputs needs holomorphic=True (or jacrev of a real output)")
        flat = FlatFunction(functools.partial(selection.call, fun), in_tree, has_aux, fun)
        linear = Linearized(flat, values, ("jacfwd", fun))
        columns = map_rows(lambda *ts: [instantiate(t) for t in linear.push(ts)], _basis(values), ("jacfwd", fun))
        blocks = [_split_rows(column, values, 1) for column in columns]
        return _assemble(flat, in_tree, selection, blocks, has_aux)

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian, row by row in reverse mode: cheap when there are few outputs.

    Args:
        fun: a function of arrays and pytrees of arrays.
        argnums: which positional arguments to differentiate.
        has_aux: whether `fun` returns a pair (output, auxiliary data).
        holomorphic: promise that `fun` is holomorphic; inputs and outputs are then complex.
        allow_int: let integer inputs pass, with zero derivatives.

    Returns:
        A function that returns, for every leaf of the output, a tree like the argument whose leaves have shape
        `output.shape + input.shape`.
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        selection = Selection(fun, argnums, None, args, kwargs)
        values, in_tree = _jacobian_inputs(fun, selection, holomorphic, allow_int)
        flat = FlatFunction(functools.partial(selection.call, fun), in_tree, has_aux, fun)
        linear = Linearized(flat, values, ("jacrev", fun))
        outputs = linear.outputs
        for out in outputs:
            if not is_inexact(out.dtype) or is_complex(out.dtype) != holomorphic:
                kind = "complex" if holomorphic else "real floating-point"
                raise DifferentiationError(f"jacrev needs {kind} outputs, {function_source(fun)} returned {out.type}")

        def pull(*cts: Any) -> list[Any]:
            return [_gradient_of(x, ct) for x, ct in zip(values, linear.pull(cts), strict=True)]

        rows = map_rows(pull, _basis(outputs), ("jacrev", fun))
        by_input = [_split_rows(row, outputs, 0) for row in rows]
        blocks = [list(block) for block in zip(*by_input, strict=True)] if by_input else [[] for _ in outputs]
        return _assemble(flat, in_tree, selection, blocks, has_aux)

    return jacobian


def _assemble(
    flat: FlatFunction, in_tree: Any, selection: Selection, blocks: Sequence[Sequence[Any]], has_aux: bool
) -> Any:
    """Jacobian blocks, per output leaf and input leaf, as an output tree of input trees."""
    per_output = []
    for row in blocks:
        chosen, _ = in_tree.unflatten(list(row))
        per_output.append(chosen[0] if selection.single else chosen)
    result = flat.out_tree.unflatten(per_output)
    return (result, flat.aux) if has_aux else result


def hessian(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The Hessian of a scalar function, forward over reverse; arguments as `jacrev`."""
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)


def hvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of the Hessian of a scalar function with a vector, at the cost of a few gradients.

    Args:
        fun: a scalar function; it is differentiated with respect to all of `primals`.
        primals: its positional arguments, as a tuple.
        tangents: the vector, with the structure of `primals`.

    Returns:
        The product: a tuple like `primals`, or one tree if there is one primal.
    """
    if not isinstance(primals, (tuple, list)):
        raise TreeError("hvp takes primals and tangents as tuples; write fg.hvp(f, (x,), (v,))")
    argnums: Any = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(fun, argnums), tuple(primals), tuple(tangents))[1]


def stop_gradient(x: Any) -> Any:
    """The same values, treated as constants by differentiation; leaves that are not floating pass unchanged."""

    def stop(leaf: Any) -> Any:
        if isinstance(leaf, Tracer) and leaf.type.differentiable:
            return stop_gradient_leaf(leaf)
        return leaf

    return tree.map(stop, x)
