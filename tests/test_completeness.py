"""Every operation has, or declares that it cannot have, each of the six rules; and at least one sample."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache

import pytest

import funcgrad
from funcgrad.core.primitive import Primitive
from funcgrad.higher_order.branch import Raise
from funcgrad.higher_order.call import Call
from funcgrad.higher_order.callback import Callback
from funcgrad.higher_order.checkpoint import Checkpoint
from funcgrad.higher_order.cond import Cond
from funcgrad.higher_order.custom_call import CustomCall, Forward, PullBack
from funcgrad.higher_order.scan import Scan
from funcgrad.higher_order.staged_rules import Embedded
from funcgrad.higher_order.while_loop import While
from funcgrad.ops.checks import Check, CheckDivisor, CheckFinite, CheckIndices
from funcgrad.ops.identities import Named, OptimizationBarrier
from tests.laws import collected

WITHOUT_SAMPLES = {
    Checkpoint: "its operands are those of its program; tests/higher_order/test_checkpoint.py checks it",
    Named: "it is the identity, told apart by what checkpoints keep; tests/higher_order/test_checkpoint.py checks it",
    OptimizationBarrier: "it is the identity of any operands; tests/higher_order/test_checkpoint.py checks it",
    Callback: "what it computes is the user's; tests/higher_order/test_callback.py checks it",
    CustomCall: "its operands are those of its program; tests/higher_order/test_custom.py checks it",
    Embedded: "it has no operands; tests/higher_order/test_custom.py checks it",
    Forward: "its operands are those of its program; tests/higher_order/test_custom.py checks it",
    PullBack: "it is linear by a function of the user's; tests/higher_order/test_custom.py checks it",
    Check: "it has no results; tests/ops/test_checks.py checks it",
    CheckDivisor: "it has no results; tests/ops/test_checks.py checks it",
    CheckFinite: "it has no results; tests/ops/test_checks.py checks it",
    CheckIndices: "it has no results; tests/ops/test_checks.py checks it",
    Cond: "its operands are those of its programs; tests/higher_order/test_cond.py checks it",
    Raise: "it has no results; tests/higher_order/test_branch.py checks it",
    Scan: "its operands are those of its program; tests/higher_order/test_scan.py checks it",
    While: "its operands are those of its programs; tests/higher_order/test_while_loop.py checks it",
    Call: "its operands are those of its program; tests/higher_order and the random programs check it",
}
RULES = ("infer", "evaluate", "lower", "jvp", "transpose", "batch")

for module in pkgutil.walk_packages(funcgrad.__path__, "funcgrad."):
    importlib.import_module(module.name)


def final_classes(cls: type) -> Iterator[type]:
    """The classes below `cls` from which nothing derives: classes are abstract or final."""
    children = cls.__subclasses__()
    for child in children:
        yield from final_classes(child)
    if not children and cls.__module__.startswith("funcgrad."):
        yield cls


OPERATIONS = sorted(set(final_classes(Primitive)), key=lambda cls: (cls.__module__, cls.__name__))


def has_rule(cls: type, rule: str) -> bool:
    """Whether a class or one of its families defines the rule."""
    return inspect.getattr_static(cls, rule) is not inspect.getattr_static(Primitive, rule)


@cache
def sampled_operations() -> frozenset[type]:
    """The classes of the operations that the laws are checked on."""
    return frozenset(type(sample.op) for file in collected.FILES for sample in collected.samples_of(file))


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_every_rule_is_defined_or_declared(cls: type) -> None:
    assert [rule for rule in RULES if not has_rule(cls, rule)] == []


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_every_operation_has_a_docstring(cls: type) -> None:
    assert (cls.__doc__ or "").strip()
    assert not (cls.__doc__ or "").startswith(f"{cls.__name__}(")  # the one that dataclasses write


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.__name__)
def test_every_operation_has_a_sample(cls: type) -> None:
    assert cls in WITHOUT_SAMPLES or cls in sampled_operations()
