"""The operations behind custom rules: the call, its forward pass, and its pull-back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..compiler.lower import inline
from ..core.primitive import Primitive, not_linear
from ..core.program import Atom, Program, Var, run_program
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
from .custom_rules import Axes, BatchedRules, JVPRules, MaskedRules, Rules, linear_transposed, placed
from .inside import applied
from .staged_rules import run_rule, stage_rule
from .traced import mismatch

__all__ = ["CustomCall", "Forward", "PullBack"]


class _RuleOperation(Primitive):
    """An operation that runs rules, or a program in their place."""

    multiple = True
    takes_zeros = True
    plain = False
    remembered = False
    runs_itself = True

    @property
    def _inside(self) -> Program | None:
        """The program that it runs, if it has one."""
        return getattr(self, "program", None)

    @property
    def axis_names(self) -> frozenset[Any]:
        return frozenset() if self._inside is None else self._inside.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset() if self._inside is None else self._inside.effects

    @property
    def payload(self) -> int:  # type: ignore[override]
        return 0 if self._inside is None else self._inside.payload

    def compute(self, *operands: Any) -> Sequence[Any]:
        """The results, by operations."""
        raise NotImplementedError

    def run(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple([strong(out) for out in run_under(bottom(), self.compute, *arrays)])

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple([result.host() for result in self.run(tuple([Array(x) for x in operands]))])

    def batch(self, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        raise NotImplementedError

    def _on_tape(self, trace: PartialEvalTrace, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put this on the tape as no cache may keep it alive, since it may hold a user's arrays."""
        outs = tuple([Unknown(trace, t) for t in self.infer(*[arg.type for arg in args])])
        trace.tape.append((self, args, outs, None))
        return outs


class CustomCall(_RuleOperation):
    """Calls a function with custom rules: operands are the program's constants, closed-over values, arguments.

    Attributes:
        program: the function, staged; None if it was called where nothing is staged.
    """

    rules: Rules
    program: Program | None = None

    def _extra(self, operands: Sequence[Any]) -> int:
        """How many leading operands are constants of the program, which the rules do not see."""
        return len(operands) - self.rules.arity

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        return None if self.program is None else applied(self.program, inputs)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        if self.program is None:
            return self.rules.infer(types)
        return tuple(t.strong() for t in self.program.out_types)

    def compute(self, *operands: Any) -> Sequence[Any]:
        return self.rules.call(*operands) if self.program is None else run_program(self.program, operands)

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
        count = rules.arity

        def outs_and_tangents(*args: Any) -> list[Any]:
            outs, out_tangents = rules.jvp(args[:count], args[count:])
            self._check(outs, "jvp rule")
            return [*outs, *out_tangents]

        results = run_rule(outs_and_tangents, [*primals[extra:], *tangents[extra:]], f"jvp_{rules.name}")
        half = len(results) // 2
        return tuple(results[:half]), tuple(results[half:])

    def _check(self, outs: Sequence[Any], rule: str) -> None:
        """Refuse results of a rule that are unlike the function's, where these are known."""
        if self.program is None:
            return
        types = [t.strong() for t in self.program.out_types], [out.type for out in outs]
        trees = tuple([tree.structure([0] * len(found)) for found in types])
        shown = mismatch(("function", rule), trees, types)  # type: ignore[arg-type]
        if shown:
            raise CustomRuleError(
                f"the {rule} of {self.rules.fun} returns results unlike those of the function itself:\n{shown}\n"
                f"What a rule returns as `out` has the structure, shapes and dtypes of the function's result."
            )

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
        count, left = 0, None

        def forward(*operands: Any) -> list[Any]:
            nonlocal count, left
            outs, residuals, left = rules.forward(operands[extra:], moving)
            self._check(outs, "fwd rule")
            count = len(outs)
            return [*outs, *residuals]

        if staging():
            program, constants = stage_rule(forward, [x.type for x in primals], f"fwd_{rules.name}")
            results = Forward(program, self, len(constants), count)(*constants, *primals)
        else:
            results = forward(*primals)
        outs, residuals = results[:count], results[count:]
        types = tuple(out.type.strong() for out in outs)
        known = [*residuals, *(primals[extra:] if rules.has_jvp else ())]
        pull_back = PullBack(rules, left, len(residuals), moving, types, frozenset(named_axes()))
        pulled = iter(pull_back(*known, *[t for t in tangents if type(t) is not Zero]))
        return tuple(outs), tuple(next(pulled) if t.differentiable else Zero(t) for t in types)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self.rules.derives:
            return self._on_tape(trace, args)
        return tuple(run_under(trace, self.compute, *args))

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        extra = self._extra(inputs)
        if self.program is not None and any(map(is_linear, inputs[:extra])):
            program = self.program
            return tuple(linear_transposed(lambda *x: run_program(program, x), cts, inputs, self.rules.name))

        def cotangents(*args: Any) -> list[Any]:
            return self.rules.transposed(args[: len(cts)], args[len(cts) :])

        found = run_rule(cotangents, [*cts, *inputs[extra:]], f"transpose_{self.rules.name}")
        return (*[None] * extra, *found)

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


class Forward(_RuleOperation):
    """The forward pass of a rule: results, then residuals. Where nobody uses the residuals, the function itself runs.

    Attributes:
        program: of the program's constants and the operands of `instead`.
        instead: the call that this stands for.
        constants: how many operands only `program` takes.
        outs: how many results only `instead` gives.
    """

    program: Program
    instead: CustomCall
    constants: int
    outs: int

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.program.axis_names | self.instead.axis_names

    def without(self, unused: tuple[bool, ...]) -> tuple[Primitive, tuple[int, ...], tuple[int, ...]] | None:
        if not all(unused[self.outs :]):
            return None
        return self.instead, tuple(range(self.constants, len(self.program.inputs))), tuple(range(self.outs))

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        return applied(self.program, inputs)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in self.program.out_types)

    def compute(self, *operands: Any) -> Sequence[Any]:
        return run_program(self.program, operands)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return tuple(inline(build, self.program, operands))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        outs, out_tangents = jvp_flat(self.compute, primals, tangents, f"jvp of {self.program.name}")
        return tuple(outs), tuple(out_tangents)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(run_under(trace, self.compute, *args))

    transpose = not_linear

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        wanted = (True,) * len(self.program.outputs)
        program, _ = batch_program(self.program, size, axes, name, wanted)
        instead = self.instead.batched(size, axes[self.constants :], name)
        outs = Forward(program, instead, self.constants, self.outs)(*operands)
        return outs, (0,) * len(outs)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(run_program(mask_program(self.program), [mask, *operands]))


class PullBack(_RuleOperation):
    """The tangents of a function whose rule pulls cotangents back: linear, with that rule as its transpose.

    Operands are the residuals, the arguments if there is a rule for tangents too, then the moving tangents. Without
    such a rule a tangent is computed by transposing the pull-back.

    Attributes:
        left: what the forward pass left besides residuals.
        residuals: how many operands these are.
        moving: which arguments have a tangent.
        types: of the function's results.
        enclosing: the named axes over which the rule may communicate.
    """

    rules: Rules
    left: Any
    residuals: int
    moving: tuple[bool, ...]
    types: tuple[ArrayType, ...]
    enclosing: frozenset[Any]

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.enclosing

    @property
    def _known(self) -> int:
        return self.residuals + (len(self.moving) if self.rules.has_jvp else 0)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t for t in self.types if t.differentiable)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        program, _ = stage_rule(self.compute, build.in_types, f"jvp_{self.rules.name}", embed=True)
        return tuple(inline(build, program, operands))

    def compute(self, *operands: Any) -> list[Any]:
        """The tangents of the differentiable results."""
        known, given = operands[: self._known], operands[self._known :]
        if self.rules.has_jvp:
            found = iter(given)
            primals = known[self.residuals :]
            moving = [next(found) if m else Zero(x.type) for m, x in zip(self.moving, primals, strict=True)]
            _, outs = self.rules.jvp(primals, moving)
            return [instantiate(dy) for dy, t in zip(outs, self.types, strict=True) if t.differentiable]

        def pulled(*cts: Any) -> list[Any]:
            return [instantiate(ct) for ct in self._pull(known[: self.residuals], cts)]

        linear = [LinearInput(t) for t in self.types if t.differentiable]
        try:
            found = linear_transposed(pulled, given, linear, self.rules.name)
        except MissingRuleError as error:
            self.rules.refused(error)
        return [instantiate(dy) for dy in found]

    def _pull(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """Cotangents (or `Zero`) of the moving operands for those of the differentiable results."""
        given = iter(cts)
        everything = [next(given) if t.differentiable else zeros_of(t) for t in self.types]
        found = self.rules.pull(self.left, residuals, everything)
        return [ct for ct, m in zip(found, self.moving, strict=True) if m]

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        outs = self(*primals)
        count = self._known
        found: list[Any] = [Zero(out.type) for out in outs]
        if any(type(t) is not Zero for t in tangents[count:]):
            found = list(self(*primals[:count], *[instantiate(t) for t in tangents[count:]]))
        if any(type(t) is not Zero for t in tangents[:count]):
            still = [Zero(t.type) for t in tangents[count:]]
            by_known = self._derivative(primals, [*tangents[:count], *still])
            pairs = zip(found, by_known, strict=True)
            found = [b if type(a) is Zero else a if type(b) is Zero else add(a, b) for a, b in pairs]
        return outs, tuple(found)

    def _derivative(self, primals: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """How the results change with the known operands."""
        count = len(primals)

        def changes(*args: Any) -> Sequence[Any]:
            return jvp_flat(self.compute, args[:count], args[count:], f"jvp of {self.rules.name}")[1]

        return run_rule(changes, [*primals, *tangents], f"jvp_{self.rules.name}")

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return self._on_tape(trace, args)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        known = inputs[: self.residuals]
        if any(map(is_linear, inputs[: self._known])):
            not_linear(self, cts, *inputs)

        def cotangents(*args: Any) -> list[Any]:
            return self._pull(args[: self.residuals], args[self.residuals :])

        return (*[None] * self._known, *run_rule(cotangents, [*known, *cts], f"bwd_{self.rules.name}"))

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: Axes) -> Any:
        count, known = self.residuals, self._known
        values, at = list(operands), list(axes)
        moving = self.moving if self.rules.has_jvp else ()
        for i, m in enumerate([*[False] * count, *moving, *[True] * (len(values) - known)]):
            if m:  # what moves, and its tangents, carry the axis in front
                values[i], at[i] = placed(values[i], at[i], 0, size), 0
        in_axes = at[count:known] if self.rules.has_jvp else [0 if m else None for m in self.moving]
        rules = BatchedRules(self.rules, size, tuple(in_axes), name)
        types = tuple([t.update(shape=(size, *t.shape)) for t in self.types])
        left = (self.left, axes[:count])
        outs = PullBack(rules, left, count, self.moving, types, self.enclosing - {name})(*values)
        return outs, (0,) * len(outs)
