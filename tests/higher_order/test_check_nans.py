"""Searching for NaN: with `config.check_nans` the first operation whose result is not finite is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import CheckError, FuncgradError
from tests.higher_order.test_checks import checked, error_of, fails


def nan_error(function: Callable[..., Any], *args: Any) -> FuncgradError | None:
    with fg.config(check_nans=True):
        return error_of(function, *args)


NAN_CASES = [
    (lambda x: fnp.log(x), -1.0, "the result of log has NaN in it"),
    (lambda x: fnp.exp(x) - 1, 1000.0, "the result of exp has an infinity in it"),
    (lambda x: 1 / x, 0.0, "the result of div has an infinity in it"),
    (lambda x: fg.grad(lambda x: fnp.sqrt(x) * 2)(x), 0.0, "the result of div has an infinity in it"),
    (lambda x: (x * 1j) / (x - 1), 1.0, "the result of div has NaN in it"),
    (lambda x: fg.lax.cond(x > 5, lambda x: x, fnp.log, x), -1.0, "the result of log has NaN in it"),
    (lambda x: checked(x + 2) if x > 0 else fnp.log(x), -1.0, "the result of log has NaN in it"),
]


@pytest.mark.parametrize(("function", "value", "message"), NAN_CASES)
def test_the_first_result_that_is_not_finite_is_named(function: Any, value: float, message: str) -> None:
    for f in (function, fg.jit(function)):
        error = nan_error(f, fnp.asarray(value))
        assert error is not None
        assert error.message == message
        assert error.source is not None
        assert error.source.file == __file__
        assert nan_error(f, fnp.asarray(6.0)) is None
        assert not fails(f, fnp.asarray(value))  # the setting is off again


def test_untaken_sides_may_have_nan() -> None:
    def f(x: Any) -> Any:
        return fg.lax.cond(x > 0, fnp.log, lambda x: x, x)

    for mapped in (fg.jit(fg.vmap(f)), fg.vmap(fg.jit(f)), fg.vmap(f), fg.jit(fg.grad(lambda x: fg.vmap(f)(x).sum()))):
        assert nan_error(mapped, fnp.array([-1.0, 2.0])) is None
        assert nan_error(mapped, fnp.array([-1.0, np.inf])) is not None


def test_checking_nans_elsewhere_leaves_this_thread_alone() -> None:
    with fg.config(check_nans=True), fg.config(check_nans=False):
        assert np.isnan(fnp.log(fnp.asarray(-1.0)).item())
    assert np.isnan(fnp.log(fnp.asarray(-1.0)).item())


def test_the_setting_for_the_process() -> None:
    fg.config.update(check_nans=True)
    try:
        with pytest.raises(CheckError):
            fnp.log(fnp.asarray(-1.0))
    finally:
        fg.config.update(check_nans=False)
    assert np.isnan(fnp.log(fnp.asarray(-1.0)).item())
