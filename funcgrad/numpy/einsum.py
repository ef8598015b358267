"""Einstein's summation in all its forms: a plan of pairwise contractions, made once for each subscripts and types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
import opt_einsum
from opt_einsum.parser import parse_einsum_input

from ..backend.array import Array
from ..compiler.evaluate import evaluation, silence
from ..core.dtypes import BOOL, DTypeLike, canonical
from ..core.primitive import Primitive
from ..core.program import stage
from ..core.trace import state
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.reduction import reduce_or
from ..ops.structure import broadcast_in_dim, convert, expand_dims, reduce_sum, reshape, transpose
from .contraction import contract, diagonal
from .conversion import as_operand, refuse_out
from .elementwise import multiply
from .fast import FLOATING
from .promotion import promote_dtypes

__all__ = ["einsum", "einsum_path"]

Path = list[tuple[int, ...]]

_FEW = 1000  # products are summed one by one in less time than it takes to plan


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    dtype: DTypeLike | None = None,
    order: str = "K",
    casting: Any = "safe",
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: DTypeLike | None = None,
) -> Any:
    """Einstein's summation: products of operands, summed over every index that the output does not name.

    Args:
        subscripts: such as "ij,jk->ik", with "..." for broadcast axes; without "->" the output has the indices that
            occur once, in alphabetical order. Or the interleaved form: operand, its indices, operand, its indices, …,
            output indices.
        operands: arrays.
        out: not supported.
        dtype: what to convert the operands to first, as far as `casting` allows.
        order: accepted for NumPy's sake: arrays have no visible memory layout.
        casting: what `numpy.can_cast` may do for `dtype`.
        optimize: how to order pairwise contractions: True, False, "auto", "optimal", "greedy" or another name that
            opt_einsum knows, a pair of name and memory limit, or a path.
        precision: see `matmul`.
        preferred_element_type: see `matmul`.

    Raises:
        ShapeError: subscripts that do not fit the operands, or lengths of an index that differ.

    Example:
        >>> einsum("ij,j->i", fnp.eye(2), fnp.array([1.0, 2.0]))
        Array([1., 2.], dtype=float32)
    """
    # Hot (benchmark: eager): operands of one type, in the usual form, come through quickly.
    refuse_out("einsum", out)
    if type(subscripts) is not str:
        subscripts, operands = _as_text(subscripts, operands)
    if not operands:
        raise ArgumentError("einsum takes at least one operand")
    if dtype is not None:
        operands = tuple([_cast(x, canonical(dtype), casting) for x in operands])
    kind = operands[0].dtype if type(operands[0]) is Array else None
    for x in operands:
        if type(x) is not Array or x.dtype is not kind:
            operands = promote_dtypes(*operands)
            break
    strategy = optimize if type(optimize) in (str, bool) else _strategy(optimize)
    types = tuple([x.type for x in operands])
    return _plan(subscripts, types, strategy, precision, preferred_element_type)(operands)


def _cast(x: Any, dtype: np.dtype, casting: Any) -> Any:
    x = as_operand(x)
    if not x.type.weak and not np.can_cast(x.dtype, dtype, casting):
        raise DTypeError(
            f"einsum: casting={casting!r} does not let {x.dtype.name} become dtype={dtype.name}; "
            f'say casting="unsafe", or convert the operand: x.astype({dtype.name!r})'
        )
    return convert(x, dtype)


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "greedy") -> tuple[list[Any], str]:
    """The order of pairwise contractions that `einsum` would use, and an account of its cost.

    Args:
        subscripts: as for `einsum`, either form.
        operands: arrays.
        optimize: as for `einsum`.

    Returns:
        A path that `einsum` takes as `optimize`: "einsum_path", then which of the operands that are left are contracted
        next, their result becoming the last one; and opt_einsum's account of it, as text.

    Example:
        >>> einsum_path("ij,jk,kl->il", fnp.ones((2, 2)), fnp.ones((2, 5)), fnp.ones((5, 2)))[0]
        ['einsum_path', (1, 2), (0, 1)]
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _as_text(subscripts, operands)
    if not operands:
        raise ArgumentError("einsum_path takes at least one operand")
    shapes = tuple(as_operand(x).shape for x in operands)
    inputs, output, lengths = _labels(subscripts, shapes)
    path, account = _path(inputs, output, lengths, _strategy(optimize))
    return ["einsum_path", *path], str(account)


# -- what was meant ----------------------------------------------------------------------------------------------------


def _as_text(subscripts: Any, operands: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The interleaved form as text and operands."""
    args = [subscripts, *operands]
    pairs, output = len(args) // 2, args[-1] if len(args) % 2 else None
    text = ",".join(_row(args[2 * i + 1]) for i in range(pairs))
    return text if output is None else f"{text}->{_row(output)}", tuple(args[0 : 2 * pairs : 2])


def _row(indices: Any) -> str:
    try:
        return "".join("..." if i is Ellipsis else opt_einsum.get_symbol(int(i)) for i in indices)
    except TypeError:
        raise ArgumentError(
            f"einsum: {indices!r} is not a list of indices; write text subscripts, einsum('ij,jk->ik', a, b), "
            f"or operands each followed by a list of integers, einsum(a, [0, 1], b, [1, 2])"
        ) from None


def _strategy(optimize: Any) -> Any:
    """How to find a path, or a path, as something that hashes."""
    if isinstance(optimize, bool | str):
        return optimize
    parts = list(optimize)
    if parts and parts[0] == "einsum_path":
        parts = parts[1:]
    if parts and isinstance(parts[0], str):
        return tuple(parts)
    return tuple(tuple(step) for step in parts)


def _labels(subscripts: str, shapes: tuple[Shape, ...]) -> tuple[list[str], str, dict[str, int]]:
    """The labels of each operand and of the output, and the (checked) length of each label."""
    shown = " and ".join(map(str, shapes))
    stray = re.search(r"[^\w,.\s>-]|[\d_]", subscripts)
    if stray:
        raise ShapeError(f"einsum {subscripts!r}: {stray[0]!r} is no index; indices are letters")
    subscripts = re.sub(r"\s", "", subscripts)
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    try:
        text, output, _ = parse_einsum_input([subscripts, *stand_ins])
    except ValueError as error:
        raise ShapeError(f"einsum {subscripts!r} does not fit operands of shapes {shown}: {error}") from None
    inputs = text.split(",")
    lengths: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        if len(labels) != len(shape):
            raise ShapeError(
                f"einsum {subscripts!r}: an operand of shape {shape} has {len(labels)} indices, {labels!r}"
            )
        own: dict[str, int] = {}
        for label, n in zip(labels, shape, strict=True):
            if own.setdefault(label, n) != n:
                raise ShapeError(
                    f"einsum {subscripts!r}: index {label!r} has length {own[label]} and length {n} in one operand, of "
                    f"shape {shape}: a diagonal needs equal lengths"
                )
            known = lengths.setdefault(label, n)
            if n != known and 1 not in (n, known):
                raise ShapeError(
                    f"einsum {subscripts!r}: index {label!r} has length {known} and length {n} (shapes {shown})"
                )
            lengths[label] = n if known == 1 else known
    _require_broadcast_axes(subscripts, inputs, output)
    return inputs, output, lengths


def _require_broadcast_axes(subscripts: str, inputs: list[str], output: str) -> None:
    """Refuse to sum over axes that "..." stands for: an output must name them."""
    given, arrow, wanted = subscripts.partition("->")
    if arrow and "..." not in wanted:
        hidden = set("".join(inputs)) - set(given) - set(output)
        if hidden:
            raise ShapeError(
                f'einsum {subscripts!r}: "..." stands for {len(hidden)} axes of the operands, but the output has no '
                f'"..." for them'
            )


def _path(inputs: list[str], output: str, lengths: dict[str, int], strategy: Any) -> tuple[Path, Any]:
    """The contractions to make, one after the other."""
    memory_limit = None
    if isinstance(strategy, tuple) and strategy and isinstance(strategy[0], str):
        strategy, memory_limit = (*strategy, None)[:2]
    full = [tuple(lengths[label] for label in labels) for labels in inputs]
    try:
        path, account = opt_einsum.contract_path(
            f"{','.join(inputs)}->{output}", *full, shapes=True, optimize=strategy, memory_limit=memory_limit
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ArgumentError(
            f"einsum: optimize={strategy!r} is not a way to contract {len(inputs)} operands: {error}; expected True, "
            f'False, "auto", "greedy", "optimal" or a path from einsum_path'
        ) from None
    return [tuple(step) for step in path], account


# -- the plan ----------------------------------------------------------------------------------------------------------


class _Plan:
    """Operations that contract operands of certain types, one after the other.

    Attributes:
        steps: for each an operation, which values it takes (operands first, then results in order), and which of them
            nobody takes later.
        result: which value is the result.
        text: subscripts with which NumPy's einsum is quicker than the steps, if it is.
    """

    __slots__ = ("result", "steps", "text")

    def __init__(self, steps: list[tuple[Primitive, list[int], list[int]]], result: int, text: str | None) -> None:
        self.steps, self.result, self.text = steps, result, text

    def __call__(self, operands: Sequence[Any]) -> Any:
        if self.text is not None and state.trace is evaluation and evaluation.host_only:
            hosts = [x._host for x in operands if x._device is None and x._host is not None]
            if len(hosts) == len(operands):
                return Array(np.asarray(silence.run(np.einsum, self.text, *hosts)))
        values = list(operands)
        for op, taken, done in self.steps:
            values.append(op(*[values[i] for i in taken]))
            for i in done:
                values[i] = None
        return values[self.result]


@lru_cache(maxsize=4096)
def _plan(subscripts: str, types: tuple[ArrayType, ...], strategy: Any, precision: Any, preferred: Any) -> _Plan:
    """What contracts operands of these types: the operations that the general way uses, without looking for them."""
    inputs, output, lengths = _labels(subscripts, tuple(t.shape for t in types))
    path = _path(inputs, output, lengths, strategy)[0] if len(inputs) > 1 else []
    wanted = None if preferred is None else canonical(preferred)

    def contracted(*operands: Any) -> list[Any]:
        return [_contracted(operands, inputs, output, lengths, path, precision, wanted)]

    program = stage(contracted, types, "einsum")
    places = {var: i for i, var in enumerate(program.inputs)}
    taken = []
    for equation in program.equations:
        taken.append([places[atom] for atom in equation.inputs])  # type: ignore[index]
        places[equation.outputs[0]] = len(places)
    result = places[program.outputs[0]]  # type: ignore[index]
    last = {i: number for number, row in enumerate(taken) for i in row}
    steps = [
        (equation.op, row, [i for i in set(row) if last[i] == number and i != result])
        for number, (equation, row) in enumerate(zip(program.equations, taken, strict=True))
    ]
    products = prod(lengths.values()) * len(inputs)
    small = products <= _FEW and wanted is None and all(t.dtype.char in FLOATING + "FD" for t in types)
    return _Plan(steps, result, f"{','.join(inputs)}->{output}" if small else None)


def _contracted(
    operands: Sequence[Any],
    inputs: list[str],
    output: str,
    lengths: dict[str, int],
    path: Path,
    precision: Any,
    preferred: np.dtype | None,
) -> Any:
    named = []
    for i, (x, labels) in enumerate(zip(operands, inputs, strict=True)):
        named.append(_single(x, labels, output, "".join(inputs[:i] + inputs[i + 1 :]), lengths))
    for step in path:
        chosen = [named.pop(i) for i in sorted(step, reverse=True)][::-1]
        x, labels = chosen[0]
        for number, (y, other) in enumerate(chosen[1:], 2):
            later = [o for _, o in chosen[number:]] + [o for _, o in named]
            x, labels = _pair(x, labels, y, other, set(output).union(*later), precision, preferred)
        named.append((x, labels))
    ((x, labels),) = named
    x = transpose(x, [labels.index(label) for label in output])
    return x if preferred is None else convert(x, preferred)


def _single(x: Any, labels: str, output: str, elsewhere: str, lengths: dict[str, int]) -> tuple[Any, str]:
    """An operand with repeated indices made diagonal, and indices that occur nowhere else summed."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            shape = tuple(lengths[label] if axis in (first, second) else n for axis, n in enumerate(x.shape))
            x = diagonal(broadcast_in_dim(x, shape, range(x.ndim)), 0, first, second)
            labels = "".join(c for axis, c in enumerate(labels) if axis not in (first, second)) + label
    lone = [axis for axis, c in enumerate(labels) if c not in output and c not in elsewhere]
    # An axis of length 1 that another operand stretches carries no information.
    stretched = [axis for axis, c in enumerate(labels) if x.shape[axis] == 1 != lengths[c]]
    return _without(x, labels, lone, stretched)


def _without(x: Any, labels: str, summed: Sequence[int], dropped: Sequence[int] = ()) -> tuple[Any, str]:
    kept = [axis for axis in range(x.ndim) if axis not in summed and axis not in dropped]
    one = [axis for axis in summed if x.shape[axis] == 1]
    x = reshape(x, tuple(n for axis, n in enumerate(x.shape) if axis not in dropped and axis not in one))
    gone = sorted([*dropped, *one])
    rest = [axis - sum(g < axis for g in gone) for axis in summed if axis not in one]
    reduced = reduce_or(x, rest) if x.dtype == BOOL else reduce_sum(x, rest)
    return reduced if rest else x, "".join(labels[axis] for axis in kept)


def _pair(
    x: Any, x_labels: str, y: Any, y_labels: str, wanted: set[str], precision: Any, preferred: np.dtype | None
) -> tuple[Any, str]:
    """The contraction of two operands, keeping the labels that are wanted later."""
    x, x_labels = _without(x, x_labels, [i for i, c in enumerate(x_labels) if c not in wanted and c not in y_labels])
    y, y_labels = _without(y, y_labels, [i for i, c in enumerate(y_labels) if c not in wanted and c not in x_labels])
    if x.dtype != y.dtype and preferred is not None:  # an earlier step has given the preferred dtype to one of them
        x, y = convert(x, preferred), convert(y, preferred)
    shared = [c for c in x_labels if c in y_labels]
    batch, summed = [c for c in shared if c in wanted], [c for c in shared if c not in wanted]
    free = [c for c in x_labels if c not in shared], [c for c in y_labels if c not in shared]
    if not summed and preferred is None:
        labels = "".join([*batch, *free[0], *free[1]])
        return multiply(_aligned(x, x_labels, labels), _aligned(y, y_labels, labels)), labels
    contracting = tuple(map(x_labels.index, summed)), tuple(map(y_labels.index, summed))
    batching = tuple(map(x_labels.index, batch)), tuple(map(y_labels.index, batch))
    product = contract(x, y, contracting, batching, precision, preferred)
    return product, "".join([*batch, *free[0], *free[1]])


def _aligned(x: Any, labels: str, target: str) -> Any:
    """`x` with its axes in the order of `target`, and axes of length 1 for the labels that it lacks."""
    x = transpose(x, sorted(range(x.ndim), key=lambda axis: target.index(labels[axis])))
    return expand_dims(x, [place for place, c in enumerate(target) if c not in labels])
