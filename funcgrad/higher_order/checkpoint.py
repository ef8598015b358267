"""`checkpoint`: remember a function's inputs instead of what it computes, and compute it anew for its derivative.

A reverse pass needs the values that the forward pass computed. A checkpointed function keeps its inputs only, and what
a policy says; the rest is computed a second time when the reverse pass comes by.
A. Griewank, A. Walther: Algorithm 799: revolve (ACM TOMS 26, 2000); T. Chen et al.: Training deep nets with sublinear
memory cost (arXiv:1604.06174).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .. import tree
from ..compiler.simplify import eliminate_dead_code, simplify
from ..core.primitive import Primitive
from ..core.program import Atom, Equation, Program, Var, run_program, stage
from ..core.trace import Trace, bottom, run_under, state
from ..errors import ArgumentError
from ..ops.identities import Named
from ..ops.random_bits import Threefry2x32
from ..transforms.arguments import check_callable, lift
from ..transforms.jvp import JVPTrace
from ..transforms.partial_eval import split_program
from ..transforms.vmap import BatchTrace
from .call import Call, RunsProgram
from .inside import applied
from .policies import Policy, asked, check_policy, nothing_saveable, refused_names
from .signature import Arguments, complete_statics
from .traced import trace_function
from .trimming import silent_equation, with_results

__all__ = ["Checkpoint", "checkpoint", "checkpoint_name", "remat"]


class Checkpoint(RunsProgram):
    """Runs a program; where its derivative is taken in reverse, its inputs are kept instead of its values.

    Fields:
        program: what to run.
        policy: which values are kept nevertheless.
        prevent_cse: whether the compiler is kept from merging the second computation with the first.
        again: whether this is the second computation, which repeats work of the first.
    """

    interprets = True

    policy: Policy = nothing_saveable
    prevent_cse: bool = True
    again: bool = False

    def of(self, program: Program, again: bool = False) -> Checkpoint:
        return Checkpoint(program, self.policy, self.prevent_cse, self.again or again)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        if self.again and self.prevent_cse and operands:
            operands = build.ops("optimization_barrier", operands, build.in_types)
        return super().lower(build, *operands)

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        return None if self.again and self.prevent_cse else applied(self.program, inputs)

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        parts = parts_of(self.program, tuple(trace.owns(arg) for arg in args), self.policy)
        effectful = any(eqn.op.effectful for eqn in parts.first.equations)
        if all(parts.unknown_outputs) and not effectful:
            return trace.record(self, args)
        known_args = [arg for arg in args if not trace.owns(arg)]
        results: tuple[Any, ...] = ()
        if parts.first.outputs or effectful:
            results = trace.process(self.of(parts.first), tuple(known_args))
        count = len(parts.unknown_outputs) - sum(parts.unknown_outputs)
        known_outs, saved = iter(results[:count]), results[count:]
        later: Any = iter(())
        if any(parts.unknown_outputs):
            unknown_args = [arg for arg in args if trace.owns(arg)]
            kept = [known_args[place] for place in parts.kept]
            later = iter(trace.record(self.of(parts.second, parts.repeats), (*kept, *saved, *unknown_args)))
        return tuple(next(later) if u else next(known_outs) for u in parts.unknown_outputs)


# -- the two computations of a program ---------------------------------------------------------------------------------


class Parts(NamedTuple):
    """A program cut in two by which inputs are unknown, where the second part computes anew what it needs of the first.

    Attributes:
        first: (known inputs) → (known results, saved values).
        second: (kept inputs, saved values, unknown inputs) → (unknown results).
        kept: which of the known inputs the second part takes.
        unknown_outputs: per result of the original, whether `second` gives it.
        repeats: whether `second` repeats work of `first`.
    """

    first: Program
    second: Program
    kept: tuple[int, ...]
    unknown_outputs: tuple[bool, ...]
    repeats: bool


@lru_cache(maxsize=1024)
def parts_of(program: Program, unknown: tuple[bool, ...], policy: Policy) -> Parts:
    """Cut a program without constants by which inputs are unknown; remembered."""
    split = split_program(_without_calls(program), unknown)
    known = split.known
    count = len(split.unknown_outputs) - sum(split.unknown_outputs)
    computed = iter(known.outputs[count:])
    residuals = [next(computed) if place is None else known.inputs[place] for place in split.residual_inputs]
    quiet = [silent_equation(eqn) for eqn in known.equations if eqn.outputs]
    needed = with_results(Program(known.inputs, known.constants, quiet, (), known.name), residuals)
    saved = _saved(needed, _named_values(known, policy), policy)
    remaking = _remaking(needed, saved)
    used = {atom for eqn in remaking.equations for atom in eqn.inputs}.union(remaking.outputs)
    kept = tuple(i for i, v in enumerate(known.inputs) if v in used)

    def compute_again(*args: Any) -> list[Any]:
        given: list[Any] = [None] * len(known.inputs)
        for place, value in zip(kept, args, strict=False):
            given[place] = value
        rest = args[len(kept) :]
        remade = run_program(remaking, [*given, *rest[: len(saved)]])
        return run_program(split.unknown, [*remade, *rest[len(saved) :]])

    types = [*(known.inputs[i].type for i in kept), *(v.type for v in saved)]
    types += [t for t, u in zip(program.in_types, unknown, strict=True) if u]
    second = simplify(stage(compute_again, types, program.name))
    repeats = any(not isinstance(eqn.op, Named) for eqn in remaking.equations)
    first = with_results(known, [*known.outputs[:count], *under_their_names(known, saved)])
    return Parts(first, second, kept, split.unknown_outputs, repeats)


def under_their_names(program: Program, values: Sequence[Atom]) -> list[Atom]:
    """Values of a program, named ones replaced by themselves with their name: it shows what is kept."""
    names = {eqn.inputs[0]: eqn.outputs[0] for eqn in program.equations if isinstance(eqn.op, Named)}
    return [names.get(value, value) for value in values]


def _saved(needed: Program, named: dict[Atom, bool], policy: Policy) -> list[Var]:
    """The values to keep: going back from the residuals, the first on each way that the policy or an effect keeps."""
    producers = {out: eqn for eqn in needed.equations for out in eqn.outputs}
    saved: set[Atom] = set()
    seen: set[Atom] = set()
    waiting = list(needed.outputs)
    while waiting:
        atom = waiting.pop()
        eqn = producers.get(atom)  # type: ignore[arg-type]
        if eqn is None or atom in seen:
            continue
        seen.add(atom)
        if _is_kept(eqn, atom, named, policy):
            saved.add(atom)
        else:
            waiting.extend(eqn.inputs)
    return [out for eqn in needed.equations for out in eqn.outputs if out in saved]


def _named_values(program: Program, policy: Policy) -> dict[Atom, bool]:
    """What the policy says of values by their names: a value and its name are kept together, once."""
    refused = refused_names(policy)
    answers: dict[Atom, bool] = {}
    values: dict[Atom, Atom] = {}
    for eqn in program.equations:
        if isinstance(eqn.op, Named):
            value = values[eqn.outputs[0]] = values.get(eqn.inputs[0], eqn.inputs[0])
            if eqn.op.label in refused:
                answers.setdefault(value, False)
            elif asked(policy, eqn.op, (value.type,)):
                answers[value] = True
    return answers


def _is_kept(eqn: Equation, value: Atom, named: dict[Atom, bool], policy: Policy) -> bool:
    op = eqn.op
    if isinstance(op, (Named, Threefry2x32)):  # names are free, random bits cheap to compute anew
        return False
    if op.effectful:  # it must not happen twice
        return True
    if value in named:
        return named[value]
    return asked(policy, op, tuple(atom.type for atom in eqn.inputs))


def _remaking(needed: Program, saved: Sequence[Var]) -> Program:
    """The program (known inputs, saved values) → (residuals), which does not compute what is saved."""
    given = {v: Var(v.type) for v in saved}

    def instead(atom: Atom) -> Atom:
        return given.get(atom, atom)  # type: ignore[arg-type]

    equations = [
        Equation(eqn.op, list(map(instead, eqn.inputs)), eqn.outputs, eqn.source)
        for eqn in needed.equations
        if not eqn.op.effectful
    ]
    outputs = list(map(instead, needed.outputs))
    inputs = [*needed.inputs, *given.values()]
    return eliminate_dead_code(Program(inputs, needed.constants, equations, outputs, needed.name))


class InlineTrace(Trace):
    """Runs the programs of calls in place; all else passes to the parent."""

    __slots__ = ()

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if type(op) is Call:
            return tuple(run_program(op.program, args))
        return run_under(self.parent, self.parent.process, op, args)  # type: ignore[union-attr, arg-type]


@lru_cache(maxsize=1024)
def _without_calls(program: Program) -> Program:
    """The program with calls written out, so that a policy and the split see what they compute."""
    if not any(type(eqn.op) is Call for eqn in program.equations):
        return program

    def written_out(*args: Any) -> list[Any]:
        trace = InlineTrace(state.trace, f"inlining of {program.name}")
        try:
            return run_under(trace, run_program, program, args)
        finally:
            trace.ended = True

    return stage(written_out, program.in_types, program.name)


# -- the public functions ----------------------------------------------------------------------------------------------


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    policy: Policy | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    prevent_cse: bool = True,
) -> Any:
    """Make a function whose reverse-mode derivative computes its values anew instead of keeping them.

    Between the two passes only inputs, arrays that `fun` closes over and what `policy` adds are kept. Effects happen
    once. Where no derivative is taken and nothing is compiled, `fun` is simply called. Usable as a decorator, with or
    without options.

    Args:
        fun: a pure function of arrays and pytrees of arrays. Other leaves are static.
        policy: which values to keep nevertheless: one of `fg.checkpoint_policies` or a hashable function
            `(operation, operand types) -> bool`; by default none.
        static_argnums: positional arguments that are passed to `fun` as they are, untraced.
        static_argnames: such arguments by name.
        prevent_cse: keep the compiler from merging the second computation with the first, which would keep the values
            after all. Not needed inside the body of a loop, where it costs a little.

    Returns:
        A function with `fun`'s signature.

    Raises:
        ArgumentError: `fun` or `policy` cannot be called.
        StaticArgumentError: (when called) a static value that cannot be hashed.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> layer = fg.checkpoint(lambda x: fnp.sin(fnp.exp(x)))
        >>> fg.print_saved_residuals(layer, 1.0)
        f32[] from the argument x
    """
    if fun is None:
        statics: Any = {"static_argnums": static_argnums, "static_argnames": static_argnames}
        return functools.partial(checkpoint, policy=policy, prevent_cse=prevent_cse, **statics)
    check_callable(fun, "checkpoint")
    chosen = nothing_saveable if policy is None else policy
    check_policy(chosen, "checkpoint")
    if not isinstance(prevent_cse, bool):
        raise ArgumentError(f"checkpoint: prevent_cse must be True or False, got {prevent_cse!r}")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    numbers, names = complete_statics(fun, numbers, names)

    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if _nothing_is_kept():
            return fun(*args, **kwargs)
        call = Arguments(fun, numbers, names, args, kwargs, "checkpoint")
        traced = trace_function(call.function, call.in_tree, call.types, call.names, "checkpoint")
        results = Checkpoint(traced.program, chosen, prevent_cse)(*traced.constants, *call.values)
        return traced.out_tree.unflatten(results)

    return checkpointed


remat = checkpoint


def _nothing_is_kept() -> bool:
    """Whether only `vmap` and forward mode surround what runs now, so that no reverse pass will need its values."""
    trace: Trace | None = state.trace
    while type(trace) in (BatchTrace, JVPTrace):
        trace = trace.parent  # type: ignore[union-attr]
    return trace is bottom()


def checkpoint_name(x: Any, name: str) -> Any:
    """`x` itself, under a name by which checkpoint policies can keep it.

    Args:
        x: an array or a tree of arrays.
        name: the name; several values may share one.

    Returns:
        The same tree.

    Raises:
        ArgumentError: the name is not a string.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> keep = fg.checkpoint_policies.save_only_these_names("hidden")
        >>> f = fg.checkpoint(lambda x: fnp.sin(fg.checkpoint_name(fnp.exp(x), "hidden")), policy=keep)
        >>> float(fg.grad(f)(0.0)) == float(fnp.cos(1.0))
        True
    """
    if not isinstance(name, str):
        raise ArgumentError(f"checkpoint_name: the name must be a string, got {name!r} of type {type(name).__name__}")
    return tree.map(lambda leaf: Named(name)(lift(leaf, "what checkpoint_name is given")), x)
