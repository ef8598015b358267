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

__all__ = ["Axes", "Backward", "BatchedBackward", "BatchedRules", "JVPRules", "MaskedRules", "Rules"]
__all__ += ["linear_transposed", "nonzero", "placed", "with_zeros"]

Axes = tuple[int | None, ...]


class Rules:
    """What a custom function computes and its derivatives, as functions of flat operands; hashable.

    Attributes:
        name: of the function, for messages.
        arity: how many operands it has.
        has_jvp, has_vjp, has_vmap: which rules the user gave.
        derives: whether the derivative is that of `call`, for want of a rule and of the intention to give one.
    """

    name: str
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

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Results and tangents by the user's rule; tangents may be `Zero`, in and out."""
        raise NotImplementedError

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Backward]:
        """Results, residuals, and what pulls cotangents back with them."""
        raise NotImplementedError

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """Cotangents (or `Zero`) of the `LinearInput`s among the inputs, None for the others."""
        return linear_transposed(self.call, cts, inputs, self.name)

    def vmapped(self, size: int, operands: Sequence[Any], axes: Axes) -> tuple[list[Any], list[int | None]]:
        """Results over a mapped axis by the user's rule, and where they carry it."""
        raise NotImplementedError


class Backward:
    """Pulls cotangents back; hashable."""

    name: str

    def pull(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """For each operand a cotangent or `Zero`; None where the operand is not moving."""
        raise NotImplementedError

    def refused(self, error: MissingRuleError) -> NoReturn:
        """The tangent was asked for, and cannot be derived."""
        raise error


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


def nonzero(values: Sequence[Any], kinds: list[Any]) -> list[Any]:
    """The values that are neither None nor `Zero`; `kinds` becomes what is left out."""
    kinds[:] = [x if x is None or type(x) is Zero else state for x in values]
    return [x for x, kind in zip(values, kinds, strict=True) if kind is state]


def with_zeros(values: Sequence[Any], kinds: Sequence[Any]) -> list[Any]:
    found = iter(values)
    return [next(found) if kind is state else kind for kind in kinds]


def placed(x: Any, axis: int | None, wanted: int, size: int) -> Any:
    """A value with its mapped axis at `wanted`."""
    if axis is not None:
        return move_axis(x, axis, wanted)
    shape = (*x.shape[:wanted], size, *x.shape[wanted:])
    return broadcast_in_dim(x, shape, [i for i in range(len(shape)) if i != wanted])


def _pulled_over_axis(ct: Any, found: int | None, axis: int | None, size: int) -> Any:
    """The cotangent of an operand that carries the mapped axis at `axis`, or, unmapped, has it from all examples."""
    if axis is not None:
        return placed(ct, found, axis, size)
    return ct * size if found is None else reduce_sum(ct, (found,))


class _Wrapped(Interned):
    """Rules made of other rules."""

    remembered = False

    rules: Rules

    @property
    def name(self) -> str:
        return self.rules.name

    @property
    def arity(self) -> int:
        return self.rules.arity

    @property
    def has_jvp(self) -> bool:
        return self.rules.has_jvp

    @property
    def has_vjp(self) -> bool:
        return self.rules.has_vjp

    @property
    def has_vmap(self) -> bool:
        return False

    @property
    def derives(self) -> bool:
        return self.rules.derives

    def refuse(self, moving: Sequence[bool]) -> None:
        self.rules.refuse(moving)

    def infer(self, types: Sequence[ArrayType]) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in stage(self.call, types, self.name).out_types)  # type: ignore[attr-defined]

    def vmapped(self, size: int, operands: Sequence[Any], axes: Axes) -> NoReturn:
        raise AssertionError("only the user's own rules map")


class BatchedRules(_Wrapped):
    """Rules over a mapped axis, which every result carries as its axis 0."""

    size: int
    axes: Axes
    axis_name: Any

    def _mapped(self, function: Callable[..., Sequence[Any]], values: Sequence[Any], axes: Sequence[int | None]) -> Any:
        return batch_flat(function, values, axes, self.size, f"vmap of {self.name}", self.axis_name)

    def call(self, *operands: Any) -> list[Any]:
        if self.rules.has_vmap:
            outs, axes = self.rules.vmapped(self.size, operands, self.axes)
        else:
            outs, axes = self._mapped(self.rules.call, operands, self.axes)
        return [placed(out, axis, 0, self.size) for out, axis in zip(outs, axes, strict=True)]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        count = len(primals)
        given: list[Any] = []
        moving = nonzero(tangents, given)
        moving_axes = [a for a, kind in zip(self.axes, given, strict=True) if kind is state]
        kinds: list[Any] = []

        def outs_and_tangents(*args: Any) -> list[Any]:
            zeros = [k if k is state else Zero(x.type) for k, x in zip(given, args[:count], strict=True)]
            outs, out_tangents = self.rules.jvp(args[:count], with_zeros(args[count:], zeros))
            return [*outs, *nonzero(out_tangents, kinds)]

        results, axes = self._mapped(outs_and_tangents, [*primals, *moving], [*self.axes, *moving_axes])
        results = [placed(x, axis, 0, self.size) for x, axis in zip(results, axes, strict=True)]
        outs = results[: len(kinds)]
        kinds = [k if k is state else Zero(out.type) for k, out in zip(kinds, outs, strict=True)]
        return outs, with_zeros(results[len(kinds) :], kinds)

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Backward]:
        found: list[Any] = []

        def forward(*args: Any) -> list[Any]:
            outs, residuals, back = self.rules.forward(args, moving)
            found[:] = [len(outs), back]
            return [*outs, *residuals]

        results, axes = self._mapped(forward, primals, self.axes)
        count, back = found
        outs = [placed(x, axis, 0, self.size) for x, axis in zip(results[:count], axes[:count], strict=True)]
        in_axes = tuple(self.axes)
        return outs, results[count:], BatchedBackward(back, self.size, self.axis_name, tuple(axes[count:]), in_axes)

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        known = [x for x in inputs if not is_linear(x)]
        known_axes = [a for a, x in zip(self.axes, inputs, strict=True) if not is_linear(x)]
        linear = [_one_example(x.type, a) if is_linear(x) else None for x, a in zip(inputs, self.axes, strict=True)]
        kinds: list[Any] = []

        def cotangents(*args: Any) -> list[Any]:
            given = iter(args[: len(known)])
            operands = [next(given) if t is None else LinearInput(t) for t in linear]
            return nonzero(self.rules.transposed(args[len(known) :], operands), kinds)

        results, axes = self._mapped(cotangents, [*known, *cts], [*known_axes, *[0] * len(cts)])
        pulled_axes = [a for a, kind in zip(self.axes, kinds, strict=True) if kind is state]
        pulled = [_pulled_over_axis(*row, self.size) for row in zip(results, axes, pulled_axes, strict=True)]
        whole = [Zero(x.type) if type(k) is Zero else k for k, x in zip(kinds, inputs, strict=True)]
        return with_zeros(pulled, whole)


def _one_example(type: ArrayType, axis: int | None) -> ArrayType:
    return type if axis is None else type.update(shape=type.shape[:axis] + type.shape[axis + 1 :])


class MaskedRules(_Wrapped):
    """Rules whose effects happen only where a mask, the first operand, is true."""

    @property
    def arity(self) -> int:
        return 1 + self.rules.arity

    def _under(self, mask: Any, function: Callable[..., Any], *args: Any) -> Any:
        return _under_mask(mask, self.name, function, *args)

    def refuse(self, moving: Sequence[bool]) -> None:
        self.rules.refuse(moving[1:])

    def call(self, mask: Any, *operands: Any) -> list[Any]:
        return self._under(mask, self.rules.call, *operands)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        return self._under(primals[0], self.rules.jvp, primals[1:], tangents[1:])

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Backward]:
        outs, residuals, back = self._under(primals[0], self.rules.forward, primals[1:], moving[1:])
        return outs, [primals[0], *residuals], MaskedBackward(back)

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        return [None, *self._under(inputs[0], self.rules.transposed, cts, inputs[1:])]


def _under_mask(mask: Any, name: str, function: Callable[..., Any], *args: Any) -> Any:
    trace = MaskTrace(state.trace, f"masking of {name}", mask)
    try:
        return run_under(trace, function, *args)
    finally:
        trace.ended = True


class JVPRules(_Wrapped):
    """The derivative of a function that has a rule for mapping only: mapped by the derivative of that rule.

    Operands are those of the function, then the moving tangents; results are its results, then tangents of those that
    are differentiable.
    """

    moving: tuple[bool, ...]

    @property
    def name(self) -> str:
        return f"jvp_{self.rules.name}"

    @property
    def arity(self) -> int:
        return self.rules.arity + sum(self.moving)

    @property
    def has_vmap(self) -> bool:
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

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        return linear_transposed(self.call, cts, inputs, self.name)

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


class BatchedBackward(Interned):
    """Pulls cotangents back over a mapped axis; what an unmapped operand has from all examples is summed."""

    remembered = False

    back: Backward
    size: int
    axis_name: Any
    residual_axes: Axes
    in_axes: Axes

    @property
    def name(self) -> str:
        return self.back.name

    def refused(self, error: MissingRuleError) -> NoReturn:
        self.back.refused(error)

    def pull(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        kinds: list[Any] = []
        count = len(residuals)

        def cotangents(*args: Any) -> list[Any]:
            return nonzero(self.back.pull(args[:count], args[count:]), kinds)

        axes = [*self.residual_axes, *[0] * len(cts)]
        purpose = f"vmap of {self.name}"
        results, found = batch_flat(cotangents, [*residuals, *cts], axes, self.size, purpose, self.axis_name)
        wanted = [a for a, kind in zip(self.in_axes, kinds, strict=True) if kind is state]
        pulled = [_pulled_over_axis(*row, self.size) for row in zip(results, found, wanted, strict=True)]
        pairs = zip(kinds, self.in_axes, strict=True)
        return with_zeros(pulled, [self._zero(k.type, a) if type(k) is Zero else k for k, a in pairs])

    def _zero(self, type: ArrayType, axis: int | None) -> Zero:
        return Zero(type if axis is None else type.update(shape=(*type.shape[:axis], self.size, *type.shape[axis:])))


class MaskedBackward(Interned):
    """Pulls cotangents back with effects only where a mask, the first residual, is true."""

    remembered = False

    back: Backward

    @property
    def name(self) -> str:
        return self.back.name

    def refused(self, error: MissingRuleError) -> NoReturn:
        self.back.refused(error)

    def pull(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        return [None, *_under_mask(residuals[0], self.name, self.back.pull, residuals[1:], cts)]
