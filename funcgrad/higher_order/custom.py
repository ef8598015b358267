"""Functions with rules of their own for derivatives and for `vmap`: `custom_jvp`, `custom_vjp`, `custom_vmap`."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

from .. import tree
from ..backend.array import Array
from ..core.trace import Trace, Tracer, named_axes, staging, state
from ..core.types import ArrayType
from ..errors import ArgumentError, CustomRuleError
from ..source import function_source
from ..transforms.arguments import argument_names, check_callable, is_array_like, lift, strong
from ..transforms.vmap import BatchTrace
from .closures import Holder, close
from .custom_call import CustomCall
from .traced import trace_function
from .user_rules import Definition, Static, Statics, UserRules, operand_names

__all__ = ["Custom", "custom_gradient", "custom_jvp", "custom_vjp", "custom_vmap"]


class Custom(Holder):
    """A function with rules of its own; made by `custom_jvp`, `custom_vjp` and `custom_vmap`.

    It may have any combination of rules. A missing derivative is derived: reverse mode from the rule for tangents,
    forward mode from the rule for cotangents, which must then be linear in them.
    """

    def __init__(
        self, fun: Callable[..., Any], kind: str, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Any = ()
    ) -> None:
        check_callable(fun, kind)
        functools.update_wrapper(self, fun)
        self._parameters = _positional(fun)
        self._nondiff = _places(fun, kind, self._parameters, nondiff_argnums, nondiff_argnames)
        self._definition = Definition(fun, kind)
        self._forget()

    def __repr__(self) -> str:
        return f"<{self._definition.kind} {function_source(self._definition.fun)}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def _forget(self) -> None:
        self._calls: weakref.WeakValueDictionary[Any, UserRules] = weakref.WeakValueDictionary()
        self._recent: UserRules | None = None

    def _with_rules(self, **rules: Any) -> None:
        self._definition = dataclasses.replace(self._definition, **rules)
        self._forget()

    @property
    def has_jvp_rule(self) -> bool:
        """Whether it was given a rule for tangents."""
        return self._definition.jvp is not None

    # -- the rules -------------------------------------------------------------------------------------------------

    def defjvp(self, rule: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Give the rule for tangents.

        Args:
            rule: `rule(*nondiff_args, primals, tangents) -> (out, out_tangent)`, where `primals` and `tangents` are
                tuples with one entry for each differentiable argument. Tangents of integers are zeros of their type.
            symbolic_zeros: give tangents that are known to be zero as `SymbolicZero` instead of written out.

        Returns:
            The rule, so that this can decorate it.
        """
        check_callable(rule, "defjvp")
        self._with_rules(jvp=rule, jvp_zeros=symbolic_zeros)
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Give the rule for tangents, argument by argument.

        Args:
            *rules: for each argument `rule(tangent, out, *primals) -> out_tangent`, or None if its part is zero.
        """
        name = function_source(self._definition.fun)
        if self._nondiff:
            raise ArgumentError(
                f"defjvps of {name}: argument-wise rules cannot have nondiff arguments; write one rule with defjvp"
            )

        def sum_of_parts(primals: Any, tangents: Any) -> Any:
            if len(rules) != len(primals):
                raise CustomRuleError(
                    f"defjvps of {name}: there are {len(rules)} rules for {len(primals)} arguments; "
                    f"give one each, None where it is zero"
                )
            out = self(*primals)
            pairs = zip(rules, tangents, strict=True)
            parts = [rule(dx, out, *primals) for rule, dx in pairs if rule is not None]
            if not parts:
                return out, tree.map(lambda y: y * 0, out)
            return out, functools.reduce(lambda a, b: tree.map(lambda x, y: x + y, a, b), parts)

        self._with_rules(jvp=sum_of_parts, jvp_zeros=False)

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = True,
    ) -> None:
        """Give the rule for cotangents.

        Args:
            fwd: `fwd(*args) -> (out, residuals)`, called with the function's arguments. Leaves of the residuals that
                are not arrays (Python numbers, strings) are handed on as they are.
            bwd: `bwd(*nondiff_args, residuals, ct) -> cotangents`, a tuple with one entry for each differentiable
                argument: a tree like the argument, or None for zero, also in place of a part of the tree.
            symbolic_zeros: give `fwd` each leaf as an object with `value` and `perturbed` (whether it is being
                differentiated), and `bwd` cotangents that are known to be zero as `SymbolicZero`.
            optimize_remat: accepted for compatibility: where residuals are not used, the function itself always runs
                instead of `fwd`.
        """
        check_callable(fwd, "defvjp")
        check_callable(bwd, "defvjp")
        self._with_rules(fwd=fwd, bwd=bwd, vjp_zeros=symbolic_zeros)

    def def_vmap(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule for `vmap`.

        Args:
            rule: `rule(axis_size, in_batched, *args) -> (out, out_batched)`. Mapped arguments carry the axis as their
                axis 0; `in_batched` has a bool for every leaf of `args`, and `out_batched` must have one for every
                leaf of `out`.

        Returns:
            The rule, so that this can decorate it.
        """
        check_callable(rule, "def_vmap")
        self._with_rules(vmap=rule)
        return rule

    def def_transpose(self, rule: Callable[..., Any], infer: Callable[..., Any] | None = None) -> None:
        """Give the rule for transposing a function that is linear in some arguments; for functions of flat arguments.

        Args:
            rule: `rule(cts, *args)`, with a `LinearInput` for each linear argument, returns their cotangents.
            infer: the result types from the argument types, where staging the function would not do; the function
                then returns a list of arrays.
        """
        self._with_rules(transpose=rule, infer=infer)

    # -- closures --------------------------------------------------------------------------------------------------

    def held(self) -> tuple[Any, ...]:
        return self._definition.functions()

    def holding(self, functions: Sequence[Any]) -> Custom:
        made = copy.copy(self)
        made._definition = self._definition.with_functions(functions)
        made._forget()
        return made

    # -- calling ---------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        definition = self._definition
        args = self._resolved(args, kwargs)
        nondiff = [n for n in self._nondiff if n < len(args)]
        given = tuple(arg for i, arg in enumerate(args) if i not in nondiff)
        leaves, in_tree = tree.flatten(given)
        for i in nondiff:
            self._check_static(args[i], i, len(args))
        values = [
            leaf if type(leaf) is Array or isinstance(leaf, Tracer) else self._lifted(leaf, i, in_tree, nondiff)
            for i, leaf in enumerate(leaves)
        ]
        if not _transformed(definition.maps):
            placed = iter(in_tree.unflatten(values))
            out = definition.fun(*[args[i] if i in nondiff else next(placed) for i in range(len(args))])
            return tree.map(self._output, out)
        return self._bound(in_tree, values, tuple([(i, Static(args[i])) for i in nondiff]))

    def _bound(self, in_tree: Any, values: list[Any], statics: Statics) -> Any:
        """The result, by an operation that transformations find the rules at."""
        rules, found = self._rules(in_tree, tuple([x.type for x in values]), statics)
        operands = [*found, *values]
        if not (staging() or named_axes()):
            outer = rules.out_tree  # a rule may call the function in turn, and has it return another structure
            outs = CustomCall(rules)(*operands)
            out_tree, rules.out_tree = rules.out_tree, outer
            return out_tree.unflatten(outs)
        fun = self._definition.fun
        structure = tree.structure((tuple(operands), {}))
        names = ["a closed-over value"] * len(found) + operand_names(fun, in_tree, [i for i, _ in statics])
        called = functools.wraps(fun)(lambda *operands: rules.called(*operands))
        traced = trace_function(called, structure, [x.type for x in operands], names, self._definition.kind)
        traced.program.name = rules.name
        return traced.out_tree.unflatten(CustomCall(rules, traced.program)(*traced.constants, *operands))

    def _rules(self, in_tree: Any, types: tuple[ArrayType, ...], statics: Statics) -> tuple[UserRules, list[Any]]:
        """The rules for such arguments, and the traced values that the functions close over."""
        definition = self._definition
        held = [static.value for _, static in statics]
        shape, found = close([*definition.functions(), *held])
        own = close([definition.fun, *held])[1] if found else ()
        places = tuple([any(value is mine for mine in own) for value in found])
        key = (in_tree, types, statics, shape if found else None, places)
        rules = self._calls.get(key)
        if rules is None:
            rules = self._calls[key] = UserRules(definition, in_tree, types, statics, shape, places)
        if not found and not statics:
            self._recent = rules  # it holds nothing that the function does not
        return rules, found

    def _output(self, leaf: Any) -> Any:
        return strong(lift(leaf, f"what {function_source(self._definition.fun)} returned"))

    def _resolved(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Keyword arguments and defaults put into their places."""
        parameters = self._parameters
        if not kwargs and (parameters is None or len(args) >= len(parameters)):
            return args
        fun = self._definition.fun
        if parameters is None:
            raise ArgumentError(f"{function_source(fun)} has no signature, so pass its arguments by position")
        bound = inspect.signature(fun).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs and (kwargs.keys() & bound.kwargs.keys()):
            named = ", ".join(bound.kwargs)
            raise ArgumentError(
                f"{self._definition.kind} of {function_source(fun)}: rules are given arguments by position, but "
                f"`{named}` can only be given by keyword.\nMake it a positional parameter of the function."
            )
        return bound.args

    def _lifted(self, leaf: Any, number: int, in_tree: Any, nondiff: list[int]) -> Any:
        if is_array_like(leaf):
            return lift(leaf)
        name = operand_names(self._definition.fun, in_tree, nondiff)[number]
        raise CustomRuleError(
            f"{self._definition.kind} of {function_source(self._definition.fun)}: the argument {name} is "
            f"{leaf!r} of type {type(leaf).__name__}, which is neither an array nor a number, so it has no derivative."
            f"\nName it in nondiff_argnums= or nondiff_argnames=."
        )

    def _check_static(self, value: Any, number: int, count: int) -> None:
        if not any(isinstance(leaf, Tracer) for leaf in tree.leaves(value)):
            return
        name = argument_names(self._definition.fun, range(count), {})[number]
        raise CustomRuleError(
            f"{self._definition.kind} of {function_source(self._definition.fun)}: the nondiff argument {name} is a "
            f"traced value, but nondiff arguments are for what is never an array.\n"
            f"Take {name} out of nondiff_argnums= and give it no derivative in the rule "
            f"(ignore its tangent, or return None for its cotangent)."
        )


def _transformed(has_vmap: bool) -> bool:
    """Whether anything is there to use a rule: differentiation, staging, or `vmap` if there is a rule for it."""
    trace: Trace = state.trace
    while trace.parent is not None:
        if has_vmap or not isinstance(trace, BatchTrace):
            return True
        trace = trace.parent
    return False


def _positional(fun: Callable[..., Any]) -> list[str] | None:
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _places(
    fun: Callable[..., Any], kind: str, parameters: list[str] | None, numbers: Any, names: Any
) -> tuple[int, ...]:
    numbers = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if parameters is None or name not in parameters:
            raise ArgumentError(
                f"{kind}: nondiff_argnames names {name!r}, but {function_source(fun)} has no such positional parameter"
            )
    count = len(parameters or ())
    for number in numbers:
        if parameters is not None and not -count <= number < count and not _variadic(fun):
            raise ArgumentError(f"{kind}: nondiff_argnums names argument {number}, {function_source(fun)} has {count}")
    found = {n % count if n < 0 and count else n for n in numbers}
    return tuple(sorted(found | {(parameters or []).index(name) for name in names}))


def _variadic(fun: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(fun).parameters.values())


# -- the public functions --------------------------------------------------------------------------------------------


def custom_jvp(
    fun: Callable[..., Any] | None = None,
    nondiff_argnums: int | Sequence[int] = (),
    nondiff_argnames: str | Sequence[str] = (),
) -> Any:
    """Give a function a derivative of its own, by a rule for tangents; used as a decorator.

    Reverse mode is derived from the rule, which must therefore be linear in the tangents. The rule is run with the
    values at hand, so eagerly it may print, decide with Python's `if` and be stepped through. It may use the function
    itself, and is differentiated in turn for higher derivatives.

    Args:
        fun: a pure function of arrays and pytrees of arrays. Traced values that it closes over are passed along; they
            have no derivative, and asking for one is an error.
        nondiff_argnums, nondiff_argnames: arguments without derivatives that are handed on as they are (functions,
            strings, options); never traced values.

    Returns:
        A `Custom` with the function's signature; give it its rule with `defjvp`.

    Raises:
        CustomRuleError: when differentiated without a rule, or when the rule returns what does not fit.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> @fg.custom_jvp
        ... def log1pexp(x):
        ...     return fnp.log(1 + fnp.exp(x))
        >>> @log1pexp.defjvp
        ... def log1pexp_jvp(primals, tangents):
        ...     (x,), (dx,) = primals, tangents
        ...     return log1pexp(x), (1 - 1 / (1 + fnp.exp(x))) * dx
        >>> float(fg.grad(log1pexp)(100.0))
        1.0
    """
    if fun is None:
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames)
    return Custom(fun, "custom_jvp", nondiff_argnums, nondiff_argnames)  # type: ignore[arg-type]


def custom_vjp(
    fun: Callable[..., Any] | None = None,
    nondiff_argnums: int | Sequence[int] = (),
    nondiff_argnames: str | Sequence[str] = (),
) -> Any:
    """Give a function a derivative of its own, by a rule for cotangents; used as a decorator.

    Forward mode is derived from the rule if that is linear in the cotangents; or give the function a second rule with
    `defjvp`. The rule need not be the true derivative: gradients are clipped and scaled this way.

    Args, Raises: as `custom_jvp`.

    Returns:
        A `Custom` with the function's signature; give it its rule with `defvjp(fwd, bwd)`.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> @fg.custom_vjp
        ... def clip_gradient(x):
        ...     return x
        >>> clip_gradient.defvjp(lambda x: (x, None), lambda residuals, ct: (fnp.clip(ct, -1.0, 1.0),))
        >>> float(fg.grad(lambda x: 5 * clip_gradient(x))(2.0))
        1.0
    """
    if fun is None:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums, nondiff_argnames=nondiff_argnames)
    return Custom(fun, "custom_vjp", nondiff_argnums, nondiff_argnames)  # type: ignore[arg-type]


def custom_vmap(fun: Callable[..., Any]) -> Custom:
    """Give a function a rule of its own for `vmap`; used as a decorator.

    Derivatives are those of the function, mapped by the derivative of the rule; or give them rules too.

    Args:
        fun: a pure function of arrays and pytrees of arrays.

    Returns:
        A `Custom` with the function's signature; give it its rule with `def_vmap`.

    Raises:
        CustomRuleError: when mapped without a rule, or when the rule returns what does not fit.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> @fg.custom_vmap
        ... def matvec(a, x):
        ...     return a @ x
        >>> @matvec.def_vmap
        ... def matvec_vmap(axis_size, in_batched, a, x):
        ...     return (x @ a.T if in_batched == [False, True] else fnp.einsum("bij,bj->bi", a, x)), True
        >>> fg.vmap(matvec, in_axes=(None, 0))(fnp.ones((2, 3)), fnp.ones((5, 3))).shape
        (5, 2)
    """
    return Custom(fun, "custom_vmap")


def custom_gradient(fun: Callable[..., Any]) -> Custom:
    """Give a function a derivative of its own, by returning it: `fun(*args) -> (out, pull)`; used as a decorator.

    Args:
        fun: returns its result and a function from a cotangent of that to a cotangent for each argument (a tuple, or
            a single one for one argument). `pull` may close over traced values.

    Returns:
        A `Custom` that returns `out`.

    Example:
        >>> import funcgrad as fg
        >>> @fg.custom_gradient
        ... def f(x):
        ...     return x * x, lambda ct: (ct * x,)  # half the true gradient
        >>> float(f(3.0)), float(fg.grad(f)(3.0))
        (9.0, 3.0)
    """
    check_callable(fun, "custom_gradient")

    @functools.wraps(fun)
    def value(*args: Any, **kwargs: Any) -> Any:
        return fun(*args, **kwargs)[0]

    def fwd(*args: Any) -> tuple[Any, Any]:
        out, pull = fun(*args)
        shape, values = close([pull])
        return out, (values, shape, len(args))

    def bwd(residuals: Any, ct: Any) -> Any:
        values, shape, count = residuals
        (pull,) = shape.around(values)
        cts = pull(ct)
        return cts if isinstance(cts, (tuple, list)) or count != 1 else (cts,)

    made = Custom(value, "custom_vjp")
    made.defvjp(fwd, bwd)
    return made
