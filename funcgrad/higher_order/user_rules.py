"""The rules that a user gave, made flat: called with what they expect, and what they return checked leaf by leaf."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from .. import tree
from ..backend.array import Array
from ..core.trace import Tracer, state
from ..core.types import ArrayType, Zero
from ..errors import CustomRuleError, MissingRuleError
from ..ops.structure import convert, zeros_of
from ..source import function_source
from ..transforms.arguments import argument_names, is_array_like, leaf_names, lift, strong
from ..transforms.partial_eval import Unknown
from .closures import Closed, Same
from .custom_rules import Axes, Rules, placed
from .signature import static_key
from .symbolic import CustomVJPPrimal, SymbolicZero

__all__ = ["Definition", "Static", "UserRules", "operand_names"]


class Static:
    """A value that rules are handed as it is; equal to those that `jit` would not tell from it."""

    __slots__ = ("_key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._key: Any = static_key(value)
        try:
            hash(self._key)
        except TypeError:
            self._key = Same(value)

    def __eq__(self, other: object) -> bool:
        return type(other) is Static and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


Statics = tuple[tuple[int, Static], ...]  # with their places


@dataclasses.dataclass(frozen=True, eq=False)
class Definition:
    """A function and the rules it has so far."""

    fun: Any
    kind: str
    jvp: Any = None
    fwd: Any = None
    bwd: Any = None
    vmap: Any = None
    transpose: Any = None
    infer: Callable[..., Any] | None = None
    jvp_zeros: bool = False
    vjp_zeros: bool = False

    def functions(self) -> tuple[Any, ...]:
        return self.fun, self.jvp, self.fwd, self.bwd, self.vmap, self.transpose

    def with_functions(self, functions: Sequence[Any]) -> Definition:
        fun, jvp, fwd, bwd, vmap, transpose = functions
        return dataclasses.replace(self, fun=fun, jvp=jvp, fwd=fwd, bwd=bwd, vmap=vmap, transpose=transpose)

    @property
    def maps(self) -> bool:
        """Whether `vmap` is its rule's business."""
        return self.vmap is not None or self.kind == "custom_vmap"


class Left(NamedTuple):
    """What a fwd rule left for the bwd rule that is no array.

    Attributes:
        moving: which operands are being differentiated.
        out_tree: structure of the function's result.
        residual_tree: structure of the residuals.
        fixed: residuals that are not arrays.
    """

    moving: tuple[bool, ...]
    out_tree: Any
    residual_tree: Any
    fixed: Statics


def operand_names(fun: Callable[..., Any], in_tree: Any, nondiff: Sequence[int]) -> list[str]:
    """What messages call the leaves of the differentiable arguments."""
    given = in_tree.unflatten([object()] * in_tree.num_leaves)
    names = argument_names(fun, range(len(given) + len(nondiff)), {})
    return leaf_names([name for i, name in enumerate(names) if i not in nondiff], given)


def as_user(function: Callable[..., Any], *args: Any) -> Any:
    """Call a user's function; equations made meanwhile are its lines'."""
    outer, state.source = state.source, None
    try:
        return function(*args)
    finally:
        state.source = outer


class UserRules(Rules):
    """The rules for one structure and one set of types of arguments, and for one set of nondiff arguments.

    Operands are the traced values that the functions close over, then the leaves of the differentiable arguments.

    """

    def __init__(
        self,
        definition: Definition,
        in_tree: Any,
        types: tuple[ArrayType, ...],
        statics: Statics,
        shape: Closed,
        own: tuple[bool, ...],
    ) -> None:
        self._definition = definition
        self._in_tree = in_tree
        self._types = types
        self._statics = statics
        self._shape = shape
        self._own = own
        self._local = threading.local()
        self.fun = function_source(definition.fun)
        self.name = getattr(definition.fun, "__name__", "custom")
        self.arity = shape.count + len(types)
        self.has_jvp = definition.jvp is not None
        self.has_vjp = definition.bwd is not None
        self.has_vmap = definition.maps
        self.derives = definition.kind == "custom_vmap" and not self.has_jvp and not self.has_vjp

    def __repr__(self) -> str:
        return self.fun

    @property
    def out_tree(self) -> Any:
        """Structure of what the function returned last; in this thread, since it may depend on values."""
        return getattr(self._local, "out_tree", None)

    @out_tree.setter
    def out_tree(self, found: Any) -> None:
        self._local.out_tree = found

    # -- what is called --------------------------------------------------------------------------------------------

    def _around(self, operands: Sequence[Any]) -> tuple[Definition, list[Any]]:
        """The functions and nondiff arguments around closed-over values."""
        statics = [static.value for _, static in self._statics]
        if not self._shape.count:
            return self._definition, statics
        made = self._shape.around(operands[: self._shape.count])
        count = len(made) - len(statics)
        return self._definition.with_functions(made[:count]), made[count:]

    def _arguments(self, leaves: Sequence[Any], statics: Sequence[Any]) -> list[Any]:
        """All arguments in their places."""
        places = {i: value for (i, _), value in zip(self._statics, statics, strict=True)}
        given = self._in_tree.unflatten(leaves)
        rest = iter(given)
        return [places[i] if i in places else next(rest) for i in range(len(given) + len(places))]

    def called(self, *operands: Any) -> Any:
        """What the function returns."""
        definition, statics = self._around(operands)
        return as_user(definition.fun, *self._arguments(operands[self._shape.count :], statics))

    def call(self, *operands: Any) -> list[Any]:
        return self._results(self.called(*operands), self.fun)

    def _results(self, result: Any, name: str) -> list[Any]:
        """The leaves of what the function or a rule in its place returned."""
        outs, self.out_tree = tree.flatten(result)
        return [strong(_lifted(out, f"what {name} returned")) for out in outs]

    def infer(self, types: Sequence[ArrayType]) -> tuple[ArrayType, ...]:
        if self._definition.infer is not None:
            found = tuple(self._definition.infer(*types))
            self.out_tree = tree.structure([0] * len(found))  # such functions return lists of leaves
            return found
        return super().infer(types)

    def refuse(self, moving: Sequence[bool]) -> None:
        if any(m and own for m, own in zip(moving, self._own, strict=False)):
            raise CustomRuleError(
                f"{self._definition.kind} function {self.fun} closes over a value that is being differentiated, but "
                f"its rules give no derivative for it.\nPass that value to the function as an argument."
            )
        if not (self.has_jvp or self.has_vjp or self.derives):
            how = "f.defvjp(fwd, bwd)" if self._definition.kind == "custom_vjp" else "f.defjvp(rule)"
            raise CustomRuleError(
                f"{self._definition.kind} function {self.fun} is being differentiated, but it has no rule for that.\n"
                f"Give it one before it is used: {how}."
            )

    # -- tangents --------------------------------------------------------------------------------------------------

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        definition, statics = self._around(primals)
        rule, count = definition.jvp, self._shape.count
        zero = SymbolicZero if definition.jvp_zeros else zeros_of
        given = [zero(t.type) if type(t) is Zero else t for t in tangents[count:]]
        args = self._in_tree.unflatten(primals[count:]), self._in_tree.unflatten(given)
        result = as_user(rule, *statics, *args)
        name = f"the jvp rule {function_source(rule)} of {self.fun}"
        self._refuse_effects(tangents, name)
        out, tangent = _pair(result, name, "(out, out_tangent)", "Write: return out, out_tangent")
        outs = self._results(out, name)
        found, tangent_tree = tree.flatten(tangent)
        if tangent_tree != self.out_tree:
            raise CustomRuleError(
                f"{name} returned a result and a tangent of different structures:\n"
                f"  result:  {self.out_tree}\n  tangent: {tangent_tree}\n"
                f"A tangent has the structure of its result; write zeros where it does not move."
            )
        fitted = [_fitting(t, out.type) for t, out in zip(found, outs, strict=True)]
        for i, (t, out) in enumerate(zip(fitted, outs, strict=True)):
            if t is None:
                path = _paths("out_tangent", self.out_tree)[i]
                what = f"{path}, which {name} returned,"
                raise _unfit(found[i], out.type, f"{name}: a tangent has the shape and dtype of its result", path, what)
        return outs, fitted

    def _refuse_effects(self, tangents: Sequence[Any], name: str) -> None:
        """Refuse effects that wait for a tangent where there will be none."""
        tapes = {id(t.made_by): t.made_by.tape for t in tangents if type(t) is Unknown}  # type: ignore[attr-defined]
        if any(entry[0].effectful for tape in tapes.values() for entry in tape):
            raise CustomRuleError(
                f"{name}: a side effect depends on a tangent, but reverse mode never computes tangents, so it would "
                f"not happen.\nLet it depend on the primals only, or give the function a rule for cotangents: "
                f"f.defvjp(fwd, bwd)."
            )

    # -- cotangents ------------------------------------------------------------------------------------------------

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Left]:
        definition, statics = self._around(primals)
        fwd, count = definition.fwd, self._shape.count
        leaves = list(primals[count:])
        if definition.vjp_zeros:
            leaves = [CustomVJPPrimal(x, m) for x, m in zip(leaves, moving[count:], strict=True)]
        result = as_user(fwd, *self._arguments(leaves, statics))
        name = f"the fwd rule {function_source(fwd)} of {self.fun}"
        out, residuals = _pair(result, name, "(out, residuals)", "Write: return out, residuals")
        outs = self._results(out, name)
        kept, residual_tree = tree.flatten(residuals)
        arrays = [is_array_like(r) and type(r) not in (bool, int, float, complex) for r in kept]
        fixed = tuple([(i, Static(r)) for i, (r, a) in enumerate(zip(kept, arrays, strict=True)) if not a])
        saved = [lift(r) for r, a in zip(kept, arrays, strict=True) if a]
        return outs, [*primals[:count], *saved], Left(moving, self.out_tree, residual_tree, fixed)

    def pull(self, left: Left, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        definition, statics = self._around(residuals)
        bwd, count = definition.bwd, self._shape.count
        fixed = dict(left.fixed)
        given = iter(residuals[count:])
        kept = [fixed[i].value if i in fixed else next(given) for i in range(left.residual_tree.num_leaves)]
        if definition.vjp_zeros:
            cts = [SymbolicZero(ct.type) if _is_zero(ct) else ct for ct in cts]
        result = as_user(bwd, *statics, left.residual_tree.unflatten(kept), left.out_tree.unflatten(cts))
        found = self._cotangents(result, f"the bwd rule {function_source(bwd)} of {self.fun}")
        return [ct if m else None for ct, m in zip([*[None] * count, *found], left.moving, strict=True)]

    def refused(self, error: MissingRuleError) -> NoReturn:
        raise CustomRuleError(
            f"forward-mode differentiation of {self.fun} transposes its bwd rule "
            f"{function_source(self._definition.bwd)}, which must therefore be "
            f"linear in the cotangent, but it is not: {error.message.partition('.')[0]}.\n"
            f"Give the function a rule for tangents too: f.defjvp(rule)."
        ) from error

    def _cotangents(self, result: Any, name: str) -> list[Any]:
        """One for each leaf of the arguments."""
        if isinstance(result, (tuple, list)):
            leaves, structure = tree.flatten(tuple(result))
            if structure == self._in_tree:
                fitted = list(map(_fitting, leaves, self._types))
                if not any(ct is None for ct in fitted):
                    return fitted
        return self._partial_cotangents(result, name)

    def _partial_cotangents(self, result: Any, name: str) -> list[Any]:
        """The same where the result is not just like the arguments: None stands for zeros, or it does not fit."""
        example = self._in_tree.unflatten([_Leaf(t) for t in self._types])
        _check_tuple(result, len(example), name)
        names = operand_names(self._definition.fun, self._in_tree, [i for i, _ in self._statics])
        wanted = tree.leaves_with_path(example)
        argument_of = {path[0].idx: n for (path, _), n in zip(reversed(wanted), reversed(names), strict=True)}
        given = dict(tree.leaves_with_path(tuple(result), is_leaf=lambda x: x is None))
        law = f"{name}: the cotangent of an argument has its shape and dtype"
        found, used = [], set()
        for (path, leaf), argument in zip(wanted, names, strict=True):
            place = next((path[:n] for n in range(len(path)) if given.get(path[:n], 0) is None), path)
            if place not in given:
                raise _wrong_tree(name, argument, example[path[0].idx], result[path[0].idx])
            used.add(place)
            ct = Zero(leaf.type) if given[place] is None else given[place]
            fitted = _fitting(ct, leaf.type)
            if fitted is None:
                raise _unfit(ct, leaf.type, law, argument, f"the cotangent of {argument}, which {name} returned,")
            found.append(fitted)
        for path, value in given.items():
            if path not in used and value is not None:
                number = path[0].idx
                argument = argument_of.get(number, f"number {number}")
                raise _wrong_tree(name, argument, example[number], result[number])
        return found

    # -- linear functions and mapping ------------------------------------------------------------------------------

    def transposed(self, cts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        definition, _ = self._around(inputs)
        if definition.transpose is None:
            return super().transposed(cts, inputs)
        return list(definition.transpose(cts, *inputs))

    def vmapped(self, size: int, operands: Sequence[Any], axes: Axes) -> tuple[list[Any], list[int | None]]:
        count = self._shape.count
        if any(axis is not None for axis in axes[:count]):
            raise CustomRuleError(
                f"{self._definition.kind} function {self.fun} closes over a value that is mapped, but its rule for "
                f"vmap is not given it.\nPass that value to the function as an argument."
            )
        definition, statics = self._around(operands)
        rule = definition.vmap
        if rule is None:
            raise CustomRuleError(
                f"custom_vmap function {self.fun} is being mapped, but it has no rule for that.\n"
                f"Give it one before it is used: f.def_vmap(rule)."
            )
        pairs = zip(operands[count:], axes[count:], strict=True)
        leaves = [x if axis is None else placed(x, axis, 0, size) for x, axis in pairs]
        flags = self._in_tree.unflatten([axis is not None for axis in axes[count:]])
        args = self._arguments(leaves, statics)
        in_batched = self._arguments(tree.leaves(flags), [False] * len(statics)) if statics else list(flags)
        result = as_user(rule, size, in_batched, *args)
        name = f"the vmap rule {function_source(rule)} of {self.fun}"
        meaning = "out_batched says for every leaf of out whether it carries the mapped axis (as its axis 0)."
        out, out_batched = _pair(result, name, "(out, out_batched)", meaning)
        outs = self._results(out, name)
        mapped, mapped_tree = tree.flatten(out_batched)
        if mapped_tree != self.out_tree:
            raise CustomRuleError(
                f"{name}: out and out_batched must have one structure, got {self.out_tree} and {mapped_tree}.\n"
                f"{meaning}"
            )
        paths = _paths("out", self.out_tree)
        for out, flag, path in zip(outs, mapped, paths, strict=True):
            if flag and (not out.shape or out.shape[0] != size):
                raise CustomRuleError(
                    f"{name}: {path} is said to be mapped, so its axis 0 must have length {size}, got {out.type}"
                )
        return outs, [0 if flag else None for flag in mapped]


class _Leaf:
    """Stands for a leaf of an argument."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type


# -- what rules returned ---------------------------------------------------------------------------------------------


def _lifted(value: Any, where: str) -> Any:
    return value if type(value) is Array or isinstance(value, Tracer) else lift(value, where)


def _pair(result: Any, name: str, wanted: str, remedy: str) -> Any:
    """What a rule returned, which must be a pair."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise CustomRuleError(f"{name} must return a pair {wanted}, got {_described(result)}.\n{remedy}")
    return result


def _paths(root: str, structure: Any) -> list[str]:
    filled = tree.unflatten(structure, [object()] * structure.num_leaves)
    return [root + tree.keystr(path) for path, _ in tree.leaves_with_path(filled)]


def _fitting(value: Any, wanted: ArrayType) -> Any:
    """A tangent or cotangent of the type of what it belongs to, or `Zero`; None if it does not fit."""
    if isinstance(value, (SymbolicZero, Zero)) or not wanted.differentiable:
        return Zero(wanted.strong())
    if not is_array_like(value):
        return None
    value = lift(value)
    if value.shape != wanted.shape or (value.dtype != wanted.dtype and not value.type.weak):
        return None
    return strong(value if value.dtype == wanted.dtype else convert(value, wanted.dtype))


def _unfit(value: Any, wanted: ArrayType, law: str, place: str, what: str) -> CustomRuleError:
    got = lift(value, what).type.strong()
    return CustomRuleError(f"{law}:\n  {place}: expected {wanted.strong()}, got {got}\n{_remedy(got, wanted)}")


def _check_tuple(result: Any, count: int, name: str) -> None:
    """Refuse a bwd rule's result that is not one cotangent for each argument."""
    must = f"one cotangent for each differentiable argument (there {'is' if count == 1 else 'are'} {count})"
    if not isinstance(result, (tuple, list)):
        names = "ct," if count == 1 else ", ".join(f"ct_{i}" for i in range(count))
        raise CustomRuleError(
            f"{name} must return a tuple with {must}, got {_described(result)}.\nWrite: return ({names})"
        )
    if len(result) != count:
        raise CustomRuleError(
            f"{name} must return {must}, got {len(result)}.\nReturn None for an argument that has no cotangent."
        )


def _wrong_tree(name: str, argument: str, wanted: Any, got: Any) -> CustomRuleError:
    return CustomRuleError(
        f"{name}: the cotangent of an argument has its structure:\n"
        f"  {argument.partition('[')[0]}: expected {tree.structure(wanted)}, got {tree.structure(got)}\n"
        f"Return None for the argument, or for a part of it, that has no cotangent."
    )


def _is_zero(ct: Any) -> bool:
    if isinstance(ct, Tracer):
        return False
    splat = ct.splat()
    return splat is not None and not splat.tobytes().strip(b"\0")


def _described(value: Any) -> str:
    if isinstance(value, (Array, Tracer)):
        return f"an array of type {value.type}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else type(value).__name__


def _remedy(got: ArrayType, wanted: ArrayType) -> str:
    if got.shape == wanted.shape:
        return f"Convert it: .astype({wanted.dtype.name!r})."
    if got.size > wanted.size:
        return "Sum it over the axes along which the operand was spread: x.sum(axis)."
    return f"Spread it: fnp.broadcast_to(x, {wanted.shape})."
