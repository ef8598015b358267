"""`while_loop` and `fori_loop`. Where the condition is known (eagerly it is) they are Python loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..core.dtypes import BOOL, default_int, is_integer
from ..core.program import run_program
from ..core.trace import Journal, staging
from ..core.types import ArrayType
from ..errors import ArgumentError, CheckError, ControlFlowError
from ..ops.bits import and_, not_
from ..ops.checks import Check, here
from ..ops.elementwise import add, lt
from ..ops.structure import convert, full, zeros_of
from ..source import function_source
from ..transforms.arguments import check_callable, leaf_names, lift, strong
from .scan import scan
from .traced import Traced, adapts, convert_outputs, is_concrete, mismatch, trace_function
from .while_loop import While, staged_loop

__all__ = ["fori_loop", "while_loop"]


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    *,
    max_steps: int | None = None,
    checkpoints: int | None = None,
) -> Any:
    """Let a value be `body_fun(value)` while `cond_fun(value)` holds.

    Where the condition is known (eagerly it is) the functions are simply called. Otherwise both are traced and run in
    the compiled program. Forward and reverse mode work, and so does `vmap`: elements whose condition no longer holds
    keep their value, and effects and checks do not happen for them.

    Compiled reverse mode needs the values from before each step. With `max_steps` what each step leaves is kept, in
    arrays with `max_steps` rows. Otherwise a bounded number of values is kept, and those in between are computed again
    (binomial checkpointing): with 20 kept, no step is repeated more than 3 times in 1,771, or 5 times in 53,130.

    Args:
        cond_fun: returns a bool of shape () for the value.
        body_fun: returns the next value, of the same tree structure, shapes and dtypes.
        init_val: the first value, a pytree of arrays. Python numbers take the dtype that `body_fun` gives them.
        max_steps: a promise that no more steps are taken; breaking it is an error.
        checkpoints: how many values compiled reverse mode may keep (20 by default); given together with `max_steps`, it
            decides.

    Returns:
        The first value for which `cond_fun` does not hold.

    Raises:
        ControlFlowError: the condition is not a bool of shape (), or `body_fun` changes the type of the value.
        CheckError: `max_steps` steps were not enough.

    Example:
        >>> import funcgrad as fg
        >>> halve = fg.jit(lambda x: fg.lax.while_loop(lambda x: x > 1.0, lambda x: x * 0.5, x))
        >>> float(halve(6.0)), float(fg.grad(halve)(6.0))
        (0.75, 0.125)
    """
    check_callable(cond_fun, "while_loop")
    check_callable(body_fun, "while_loop")
    return _Loop("while_loop", cond_fun, body_fun, init_val, max_steps, checkpoints).run()


def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | None = None,
    max_steps: int | None = None,
    checkpoints: int | None = None,
) -> Any:
    """Let a value be `body_fun(i, value)` for the integers i from `lower` to `upper - 1`.

    Bounds that are known make a `scan`; others make a `while_loop`, whose number of steps is known when it starts.

    Args:
        lower, upper: integers of shape (); Python ints take the dtype of the other bound, or the default one.
        body_fun: returns the next value, of the same tree structure, shapes and dtypes.
        init_val: the first value, a pytree of arrays. Python numbers take the dtype that `body_fun` gives them.
        unroll: how many steps to write out in each round of the compiled loop; only for known bounds.
        max_steps, checkpoints: see `while_loop`; for bounds that are not known.

    Returns:
        The last value.

    Raises:
        ControlFlowError: a bound is not an integer of shape (), or `body_fun` changes the type of the value.
        ArgumentError: `unroll` is given and the bounds are not known.

    Example:
        >>> import funcgrad as fg
        >>> fg.lax.fori_loop(0, 4, lambda i, x: x * 2 + i, 1)
        Array(27, dtype=int32)
    """
    check_callable(body_fun, "fori_loop")
    lower, upper = _bounds(lower, upper)
    leaves, structure = tree.flatten(init_val)
    names = leaf_names(["init_val"], [init_val])
    values = [lift(leaf, name) for leaf, name in zip(leaves, names, strict=True)]

    def step(carry: Any) -> Any:
        number, value = carry
        result = body_fun(number, value)
        _check_value(body_fun, structure, values, result)
        return add(number, full(number.type.strong(), 1)), result

    init = (lower, structure.unflatten(values))
    if is_concrete(lower) and is_concrete(upper):
        length = max(int(upper) - int(lower), 0)
        if max_steps is not None and length > _positive("max_steps", max_steps):
            raise _too_many("fori_loop", max_steps)
        return scan(lambda carry, _: (step(carry), None), init, None, length=length, unroll=unroll or 1)[0][1]
    if unroll is not None:
        raise ArgumentError(
            f"fori_loop: unroll={unroll} needs bounds that are known when the function is traced, "
            f"got lower: {lower.type} and upper: {upper.type}; leave it out"
        )
    return _Loop("fori_loop", lambda carry: lt(carry[0], upper), step, init, max_steps, checkpoints).run()[1]


def _bounds(lower: Any, upper: Any) -> tuple[Any, Any]:
    bounds = {"lower": lift(lower, "the lower bound"), "upper": lift(upper, "the upper bound")}
    for name, bound in bounds.items():
        if not is_integer(bound.dtype) or bound.shape:
            kind = "non-scalar" if is_integer(bound.dtype) else "non-integer"
            raise ControlFlowError(
                f"fori_loop: {kind} bounds: {name} is {bound.type}, but both bounds must be integers of shape ().\n"
                f"The steps are counted; write int(…) for a Python number, or {name}.astype(int) for an array."
            )
    dtypes = {bound.dtype for bound in bounds.values() if not bound.type.weak} or {default_int()}
    if len(dtypes) > 1:
        raise ControlFlowError(
            f"fori_loop: the bounds have different dtypes, lower: {bounds['lower'].type} and "
            f"upper: {bounds['upper'].type}.\nThe counter has one dtype; convert one bound with .astype(…)."
        )
    dtype = dtypes.pop()
    first, last = (strong(convert(bound, dtype)) for bound in bounds.values())
    return first, last


def _positive(name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ArgumentError(f"{name}={value!r}: expected a positive Python int")
    return value


def _too_many(what: str, max_steps: int) -> CheckError:
    return CheckError(_broken_promise(what, max_steps))


def _broken_promise(what: str, max_steps: int) -> str:
    return (
        f"{what}: max_steps={max_steps} steps were not enough.\n"
        f"max_steps promises that no more are needed. Pass a larger number, or leave it out: "
        f"then reverse mode keeps a bounded number of values and computes the others again."
    )


def _check_value(function: Callable[..., Any], structure: Any, values: Sequence[Any], result: Any) -> None:
    """Refuse a result of `fori_loop`'s body that cannot be the next value. Python numbers may adapt to it."""
    leaves, found = tree.flatten(result)
    types = [lift(leaf, f"what {function_source(function)} returned").type for leaf in leaves]
    before = [x.type for x in values]
    if found == structure and all(adapts(new, old) or adapts(old, new) for new, old in zip(types, before, strict=True)):
        return
    raise _changed("fori_loop", function, (structure, found), (before, types))


def _changed(
    what: str,
    function: Callable[..., Any],
    trees: tuple[Any, Any],
    types: tuple[Sequence[ArrayType], Sequence[ArrayType]],
) -> ControlFlowError:
    shown = mismatch(("init_val", "body_fun returns"), trees, types)
    return ControlFlowError(
        f"{what}: body_fun must return a value of the same type as init_val:\n{shown}\n"
        f"body_fun is {function_source(function)}.\n"
        f"Each step's result is the next step's input; x.astype(…) and fnp.broadcast_to help."
    )


class _Loop:
    """One call of `while_loop`."""

    def __init__(
        self,
        what: str,
        cond: Callable[[Any], Any],
        body: Callable[[Any], Any],
        init: Any,
        max_steps: int | None,
        checkpoints: int | None,
    ) -> None:
        self.what, self.cond, self.body = what, cond, body
        self.max_steps = None if max_steps is None else _positive("max_steps", max_steps)
        self.checkpoints = None if checkpoints is None else _positive("checkpoints", checkpoints)
        leaves, self.structure = tree.flatten(init)
        self.names = leaf_names(["init_val"], [init])
        lifted = [lift(leaf, name) for leaf, name in zip(leaves, self.names, strict=True)]
        self.first_types = [x.type for x in lifted]
        self.values = [strong(x) for x in lifted]
        self.steps = 0
        self.cond_result, self.body_result = (f"what {function_source(f)} returned" for f in (cond, body))

    def run(self) -> Any:
        """The last value: by a Python loop for as long as the condition is known, then by an operation."""
        if not staging():
            while True:
                holds = self._condition()
                if not is_concrete(holds):
                    return self.structure.unflatten(self._operation(holds))
                if not holds:
                    return self.structure.unflatten(self._final())
                if self.steps == self.max_steps:
                    raise _too_many(self.what, self.steps)
                self._step()
        return self.structure.unflatten(self._operation())

    def _condition(self) -> Any:
        leaves, structure = tree.flatten(self.cond(self.structure.unflatten(self.values)))
        holds = [lift(leaf, self.cond_result) for leaf in leaves]
        self._check_condition(structure, [x.type for x in holds])
        return holds[0]

    def _check_condition(self, structure: Any, types: Sequence[ArrayType]) -> None:
        if not tree.treedef_is_leaf(structure):
            raise ControlFlowError(
                f"{self.what}: cond_fun must return a bool of shape (), "
                f"but {function_source(self.cond)} returns {structure}.\nCombine conditions with & and |."
            )
        (type,) = types
        if type.shape or type.dtype != BOOL:
            advice = "Reduce it with .any() or .all()." if type.dtype == BOOL else "Compare it: x > 0, x != 0, …"
            raise ControlFlowError(
                f"{self.what}: cond_fun must return a bool of shape (), "
                f"but {function_source(self.cond)} returns {type}.\n{advice}"
            )

    def _step(self) -> None:
        leaves, structure = tree.flatten(self.body(self.structure.unflatten(self.values)))
        results = [lift(leaf, self.body_result) for leaf in leaves]
        types = self._next_types(structure, [x.type for x in results])
        pairs = zip(results, types, strict=True)
        self.values = [x if x.type is t else strong(convert(x, t.dtype)) for x, t in pairs]
        self.steps += 1

    def _next_types(self, structure: Any, found: Sequence[ArrayType]) -> list[ArrayType]:
        """The types of the values, of which Python numbers may have adapted to what the body returns."""
        types = [x.type for x in self.values]
        if structure == self.structure:
            if found == types:
                return types
            free = [t.update(dtype=now.dtype, weak=t.weak) for t, now in zip(self.first_types, types, strict=True)]
            pairs = list(zip(free, found, strict=True))
            if all(adapts(new, old) or adapts(old, new) for old, new in pairs):
                return [(old if adapts(new, old) else new).strong() for old, new in pairs]
        raise _changed(self.what, self.body, (self.structure, structure), (self.first_types, found))

    def _final(self) -> list[Any]:
        """The values; Python numbers that never met the body take the dtype that it would give them."""
        if not self.steps and any(t.weak for t in self.first_types):
            self._traced_body()
        return self.values

    def _traced_body(self) -> Traced:
        """The body, traced for types that it keeps; the values are converted to them."""
        in_tree = tree.flatten(((self.structure.unflatten(self.values),), {}))[1]
        journal = Journal()
        while True:
            types = [x.type for x in self.values]
            with journal:
                traced = trace_function(self.body, in_tree, types, self.names, self.what)
            found = self._next_types(traced.out_tree, traced.program.out_types)
            if found == types:
                traced.program = convert_outputs(traced.program, types)
                return traced
            self.values = [convert(x, t.dtype) for x, t in zip(self.values, found, strict=True)]
            journal.take_back()

    def _operation(self, holds: Any = None) -> list[Any]:
        """The values after the rest of the loop. `holds`: the condition for the values now, where it was asked for."""
        body = self._traced_body()
        types = [x.type for x in self.values]
        in_tree = tree.flatten(((self.structure.unflatten(self.values),), {}))[1]
        cond = trace_function(self.cond, in_tree, types, self.names, self.what)
        self._check_condition(cond.out_tree, cond.program.out_types)
        if self.max_steps is None and holds is not None and cond.program.effects - {"loop"}:
            return self._asked(cond, body, holds)
        if self.max_steps is None:
            op = While(cond.program, body.program, len(cond.constants), len(body.constants), None, self.checkpoints)
            return list(op(*cond.constants, *body.constants, *self.values))
        return self._bounded(cond, body, self.max_steps - self.steps, holds)

    def _asked(self, cond: Traced, body: Traced, holds: Any) -> list[Any]:
        """A loop whose condition was asked for the first time already: its effects must not happen again."""

        def step(_: Any, *values: Any) -> list[Any]:
            results = run_program(body.program, [*body.constants, *values])
            return [run_program(cond.program, [*cond.constants, *results])[0], *results]

        op, operands = staged_loop(lambda holds, *_: holds, step, [holds, *self.values], None, self.checkpoints)
        return list(op(*operands))[1:]

    def _bounded(self, cond: Traced, body: Traced, left: int, first: Any) -> list[Any]:
        """A loop that ends after so many steps, and a check that it was done by then."""

        def ask(values: Sequence[Any]) -> Any:
            return run_program(cond.program, [*cond.constants, *values])[0]

        def go_on(steps: Any, holds: Any, *values: Any) -> Any:
            return and_(holds, lt(steps, full(steps.type, left)))

        def step(steps: Any, holds: Any, *values: Any) -> list[Any]:
            results = run_program(body.program, [*body.constants, *values])
            return [add(steps, full(steps.type, 1)), ask(results), *results]

        start = zeros_of(ArrayType((), default_int()))
        init = [start, ask(self.values) if first is None else first, *self.values]
        op, operands = staged_loop(go_on, step, init, max(left, 1), self.checkpoints)
        _, holds, *results = op(*operands)
        message = _broken_promise(self.what, self.max_steps or 0)
        Check(message, (), (), (), 0, here())(not_(holds))
        return results
