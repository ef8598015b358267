"""The rules that a user gave, made flat: called with what they expect, and what they return checked leaf by leaf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from .. import tree
from ..backend.array import Array
from ..core.interned import Interned
from ..core.program import stage
from ..core.trace import Tracer, state
from ..core.types import ArrayType, Zero
from ..errors import CustomRuleError, MissingRuleError
from ..ops.structure import convert, zeros_of
from ..source import function_source
from ..transforms.arguments import is_array_like, lift, strong
from ..transforms.partial_eval import Unknown
from .closures import Closed, Same
from .custom_rules import Axes, Backward, Rules, placed
from .signature import static_key
from .symbolic import CustomVJPPrimal, SymbolicZero

__all__ = ["Definition", "Static", "UserRules"]


class Static:
    """A value that rules are handed as it is; `key` says which are equal."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.key: Any = static_key(value)
        try:
            hash(self.key)
        except TypeError:
            self.key = Same(value)


class Definition:
    """A function and the rules it has so far."""

    def __init__(self, fun: Callable[..., Any], kind: str) -> None:
        self.fun = fun
        self.kind = kind
        self.jvp: Callable[..., Any] | None = None
        self.jvp_zeros = False
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None
        self.vjp_zeros = False
        self.vmap: Callable[..., Any] | None = None
        self.transpose: Callable[..., Any] | None = None
        self.infer: Callable[..., Any] | None = None

    def functions(self) -> tuple[Any, ...]:
        return self.fun, self.jvp, self.fwd, self.bwd, self.vmap, self.transpose

    def with_functions(self, functions: Sequence[Any]) -> Definition:
        made = Definition(self.fun, self.kind)
        made.__dict__.update(self.__dict__)
        made.fun, made.jvp, made.fwd, made.bwd, made.vmap, made.transpose = functions
        return made


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

    Attributes:
        out_tree: structure of the function's result, once it has been called.
    """

    def __init__(
        self,
        definition: Definition,
        in_tree: Any,
        types: tuple[ArrayType, ...],
        statics: tuple[tuple[int, Static], ...],
        shape: Closed,
        own: tuple[bool, ...],
        names: tuple[str, ...],
    ) -> None:
        self._definition = definition
        self._in_tree = in_tree
        self._types = types
        self._statics = statics
        self._shape = shape
        self._own = own
        self._names = names
        self.out_tree: Any = None
        self.fun = function_source(definition.fun)
        self.name = getattr(definition.fun, "__name__", "custom")
        self.arity = shape.count + len(types)
        self.has_jvp = definition.jvp is not None
        self.has_vjp = definition.bwd is not None
        self.has_vmap = definition.vmap is not None or definition.kind == "custom_vmap"
        self.derives = definition.kind == "custom_vmap" and not self.has_jvp and not self.has_vjp

    def __repr__(self) -> str:
        return self.fun

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
        outs, self.out_tree = tree.flatten(self.called(*operands))
        return [strong(self._lifted(out, f"what {self.fun} returned")) for out in outs]

    def infer(self, types: Sequence[ArrayType]) -> tuple[ArrayType, ...]:
        if self._definition.infer is not None:
            found = tuple(self._definition.infer(*types))
            self.out_tree = tree.structure([0] * len(found))  # such functions return lists of leaves
            return found
        return tuple(t.strong() for t in stage(self.call, types, self.name).out_types)

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

    @staticmethod
    def _lifted(value: Any, where: str) -> Any:
        return value if type(value) is Array or isinstance(value, Tracer) else lift(value, where)

    # -- tangents --------------------------------------------------------------------------------------------------

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        definition, statics = self._around(primals)
        rule: Any = definition.jvp
        count = self._shape.count
        zero = SymbolicZero if definition.jvp_zeros else zeros_of
        given = [zero(t.type) if type(t) is Zero else t for t in tangents[count:]]
        args = self._in_tree.unflatten(primals[count:]), self._in_tree.unflatten(given)
        result = as_user(rule, *statics, *args)
        name = f"the jvp rule {function_source(rule)} of {self.fun}"
        self._refuse_effects(tangents, name)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise CustomRuleError(
                f"{name} must return a pair (out, out_tangent), got {_described(result)}.\n"
                f"Write: return out, out_tangent"
            )
        outs, self.out_tree = tree.flatten(result[0])
        outs = [strong(self._lifted(out, f"what {name} returned")) for out in outs]
        found, tangent_tree = tree.flatten(result[1])
        if tangent_tree != self.out_tree:
            raise CustomRuleError(
                f"{name} returned a result and a tangent of different structures:\n"
                f"  result:  {self.out_tree}\n  tangent: {tangent_tree}\n"
                f"A tangent has the structure of its result; write zeros where it does not move."
            )
        paths = self._paths("out_tangent", self.out_tree)
        return outs, [self._tangent(*row, name) for row in zip(outs, found, paths, strict=True)]

    def _refuse_effects(self, tangents: Sequence[Any], name: str) -> None:
        """Refuse effects that wait for a tangent where there will be none."""
        tapes = {id(t.made_by): t.made_by.tape for t in tangents if type(t) is Unknown}  # type: ignore[attr-defined]
        if any(entry[0].effectful for tape in tapes.values() for entry in tape):
            raise CustomRuleError(
                f"{name}: a side effect depends on a tangent, but reverse mode never computes tangents, so it would "
                f"not happen.\nLet it depend on the primals only, or give the function a rule for cotangents: "
                f"f.defvjp(fwd, bwd)."
            )

    def _tangent(self, out: Any, tangent: Any, path: str, name: str) -> Any:
        if type(tangent) in (SymbolicZero, Zero) or not out.type.differentiable:
            return Zero(out.type)
        value = self._lifted(tangent, f"{path}, which {name} returned,")
        if value.shape != out.shape or (value.dtype != out.dtype and not value.type.weak):
            raise CustomRuleError(
                f"{name}: a tangent has the shape and dtype of its result:\n"
                f"  {path}: expected {out.type}, got {value.type.strong()}\n{_remedy(value.type, out.type)}"
            )
        return strong(convert(value, out.dtype))

    @staticmethod
    def _paths(root: str, structure: Any) -> list[str]:
        placed = tree.unflatten(structure, [object()] * structure.num_leaves)
        return [root + tree.keystr(path) for path, _ in tree.leaves_with_path(placed)]

    # -- cotangents ------------------------------------------------------------------------------------------------

    def forward(self, primals: Sequence[Any], moving: tuple[bool, ...]) -> tuple[list[Any], list[Any], Backward]:
        definition, statics = self._around(primals)
        fwd: Any = definition.fwd
        count = self._shape.count
        leaves = list(primals[count:])
        if definition.vjp_zeros:
            leaves = [CustomVJPPrimal(x, m) for x, m in zip(leaves, moving[count:], strict=True)]
        result = as_user(fwd, *self._arguments(leaves, statics))
        name = f"the fwd rule {function_source(fwd)} of {self.fun}"
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise CustomRuleError(
                f"{name} must return a pair (out, residuals), got {_described(result)}.\nWrite: return out, residuals"
            )
        outs, self.out_tree = tree.flatten(result[0])
        outs = [strong(self._lifted(out, f"what {name} returned")) for out in outs]
        kept, residual_tree = tree.flatten(result[1])
        arrays = tuple(is_array_like(r) and type(r) not in (bool, int, float, complex) for r in kept)
        fixed = tuple((i, Static(r)) for i, (r, a) in enumerate(zip(kept, arrays, strict=True)) if not a)
        residuals = [lift(r) for r, a in zip(kept, arrays, strict=True) if a]
        keys = tuple((i, static.key) for i, static in fixed)
        back = UserBackward(self, moving, self.out_tree, residual_tree, keys, Held(fixed))
        return outs, [*primals[:count], *residuals], back

    def pull(self, back: UserBackward, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        """Call the bwd rule and check what it returns."""
        definition, statics = self._around(residuals)
        bwd: Any = definition.bwd
        count = self._shape.count
        fixed = dict(back.fixed.value)
        given = iter(residuals[count:])
        kept = [fixed[i].value if i in fixed else next(given) for i in range(back.residual_tree.num_leaves)]
        if definition.vjp_zeros:
            cts = [SymbolicZero(ct.type) if _is_zero(ct) else ct for ct in cts]
        ct = back.out_tree.unflatten(cts)
        result = as_user(bwd, *statics, back.residual_tree.unflatten(kept), ct)
        found = self._cotangents(result, f"the bwd rule {function_source(bwd)} of {self.fun}")
        cotangents = [None] * count + found
        pairs = zip(cotangents, back.moving, strict=True)
        return [None if not m else ct for ct, m in pairs]

    def _cotangents(self, result: Any, name: str) -> list[Any]:
        """One for each leaf of the arguments."""
        example = self._in_tree.unflatten([_Leaf(t) for t in self._types])
        if not isinstance(result, (tuple, list)):
            more = (
                f"Write: return ({'ct,' if len(example) == 1 else ', '.join(f'ct_{i}' for i in range(len(example)))})"
            )
            raise CustomRuleError(
                f"{name} must return a tuple with one cotangent for each differentiable argument "
                f"(there {_are(example)}), got {_described(result)}.\n{more}"
            )
        if len(result) != len(example):
            raise CustomRuleError(
                f"{name} must return one cotangent for each differentiable argument (there {_are(example)}), "
                f"got {len(result)}.\nReturn None for an argument that has no cotangent."
            )
        wanted = tree.leaves_with_path(example)
        given = dict(tree.leaves_with_path(tuple(result), is_leaf=lambda x: x is None))
        found = []
        used = set()
        for (path, leaf), argument in zip(wanted, self._names, strict=True):
            zero = next((path[:n] for n in range(len(path) + 1) if path[:n] in given and given[path[:n]] is None), None)
            if path not in given and zero is None:
                raise self._wrong_tree(name, argument, example[path[0].idx], result[path[0].idx])
            used.add(path if zero is None else zero)
            found.append(Zero(leaf.type) if zero is not None else self._cotangent(given[path], leaf, argument, name))
        for path, value in given.items():
            if path not in used and value is not None:
                number = path[0].idx
                raise self._wrong_tree(name, self._argument(number), example[number], result[number])
        return found

    def _argument(self, number: int) -> str:
        """The name of a differentiable argument, as far as its leaves have told it."""
        starts = [path[0].idx for path, _ in tree.leaves_with_path(self._in_tree.unflatten(self._types))]
        return next((n for n, i in zip(self._names, starts, strict=True) if i == number), f"number {number}")

    def _wrong_tree(self, name: str, argument: str, wanted: Any, got: Any) -> CustomRuleError:
        argument = argument.partition("[")[0]
        return CustomRuleError(
            f"{name}: the cotangent of an argument has its structure:\n"
            f"  {argument}: expected {tree.structure(wanted)}, got {tree.structure(got)}\n"
            f"Return None for the argument, or for a part of it, that has no cotangent."
        )

    def _cotangent(self, ct: Any, leaf: Any, argument: str, name: str) -> Any:
        type: ArrayType = leaf.type
        if isinstance(ct, (SymbolicZero, Zero)) or not type.differentiable:
            return Zero(type.strong())
        value = self._lifted(ct, f"the cotangent of {argument}, which {name} returned,")
        if value.shape != type.shape or (value.dtype != type.dtype and not value.type.weak):
            raise CustomRuleError(
                f"{name}: the cotangent of an argument has its shape and dtype:\n"
                f"  {argument}: expected {type.strong()}, got {value.type.strong()}\n{_remedy(value.type, type)}"
            )
        return strong(convert(value, type.dtype))

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
        rule: Any = definition.vmap
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
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise CustomRuleError(
                f"{name} must return a pair (out, out_batched), got {_described(result)}.\n"
                f"out_batched says for every leaf of out whether it carries the mapped axis (as its axis 0)."
            )
        outs, self.out_tree = tree.flatten(result[0])
        outs = [strong(self._lifted(out, f"what {name} returned")) for out in outs]
        mapped, mapped_tree = tree.flatten(result[1])
        if mapped_tree != self.out_tree:
            raise CustomRuleError(
                f"{name}: out and out_batched must have one structure, got {self.out_tree} and {mapped_tree}.\n"
                f"out_batched says for every leaf of out whether it carries the mapped axis (as its axis 0)."
            )
        paths = self._paths("out", self.out_tree)
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


class Held:
    """A value that takes no part in comparisons."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Held

    def __hash__(self) -> int:
        return 0


class UserBackward(Interned):
    """A bwd rule with what its fwd rule left that is no array."""

    remembered = False

    rules: UserRules
    moving: tuple[bool, ...]
    out_tree: Any
    residual_tree: Any
    keys: tuple[Any, ...]
    fixed: Held

    @property
    def name(self) -> str:
        return self.rules.name

    def __repr__(self) -> str:
        return f"bwd of {self.rules!r}"

    def pull(self, residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
        return self.rules.pull(self, residuals, cts)

    def refused(self, error: MissingRuleError) -> NoReturn:
        bwd = function_source(self.rules._definition.bwd)
        raise CustomRuleError(
            f"forward-mode differentiation of {self.rules.fun} transposes its bwd rule {bwd}, which must therefore be "
            f"linear in the cotangent, but it is not: {error.message.partition('.')[0]}.\n"
            f"Give the function a rule for tangents too: f.defjvp(rule)."
        ) from error


def _is_zero(ct: Any) -> bool:
    if isinstance(ct, Tracer):
        return False
    splat = ct.splat()
    return splat is not None and not splat.tobytes().strip(b"\0")


def _are(values: Sequence[Any]) -> str:
    return "is 1" if len(values) == 1 else f"are {len(values)}"


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
