"""The operations behind custom rules: the call, its forward pass, and its pull-back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.lower import inline
from ..core.primitive import Primitive, not_linear
from ..core.program import Program, Var, run_program
from ..core.trace import bottom, named_axes, run_under, staging
from ..core.types import ArrayType, LinearInput, Zero, is_linear
from ..errors import CustomRuleError, MissingRuleError
from ..ops.elementwise import add
from ..ops.structure import instantiate, zeros_of
from ..transforms.arguments import strong
from ..transforms.jvp import jvp_flat
from ..transforms.mask import mask_program
from ..transforms.partial_eval import PartialEvalTrace, Unknown
from ..transforms.vmap import batch_program
from .custom_rules import (
    Axes,
    Backward,
    BatchedBackward,
    BatchedRules,
    JVPRules,
    MaskedRules,
    Rules,
    linear_transposed,
    nonzero,
    placed,
    with_zeros,
)
from .staged_rules import run_rule, stage_rule

__all__ = ["CustomCall", "Forward", "PullBack"]


# -- rules run while a program is transformed ------------------------------------------------------------------------


def _jvp_by_rule(rules: Rules, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    count = len(primals)
    given: list[Any] = []
    moving = nonzero(tangents, given)
    kinds: list[Any] = []

    def outs_and_tangents(*args: Any) -> list[Any]:
        outs, out_tangents = rules.jvp(args[:count], with_zeros(args[count:], given))
        return [*outs, *nonzero(out_tangents, kinds)]

    results = run_rule(outs_and_tangents, [*primals, *moving], f"jvp_{rules.name}")
    return list(results[: len(kinds)]), with_zeros(results[len(kinds) :], kinds)


def _transposed_by_rule(rules: Rules, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
    known = [x for x in inputs if not is_linear(x)]
    count = len(known)
    kinds: list[Any] = []

    def cotangents(*args: Any) -> list[Any]:
        given = iter(args[:count])
        found = rules.transposed(args[count:], [x if is_linear(x) else next(given) for x in inputs])
        return nonzero(found, kinds)

    results = run_rule(cotangents, [*known, *cts], f"transpose_{rules.name}")
    return with_zeros(results, kinds)


def record_privately(op: Primitive, trace: PartialEvalTrace, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put an operation on the tape that no cache may keep alive, since it may hold a user's arrays."""
    outs = tuple([Unknown(trace, t) for t in op.infer(*[arg.type for arg in args])])
    trace.tape.append((op, args, outs, None))
    return outs


# -- operations ------------------------------------------------------------------------------------------------------


class CustomCall(Primitive):
    """Calls a function with custom rules: operands are the program's constants, closed-over values, arguments.

    Attributes:
        program: the function, staged; None if it was called where nothing is staged.
    """

    multiple = True
    takes_zeros = True
    plain = False
    remembered = False
    runs_itself = True

    rules: Rules
    program: Program | None = None

    @property
    def axis_names(self) -> frozenset[Any]:
        return frozenset() if self.program is None else self.program.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset() if self.program is None else self.program.effects

    @property
    def payload(self) -> int:  # type: ignore[override]
        return 0 if self.program is None else self.program.payload

    def _extra(self, operands: Sequence[Any]) -> int:
        """How many leading operands are constants of the program, which the rules do not see."""
        return len(operands) - self.rules.arity

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        if self.program is None:
            return self.rules.infer(types)
        return tuple(t.strong() for t in self.program.out_types)

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.program is None:
            return tuple(run_under(bottom(), self.rules.call, *arrays))
        return tuple(strong(out) for out in run_under(bottom(), run_program, self.program, arrays))

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(result.host() for result in self.run(tuple(Array(x) for x in operands)))

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        program = self.program
        if program is None:
            program, _ = stage_rule(self.rules.call, build.in_types, self.rules.name)
        return tuple(inline(build, program, operands))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        rules, extra = self.rules, self._extra(primals)
        moving = tuple(type(t) is not Zero for t in tangents)
        if any(moving[:extra]):
            raise CustomRuleError(
                f"{rules.name}: a value that the function uses without being given it is being differentiated, "
                f"but its rules give no derivative for it.\nPass it to the function as an argument."
            )
        rules.refuse(moving[extra:])
        if rules.derives:
            return self._derived_jvp(primals, tangents)
        unknown = any(type(t) is Unknown for t in tangents) or staging()
        if rules.has_vjp and (unknown or not rules.has_jvp):
            return self._jvp_by_vjp(primals, tangents, moving[extra:])
        outs, out_tangents = _jvp_by_rule(rules, primals[extra:], tangents[extra:])
        return tuple(outs), tuple(out_tangents)

    def _derived_jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        extra = self._extra(primals)
        moving = tuple(type(t) is not Zero for t in tangents[extra:])
        rules = JVPRules(self.rules, moving)
        operands = [*primals[extra:], *(t for t in tangents if type(t) is not Zero)]
        program, constants = None, []
        if staging():
            program, constants = stage_rule(rules.call, [x.type for x in operands], rules.name)
        results = CustomCall(rules, program)(*constants, *operands)
        types = self.infer(*[x.type for x in primals])
        outs, found = results[: len(types)], iter(results[len(types) :])
        return outs, tuple(next(found) if t.differentiable else Zero(t) for t in types)

    def _jvp_by_vjp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...], moving: tuple[bool, ...]) -> Any:
        rules, extra = self.rules, self._extra(primals)
        found: list[Any] = []

        def forward(*operands: Any) -> list[Any]:
            outs, residuals, back = rules.forward(operands[extra:], moving)
            found[:] = [len(outs), back]
            return [*outs, *residuals]

        if staging():
            program, constants = stage_rule(forward, [x.type for x in primals], f"fwd_{rules.name}")
            results = Forward(program, self, len(constants), found[0])(*constants, *primals)
        else:
            results = forward(*primals)
        count, back = found
        outs, residuals = results[:count], results[count:]
        types = tuple(out.type.strong() for out in outs)
        push = rules if rules.has_jvp else None
        operands = [*residuals, *(primals[extra:] if push else ()), *(t for t in tangents if type(t) is not Zero)]
        pulled = iter(PullBack(back, len(residuals), moving, types, push, frozenset(named_axes()))(*operands))
        return tuple(outs), tuple(next(pulled) if t.differentiable else Zero(t) for t in types)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.rules.derives:
            return record_privately(self, trace, args)
        if self.program is not None:
            return tuple(run_under(trace, run_program, self.program, args))
        return tuple(run_under(trace, self.rules.call, *args))

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        extra = self._extra(inputs)
        if self.program is not None and any(map(is_linear, inputs[:extra])):
            program = self.program
            return tuple(linear_transposed(lambda *x: run_program(program, x), cts, inputs, self.rules.name))
        return (*(None for _ in range(extra)), *_transposed_by_rule(self.rules, cts, inputs[extra:]))

    def batch(self, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        rules, extra = self.rules, self._extra(operands)
        if not (rules.has_vmap and rules.derives):
            outs = self.batched(size, axes, name)(*operands)
            return outs, (0,) * len(outs)
        out_axes: list[int | None] = []

        def vmapped(*values: Any) -> list[Any]:
            outs, out_axes[:] = rules.vmapped(size, values, axes[extra:])
            return outs

        outs = run_rule(vmapped, operands[extra:], f"vmap_{rules.name}")
        return tuple(outs), tuple(out_axes)

    def batched(self, size: int, axes: Axes, name: Any) -> CustomCall:
        """This call over a mapped axis; every result carries it as axis 0, since a rule may make it so."""
        extra = self._extra(axes)
        rules = BatchedRules(self.rules, size, axes[extra:], name)
        if self.program is None:
            return CustomCall(rules)
        if not self.rules.has_vmap:
            wanted = (True,) * len(self.program.outputs)
            return CustomCall(rules, batch_program(self.program, size, axes, name, wanted)[0])
        types = [
            t if axis is None else t.update(shape=(*t.shape[:axis], size, *t.shape[axis:]))
            for t, axis in zip(self.program.in_types, axes, strict=True)
        ]
        program, _ = stage_rule(rules.call, types[extra:], f"vmap_{self.rules.name}", embed=True)
        unused = [Var(t) for t in types[:extra]]
        return CustomCall(
            rules, Program([*unused, *program.inputs], (), program.equations, program.outputs, program.name)
        )

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self.program is not None  # without a program it has no effects
        extra = self._extra(operands)
        program = mask_program(self.program)
        inputs = [*program.inputs[1 : 1 + extra], program.inputs[0], *program.inputs[1 + extra :]]
        program = Program(inputs, (), program.equations, program.outputs, program.name)
        call = CustomCall(MaskedRules(self.rules), program)
        return call(*operands[:extra], mask, *operands[extra:])


class Forward(Primitive):
    """The forward pass of a rule: results, then residuals. Where nobody uses the residuals, the function itself runs.

    Attributes:
        program: of the program's constants and the operands of `instead`.
        instead: the call that this stands for.
        constants: how many operands only `program` takes.
        outs: how many results only `instead` gives.
    """

    multiple = True
    takes_zeros = True
    plain = False
    remembered = False
    runs_itself = True

    program: Program
    instead: CustomCall
    constants: int
    outs: int

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.program.axis_names | self.instead.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return self.program.effects

    @property
    def payload(self) -> int:  # type: ignore[override]
        return self.program.payload

    def without(self, unused: tuple[bool, ...]) -> tuple[Primitive, tuple[int, ...], tuple[int, ...]] | None:
        if not all(unused[self.outs :]):
            return None
        return self.instead, tuple(range(self.constants, len(self.program.inputs))), tuple(range(self.outs))

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in self.program.out_types)

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(strong(out) for out in run_under(bottom(), run_program, self.program, arrays))

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(result.host() for result in self.run(tuple(Array(x) for x in operands)))

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return tuple(inline(build, self.program, operands))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        outs, out_tangents = jvp_flat(
            lambda *inputs: run_program(self.program, inputs), primals, tangents, f"jvp of {self.program.name}"
        )
        return tuple(outs), tuple(out_tangents)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(run_under(trace, run_program, self.program, args))

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        wanted = (True,) * len(self.program.outputs)
        program, _ = batch_program(self.program, size, axes, name, wanted)
        instead = self.instead.batched(size, axes[self.constants :], name)
        outs = Forward(program, instead, self.constants, self.outs)(*operands)
        return outs, (0,) * len(outs)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(run_program(mask_program(self.program), [mask, *operands]))


class PullBack(Primitive):
    """The tangents of a function whose rule pulls cotangents back: linear, with that rule as its transpose.

    Operands are the residuals, the arguments if there is a rule for tangents too, then the moving tangents. Without
    such a rule a tangent is computed by transposing the pull-back.
    """

    multiple = True
    takes_zeros = True
    plain = False
    remembered = False
    runs_itself = True

    back: Backward
    residuals: int
    moving: tuple[bool, ...]
    types: tuple[ArrayType, ...]
    push: Rules | None
    enclosing: frozenset[Any]

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.enclosing  # the rule may communicate over any of them

    @property
    def _known(self) -> int:
        return self.residuals + (len(self.moving) if self.push is not None else 0)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t for t in self.types if t.differentiable)

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(run_under(bottom(), self.tangents, *arrays))

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(result.host() for result in self.run(tuple(Array(x) for x in operands)))

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        program, _ = stage_rule(self.tangents, build.in_types, f"jvp_{self.back.name}", embed=True)
        return tuple(inline(build, program, operands))

    def tangents(self, *operands: Any) -> list[Any]:
        """The tangents of the differentiable results."""
        known, given = operands[: self._known], operands[self._known :]
        if self.push is not None:
            found = iter(given)
            primals = known[self.residuals :]
            moving = [next(found) if m else Zero(x.type) for m, x in zip(self.moving, primals, strict=True)]
            _, outs = self.push.jvp(primals, moving)
            return [instantiate(dy) for dy, t in zip(outs, self.types, strict=True) if t.differentiable]
        linear = [LinearInput(t) for t in self.types if t.differentiable]
        try:
            pulled = linear_transposed(lambda *cts: self._pull(known, cts), given, linear, self.back.name)
        except MissingRuleError as error:
            self.back.refused(error)
        return [instantiate(dy) for dy in pulled]

    def _pull(self, known: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """Cotangents of the moving operands for those of the differentiable results."""
        given = iter(cts)
        everything = [next(given) if t.differentiable else zeros_of(t) for t in self.types]
        found = self.back.pull(known[: self.residuals], everything)
        return [instantiate(ct) for ct, m in zip(found, self.moving, strict=True) if m]

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        outs = self(*primals)
        count = self._known
        found: list[Any] = [Zero(out.type) for out in outs]
        if any(type(t) is not Zero for t in tangents[count:]):
            found = list(self(*primals[:count], *[instantiate(t) for t in tangents[count:]]))
        if any(type(t) is not Zero for t in tangents[:count]):
            still = [Zero(t.type) for t in tangents[count:]]
            _, by_known = self._derivative(primals, [*tangents[:count], *still])
            pairs = zip(found, by_known, strict=True)
            found = [b if type(a) is Zero else a if type(b) is Zero else add(a, b) for a, b in pairs]
        return outs, tuple(found)

    def _derivative(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        given: list[Any] = []
        moving = nonzero(tangents, given)
        kinds: list[Any] = []

        def differentiated(*args: Any) -> list[Any]:
            directions = with_zeros(args[len(primals) :], given)
            purpose = f"jvp of {self.back.name}"
            outs, found = jvp_flat(self.tangents, args[: len(primals)], directions, purpose)
            return [*outs, *nonzero(found, kinds)]

        results = run_rule(differentiated, [*primals, *moving], f"jvp_{self.back.name}")
        return list(results[: len(kinds)]), with_zeros(results[len(kinds) :], kinds)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return record_privately(self, trace, args)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        known = inputs[: self.residuals]
        if any(map(is_linear, inputs[: self._known])):
            not_linear(self, cts, *inputs)
        kinds: list[Any] = []

        def cotangents(*args: Any) -> list[Any]:
            given = iter(args[self.residuals :])
            everything = [next(given) if t.differentiable else zeros_of(t) for t in self.types]
            found = self.back.pull(args[: self.residuals], everything)
            return nonzero([ct for ct, m in zip(found, self.moving, strict=True) if m], kinds)

        results = run_rule(cotangents, [*known, *cts], f"bwd_{self.back.name}")
        return (*(None for _ in range(self._known)), *with_zeros(results, kinds))

    def batch(self, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        count, known = self.residuals, self._known
        moved = [placed(x, axis, 0, size) for x, axis in zip(operands[known:], axes[known:], strict=True)]
        back = BatchedBackward(self.back, size, name, axes[:count], tuple(0 if m else None for m in self.moving))
        push = None
        given: list[Any] = list(operands[:known])
        if self.push is not None:
            pairs = zip(operands[count:known], axes[count:known], self.moving, strict=True)
            given[count:] = [placed(x, axis, 0, size) if m else x for x, axis, m in pairs]
            push_axes = tuple(0 if m else a for a, m in zip(axes[count:known], self.moving, strict=True))
            push = BatchedRules(self.push, size, push_axes, name)
        types = tuple(t.update(shape=(size, *t.shape)) for t in self.types)
        outs = PullBack(back, count, self.moving, types, push, self.enclosing - {name})(*given, *moved)
        return outs, (0,) * len(outs)
