"""Rules of custom functions: what they compute and their derivatives, as functions of flat operands.

They stay Python, and are run when an interpreter needs them, under the interpreter below. Mapping, masking and the
derivatives of functions that only have a rule for mapping make rules of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ..core.interned import Interned
from ..core.program import stage
from ..core.trace import run_under, state
from ..core.types import ArrayType, LinearInput, Zero, is_linear
from ..errors import CustomRuleError, MissingRuleError
from ..ops.structure import broadcast_in_dim, instantiate, move_axis, reduce_sum
from ..transforms.jvp import jvp_flat
from ..transforms.mask import MaskTrace
from ..transforms.partial_eval import PartialEvalTrace, Unknown
from ..transforms.transpose import backward
from ..transforms.vmap import batch_flat

__all__ = ["Axes", "BatchedRules", "JVPRules", "MaskedRules", "Rules", "around", "is_array", "linear_transposed"]
__all__ += ["placed"]

Axes = tuple[int | None, ...]


class Rules:
    """What a custom function computes and its derivatives, as functions of flat operands; hashable.

    Attributes:
        name: of the function, for messages.
        fun: the function and where it is, for messages.
        arity: how many operands it has.
        has_jvp, has_vjp, has_vmap: which rules the user gave.
        derives: whether the derivative is that of `call`, for want of a rule and of the intention to give one.
    """

    name: str
    fun: str
    arity: int
    has_jvp: bool
    has_vjp: bool
    has_vmap: bool
    derives: bool

    def call(self, *operands: Any) -> list[Any]:
        """The results, strong."""
        raise NotImplementedError

    def infer(self, types: Sequence[ArrayType]) -> tuple[ArrayType, ...]:
        """The result types, without a program."""
        return tuple(t.strong() for t in stage(self.call, types, self.name).out_types)

    def refuse(self, moving: Sequence[bool]) -> None:
        """Refuse derivatives by operands that the rules give none for."""
        raise NotImplementedError

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Results and tangents by the user's rule; tangents may be `Zero`, in and out."""
        raise NotImplementedError

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Any]:
        """Results, residuals, and what else `pull` needs, hashable."""
        raise NotImplementedError

    def pull(self, left: Any, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """For each operand a cotangent or `Zero`, None if it is not moving, with what `forward` left."""
        raise NotImplementedError

    def refused(self, error: MissingRuleError) -> NoReturn:
        """A tangent was asked for that cannot be derived from `pull`."""
        raise NotImplementedError

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """Cotangents (or `Zero`) of the `LinearInput`s among the inputs, None for the others."""
        return linear_transposed(self.call, cts, inputs, self.name)

    def vmapped(self, size: int, operands: Sequence[Any], axes: Axes) -> tuple[list[Any], list[int | None]]:
        """Results over a mapped axis by the user's rule, and where they carry it."""
        raise NotImplementedError


# -- what rules of rules have in common ------------------------------------------------------------------------------


def linear_transposed(
    function: Callable[..., Sequence[Any]], cts: Sequence[Any], inputs: Sequence[Any], name: str
) -> list[Any]:
    """Run a function that is linear in some inputs backwards, under the current trace."""
    trace = PartialEvalTrace(state.trace, name)
    values = [Unknown(trace, x.type) if is_linear(x) else x for x in inputs]
    unknown = [u for u, x in zip(values, inputs, strict=True) if is_linear(x)]
    try:
        outs = run_under(trace, function, *values)
    finally:
        trace.ended = True
    if any(op.effectful for op, *_ in trace.tape):
        raise CustomRuleError(
            f"{name} is being transposed, and a side effect in it or in its rule depends on what it is linear in, of "
            f"which there are no values then, so it would not happen.\nLet it depend on other values only."
        )
    found = iter(backward(trace.tape, unknown, outs, cts))
    return [next(found) if is_linear(x) else None for x in inputs]


def is_array(value: Any) -> bool:
    """Whether a value is one, not something that stands for none: `Zero`, `LinearInput`, None."""
    return value is not None and type(value) is not Zero and type(value) is not LinearInput


def around(
    run: Callable[[Callable[..., list[Any]], list[Any]], Sequence[Any]],
    function: Callable[..., Sequence[Any]],
    values: Sequence[Any],
    passing: Sequence[bool],
) -> list[Any]:
    """Results of a function, of which `run` only sees the arrays; all else in arguments and results goes around it.

    Args:
        run: runs a flat function of arrays.
        function: takes and returns arrays and what stands for none.
        values: what it is given.
        passing: which of them go through `run`.
    """
    others: list[Any] = []

    def of_arrays(*arrays: Any) -> list[Any]:
        found = iter(arrays)
        outs = function(*[next(found) if p else x for p, x in zip(passing, values, strict=True)])
        others[:] = [state if is_array(out) else out for out in outs]
        return [out for out in outs if is_array(out)]

    results = iter(run(of_arrays, [x for p, x in zip(passing, values, strict=True) if p]))
    return [next(results) if other is state else other for other in others]


def placed(x: Any, axis: int | None, wanted: int, size: int) -> Any:
    """A value or `Zero` with its mapped axis at `wanted`."""
    if axis is not None:
        return move_axis(x, axis, wanted)
    shape = (*x.type.shape[:wanted], size, *x.type.shape[wanted:])
    if type(x) is Zero:
        return Zero(x.type.update(shape=shape))
    return broadcast_in_dim(x, shape, [i for i in range(len(shape)) if i != wanted])


def _one_example(x: Any, axis: int | None) -> Any:
    """A `Zero` or `LinearInput` without its mapped axis."""
    if x is None or axis is None:
        return x
    return type(x)(x.type.update(shape=x.type.shape[:axis] + x.type.shape[axis + 1 :]))


class _Derived(Interned, Rules):
    """Rules made of other rules; what is not said here is as there."""

    remembered = False
    has_vmap = False

    rules: Rules

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["rules"], name)

    def refuse(self, moving: Sequence[bool]) -> None:
        self.rules.refuse(moving)

    def refused(self, error: MissingRuleError) -> NoReturn:
        self.rules.refused(error)


class BatchedRules(_Derived):
    """Rules over a mapped axis, which every result carries as its axis 0."""

    size: int
    axes: Axes
    axis_name: Any

    def _mapped(
        self, function: Callable[..., Sequence[Any]], values: Sequence[Any], axes: Sequence[int | None]
    ) -> list[tuple[Any, int | None]]:
        """Results of a function of arrays and what stands for none, and where they carry the axis."""
        passing = [is_array(x) for x in values]
        places: list[int | None] = []

        def run(flat: Callable[..., list[Any]], arrays: list[Any]) -> list[Any]:
            given = [axis for axis, p in zip(axes, passing, strict=True) if p]
            results, places[:] = batch_flat(flat, arrays, given, self.size, f"vmap of {self.name}", self.axis_name)
            return results

        inside = [x if p else _one_example(x, axis) for x, p, axis in zip(values, passing, axes, strict=True)]
        results = around(run, function, inside, passing)
        found = iter(places)
        return [(x, next(found) if is_array(x) else None) for x in results]

    def _in_front(self, results: Sequence[tuple[Any, int | None]]) -> list[Any]:
        return [placed(x, axis, 0, self.size) for x, axis in results]

    def _cotangents(self, results: Sequence[tuple[Any, int | None]]) -> list[Any]:
        """Cotangents placed as the operands are; an operand that is not mapped has one from all examples."""
        return [self._cotangent(*result, axis) for result, axis in zip(results, self.axes, strict=True)]

    def _cotangent(self, ct: Any, found: int | None, axis: int | None) -> Any:
        if ct is None:
            return None
        if axis is not None:
            return placed(ct, found, axis, self.size)
        if type(ct) is Zero:
            return ct
        return ct * self.size if found is None else reduce_sum(ct, (found,))

    def call(self, *operands: Any) -> list[Any]:
        if self.rules.has_vmap:
            outs, axes = self.rules.vmapped(self.size, operands, self.axes)
            return self._in_front(list(zip(outs, axes, strict=True)))
        return self._in_front(self._mapped(self.rules.call, operands, self.axes))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        count = len(primals)

        def outs_and_tangents(*args: Any) -> list[Any]:
            outs, out_tangents = self.rules.jvp(args[:count], args[count:])
            return [*outs, *out_tangents]

        results = self._in_front(self._mapped(outs_and_tangents, [*primals, *tangents], self.axes * 2))
        half = len(results) // 2
        return results[:half], results[half:]

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Any]:
        count, left = 0, None

        def forward(*args: Any) -> list[Any]:
            nonlocal count, left
            outs, residuals, left = self.rules.forward(args, moving)
            count = len(outs)
            return [*outs, *residuals]

        results = self._mapped(forward, primals, self.axes)
        residuals = results[count:]
        return self._in_front(results[:count]), [x for x, _ in residuals], (left, tuple([a for _, a in residuals]))

    def pull(self, left: Any, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        inner, axes = left
        count = len(residuals)

        def cotangents(*args: Any) -> list[Any]:
            return self.rules.pull(inner, args[:count], args[count:])

        return self._cotangents(self._mapped(cotangents, [*residuals, *cts], [*axes, *[0] * len(cts)]))

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        count = len(inputs)

        def cotangents(*args: Any) -> list[Any]:
            return self.rules.transposed(args[count:], args[:count])

        return self._cotangents(self._mapped(cotangents, [*inputs, *cts], [*self.axes, *[0] * len(cts)]))


class MaskedRules(_Derived):
    """Rules whose effects happen only where a mask, the first operand, is true."""

    @property
    def arity(self) -> int:  # type: ignore[override]
        return 1 + self.rules.arity

    def _under(self, mask: Any, function: Callable[..., Any], *args: Any) -> Any:
        trace = MaskTrace(state.trace, f"masking of {self.name}", mask)
        try:
            return run_under(trace, function, *args)
        finally:
            trace.ended = True

    def refuse(self, moving: Sequence[bool]) -> None:
        self.rules.refuse(moving[1:])

    def call(self, mask: Any, *operands: Any) -> list[Any]:
        return self._under(mask, self.rules.call, *operands)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        return self._under(primals[0], self.rules.jvp, primals[1:], tangents[1:])

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Any]:
        outs, residuals, left = self._under(primals[0], self.rules.forward, primals[1:], moving[1:])
        return outs, [primals[0], *residuals], left

    def pull(self, left: Any, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        return [None, *self._under(residuals[0], self.rules.pull, left, residuals[1:], cts)]

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        return [None, *self._under(inputs[0], self.rules.transposed, cts, inputs[1:])]


class JVPRules(_Derived):
    """The derivative of a function that has a rule for mapping only: mapped by the derivative of that rule.

    Operands are those of the function, then the moving tangents; results are its results, then tangents of those that
    are differentiable.
    """

    moving: tuple[bool, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"jvp_{self.rules.name}"

    @property
    def arity(self) -> int:  # type: ignore[override]
        return self.rules.arity + sum(self.moving)

    @property
    def has_vmap(self) -> bool:  # type: ignore[override]
        return self.rules.has_vmap

    def refuse(self, moving: Sequence[bool]) -> None:
        self.rules.refuse(moving[: self.rules.arity])

    def _differentiated(self, function: Callable[..., Sequence[Any]], operands: Sequence[Any]) -> list[Any]:
        count = self.rules.arity
        given = iter(operands[count:])
        tangents = [next(given) if m else Zero(x.type) for m, x in zip(self.moving, operands[:count], strict=True)]
        outs, found = jvp_flat(function, operands[:count], tangents, f"jvp of {self.rules.name}")
        return [*outs, *(instantiate(dy) for y, dy in zip(outs, found, strict=True) if y.type.differentiable)]

    def call(self, *operands: Any) -> list[Any]:
        return self._differentiated(self.rules.call, operands)

    def vmapped(self, size: int, operands: Sequence[Any], axes: Axes) -> tuple[list[Any], list[int | None]]:
        count = self.rules.arity
        values = list(operands)
        at = list(axes)
        place = count
        for i, moving in enumerate(self.moving):  # a primal and its tangent are mapped together
            if moving:
                if at[i] is not None or at[place] is not None:
                    for j in (i, place):
                        values[j], at[j] = placed(values[j], at[j], 0, size), 0
                place += 1
        out_axes: list[int | None] = []

        def vmapped(*primals: Any) -> list[Any]:
            outs, out_axes[:] = self.rules.vmapped(size, primals, tuple(at[:count]))
            return outs

        results = self._differentiated(vmapped, values)
        floating = [a for a, y in zip(out_axes, results, strict=False) if y.type.differentiable]
        return results, [*out_axes, *floating]
