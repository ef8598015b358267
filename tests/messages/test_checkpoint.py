"""Golden messages of mistakes with checkpoints and their policies."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
POLICIES: Any = fg.checkpoint_policies


@mistake(errors.ArgumentError, "checkpoint takes a function, got Array")
def a_checkpoint_of_an_array() -> Any:
    return fg.checkpoint(fnp.ones(3))


@mistake(
    errors.ArgumentError,
    "checkpoint: a policy is a function (operation, operand types) -> bool, got 'dots' of type str.\n"
    "Take one of fg.checkpoint_policies, such as fg.checkpoint_policies.dots_saveable.",
)
def a_policy_that_is_a_name() -> Any:
    return fg.checkpoint(fnp.sin, policy="dots")  # type: ignore[arg-type]


@mistake(
    errors.ArgumentError,
    "checkpoint: the policy <chooser> of type Chooser cannot be hashed, but what is traced with it is remembered by "
    "it.\n"
    "Define it with def, or give its class a __hash__ (frozen=True for a dataclass).",
)
def a_policy_that_cannot_be_hashed() -> Any:
    class Chooser:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, op: Any, types: Any) -> bool:
            return True

        def __repr__(self) -> str:
            return "<chooser>"

    return fg.checkpoint(fnp.sin, policy=Chooser())


@mistake(
    errors.ArgumentError,
    "save_only_these_names takes the names given to checkpoint_name, got Cos() of type Cos.\n"
    "It makes a policy and is none itself: write policy=fg.checkpoint_policies.save_only_these_names(…).",
)
def a_policy_maker_for_a_policy() -> Any:
    return fg.grad(fg.checkpoint(lambda x: fnp.sin(fnp.sin(x)), policy=POLICIES.save_only_these_names))(1.0)


@mistake(
    errors.ArgumentError,
    "checkpoint: the policy perhaps (FILE:N) answered 'yes' of type str for the operation cos.\n"
    "A policy (operation, operand types) returns True for results to keep and False for those to compute anew.",
)
def a_policy_that_does_not_answer() -> Any:
    def perhaps(op: Any, types: Any) -> Any:
        return "yes"

    return fg.grad(fg.checkpoint(fnp.sin, policy=perhaps))(1.0)


@mistake(
    errors.ArgumentError,
    "save_and_offload_only_these_names: 'a' cannot be both saved and offloaded; give each name to one of the two",
)
def a_name_saved_and_offloaded() -> Any:
    return POLICIES.save_and_offload_only_these_names(
        names_which_can_be_saved=["a", "b"], names_which_can_be_offloaded=["a"], offload_src="device",
        offload_dst="pinned_host",
    )  # fmt: skip


@mistake(errors.ArgumentError, "checkpoint_name: the name must be a string, got 3 of type int")
def a_name_that_is_a_number() -> Any:
    return fg.checkpoint_name(1.0, 3)  # type: ignore[arg-type]


@mistake(errors.ArgumentError, "checkpoint: prevent_cse must be True or False, got (True, False)")
def prevent_cse_per_argument() -> Any:
    return fg.checkpoint(fnp.add, prevent_cse=(True, False))  # type: ignore[arg-type]


@mistake(
    errors.StaticArgumentError,
    "checkpoint of f (FILE:N): the static argument sizes is of type list, which cannot be hashed, so it cannot be part "
    "of the compiled function's key.\n"
    "Pass a hashable value (a tuple instead of a list), or make it a traced argument.",
)
def a_static_list() -> Any:
    def f(x: Any, sizes: Any) -> Any:
        return fnp.sin(x) * sizes[0]

    return fg.grad(fg.checkpoint(f, static_argnums=1))(1.0, [2])


@pytest.mark.parametrize("row", mistake.rows, ids=lambda row: row.function.__name__)
def test_the_message(row: Mistake) -> None:
    row.check()
