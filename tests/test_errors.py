"""The tree of errors: standard classes catch them, they survive pickling, and they quote the user's line."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

STANDARD = {
    errors.ShapeError: ValueError,
    errors.RaggedError: ValueError,
    errors.DTypeError: TypeError,
    errors.AxisError: (np.exceptions.AxisError, ValueError, IndexError),
    errors.OutOfBoundsError: IndexError,
    errors.ImmutableError: TypeError,
    errors.ArgumentError: ValueError,
    errors.StaticArgumentError: TypeError,
    errors.LinAlgError: (np.linalg.LinAlgError, ValueError),
    errors.TreeError: (ValueError, TypeError),
    errors.DifferentiationError: TypeError,
    errors.ConcretizationError: TypeError,
    errors.LeakedTracerError: RuntimeError,
    errors.KeyReuseError: RuntimeError,
    errors.ControlFlowError: TypeError,
    errors.BranchError: TypeError,
    errors.CustomRuleError: TypeError,
    errors.DisagreementError: AssertionError,
    errors.CallbackError: RuntimeError,
    errors.CheckError: RuntimeError,
    errors.IntegerDivisionError: ZeroDivisionError,
    errors.DonatedError: RuntimeError,
    errors.DeviceError: ValueError,
    errors.MissingRuleError: NotImplementedError,
    errors.ProgramError: RuntimeError,
    errors.EngineError: RuntimeError,
}


def test_every_error_is_of_our_tree_and_of_the_standard_class() -> None:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert issubclass(error, (errors.FuncgradError, UserWarning))
        assert f"── {name}" in (errors.__doc__ or "") or error is errors.FuncgradError
    for error, classes in STANDARD.items():
        for standard in classes if isinstance(classes, tuple) else (classes,):
            assert issubclass(error, standard)
    kinds = {getattr(errors, name) for name in errors.__all__}
    assert set(STANDARD) == {kind for kind in kinds if issubclass(kind, errors.FuncgradError)} - {errors.FuncgradError}


def test_errors_survive_pickling() -> None:
    with pytest.raises(errors.ShapeError) as caught:
        fnp.ones(2) + fnp.ones(3)
    found = pickle.loads(pickle.dumps(caught.value))
    assert type(found) is errors.ShapeError
    assert str(found) == str(caught.value)


def test_the_line_is_that_of_the_innermost_user_function() -> None:
    def layer(x: fg.Array) -> fg.Array:
        return x @ fnp.ones((7, 2))

    def loss(x: fg.Array) -> fg.Array:
        return fnp.sum(layer(x))

    for call in (loss, fg.grad(loss), fg.jit(loss), fg.jit(fg.grad(loss)), fg.vmap(loss)):
        with pytest.raises(errors.ShapeError) as caught:
            call(fnp.ones((3, 4)))
        assert caught.value.source is not None
        assert caught.value.source.text == "return x @ fnp.ones((7, 2))"


def test_standard_modules_between_are_not_the_users_line() -> None:
    with pytest.raises(errors.ArgumentError) as caught, fg.config(default_float="int8"):
        pass
    assert caught.value.source is not None
    assert caught.value.source.file == __file__


def test_numpy_errors_inside_evaluation_do_not_leak_settings() -> None:
    before = np.geterr()
    with pytest.raises(errors.OutOfBoundsError):
        fnp.ones(2)[5]
    assert np.geterr() == before
