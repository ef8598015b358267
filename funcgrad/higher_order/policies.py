"""Checkpoint policies: which of the values that a checkpointed function computes are kept for its derivative.

A policy is a hashable function `(operation, operand types) -> bool`, asked once for each operation of the function and
of what the function calls through `jit`; True keeps the operation's results. Those here are compared by value, so that
equal ones share what was traced with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.interned import Interned
from ..core.primitive import Primitive
from ..core.types import ArrayType
from ..errors import ArgumentError
from ..ops.dot import DotGeneral
from ..ops.identities import Named
from ..source import function_source

__all__ = [
    "checkpoint_dots",
    "checkpoint_dots_with_no_batch_dims",
    "dots_saveable",
    "dots_with_no_batch_dims_saveable",
    "everything_saveable",
    "nothing_saveable",
    "offload_dot_with_no_batch_dims",
    "save_and_offload_only_these_names",
    "save_any_names_but_these",
    "save_anything_except_these_names",
    "save_from_both_policies",
    "save_only_these_names",
]

Policy = Callable[[Primitive, tuple[ArrayType, ...]], bool]


class Always(Interned):
    """One answer for every operation."""

    answer: bool

    def __call__(self, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
        return self.answer


class Dots(Interned):
    """True for products that contract axes, perhaps only for those without batching axes."""

    batched: bool

    def __call__(self, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
        return isinstance(op, DotGeneral) and (self.batched or not op.batching[0])


class Names(Interned):
    """True for values named by `checkpoint_name`: those in `names`, or, with `excluded`, all the others."""

    names: frozenset[str]
    excluded: bool

    def __call__(self, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
        return isinstance(op, Named) and (op.label in self.names) is not self.excluded


class AnythingExcept(Interned):
    """True for all operations, but the values with one of `refused` names are computed anew."""

    refused: frozenset[str]

    def __call__(self, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
        return True


class Either(Interned):
    """True where one of two policies says so."""

    first: Policy
    second: Policy

    def __call__(self, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
        return asked(self.first, op, types) or asked(self.second, op, types)


def asked(policy: Policy, op: Primitive, types: tuple[ArrayType, ...]) -> bool:
    """A policy's answer.

    Raises:
        ArgumentError: it is not a truth value.
    """
    answer = policy(op, types)
    if not isinstance(answer, (bool, np.bool_)):
        raise ArgumentError(
            f"checkpoint: the policy {_described(policy)} answered {answer!r} of type {type(answer).__name__} for the "
            f"operation {op.name}.\n"
            f"A policy (operation, operand types) returns True for results to keep and False for those to compute anew."
        )
    return bool(answer)


def refused_names(policy: Policy) -> frozenset[str]:
    """The names whose values the policy keeps under no circumstances."""
    if isinstance(policy, AnythingExcept):
        return policy.refused
    if isinstance(policy, Either):
        return refused_names(policy.first) & refused_names(policy.second)
    return frozenset()


def check_policy(policy: Any, what: str) -> None:
    """Refuse early what is not a policy.

    Raises:
        ArgumentError: it cannot be called or hashed.
    """
    if not callable(policy):
        raise ArgumentError(
            f"{what}: a policy is a function (operation, operand types) -> bool, got {policy!r} of type "
            f"{type(policy).__name__}.\n"
            f"Take one of fg.checkpoint_policies, such as fg.checkpoint_policies.dots_saveable."
        )
    try:
        hash(policy)
    except TypeError:
        raise ArgumentError(
            f"{what}: the policy {policy!r} of type {type(policy).__name__} cannot be hashed, but what is traced with "
            f"it is remembered by it.\n"
            f"Define it with def, or give its class a __hash__ (frozen=True for a dataclass)."
        ) from None


def _described(policy: Policy) -> str:
    return repr(policy) if isinstance(policy, Interned) else function_source(policy)


def _checked_names(what: str, names: Sequence[Any]) -> frozenset[str]:
    for name in names:
        if not isinstance(name, str):
            raise ArgumentError(
                f"{what} takes the names given to checkpoint_name, got {name!r} of type {type(name).__name__}.\n"
                f"It makes a policy and is none itself: write policy=fg.checkpoint_policies.{what}(…)."
            )
    return frozenset(names)


everything_saveable: Policy = Always(True)
"""Keep the result of every operation: the memory of no checkpoint at all."""

nothing_saveable: Policy = Always(False)
"""Keep nothing but the function's inputs; what `checkpoint` does by default."""

dots_saveable: Policy = Dots(True)
"""Keep the results of matrix products and their kin, which are expensive to compute anew."""

checkpoint_dots: Policy = dots_saveable
"""Another name of `dots_saveable`."""

dots_with_no_batch_dims_saveable: Policy = Dots(False)
"""Keep the results of matrix products without batching axes: those with weights, not those of attention."""

checkpoint_dots_with_no_batch_dims: Policy = dots_with_no_batch_dims_saveable
"""Another name of `dots_with_no_batch_dims_saveable`."""


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keep only the values that `checkpoint_name` gave one of these names.

    Args:
        *names_which_can_be_saved: names.

    Example:
        >>> import funcgrad as fg
        >>> policies = fg.checkpoint_policies
        >>> policies.save_only_these_names("hidden") is policies.save_only_these_names("hidden")
        True
    """
    return Names(_checked_names("save_only_these_names", names_which_can_be_saved), False)


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keep only values that `checkpoint_name` named, except those with these names.

    Args:
        *names_not_to_save: names.
    """
    return Names(_checked_names("save_any_names_but_these", names_not_to_save), True)


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keep everything, except the values with these names.

    A value and the operation that made it are one: the value that was named is computed anew, by whichever operation.

    Args:
        *names_not_to_save: names.
    """
    return AnythingExcept(_checked_names("save_anything_except_these_names", names_not_to_save))


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keep what either of two policies keeps.

    Args:
        policy_1, policy_2: policies.

    Raises:
        ArgumentError: one of them cannot be called or hashed.
    """
    for policy in (policy_1, policy_2):
        check_policy(policy, "save_from_both_policies")
    return Either(policy_1, policy_2)


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Sequence[str],
    names_which_can_be_offloaded: Sequence[str],
    offload_src: str = "device",
    offload_dst: str = "pinned_host",
) -> Policy:
    """Keep the values with some names where they are, and those with some others in the host's memory.

    On the CPU every value is in the host's memory already. On accelerators offloaded values are, for now, kept in the
    device's memory, as saved ones are.

    Args:
        names_which_can_be_saved: names of values to keep where they are.
        names_which_can_be_offloaded: names of values to move; no name may be in both.
        offload_src, offload_dst: the kinds of memory to move from and to.

    Raises:
        ArgumentError: a name is in both lists.
    """
    what = "save_and_offload_only_these_names"
    saved = _checked_names(what, names_which_can_be_saved)
    offloaded = _checked_names(what, names_which_can_be_offloaded)
    if saved & offloaded:
        raise ArgumentError(
            f"{what}: {', '.join(map(repr, sorted(saved & offloaded)))} cannot be both saved and offloaded; "
            f"give each name to one of the two"
        )
    return Names(saved | offloaded, False)


def offload_dot_with_no_batch_dims(offload_src: str = "device", offload_dst: str = "pinned_host") -> Policy:
    """Keep the results of matrix products without batching axes, in the host's memory.

    On the CPU every value is in the host's memory already. On accelerators they are, for now, kept in the device's
    memory, as by `dots_with_no_batch_dims_saveable`.

    Args:
        offload_src, offload_dst: the kinds of memory to move from and to.
    """
    return dots_with_no_batch_dims_saveable
