"""The check operations by themselves: what they carry, eager against compiled, mapped and masked."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.core.dtypes import ALL
from funcgrad.core.interned import Interned
from funcgrad.core.types import ArrayType
from funcgrad.errors import CheckError, FuncgradError, IntegerDivisionError, OutOfBoundsError
from funcgrad.ops.checks import (
    Check,
    CheckDivisor,
    CheckFinite,
    CheckIndices,
    format_message,
    here,
    read_words,
    site_of,
    word_count,
)

I32, I64 = np.dtype(np.int32), np.dtype(np.int64)


def outcome(op: Any, *operands: Any) -> tuple[type, str] | None:
    """The error that a check raises eagerly; None if it holds."""
    try:
        op(*map(fnp.asarray, operands))
    except FuncgradError as error:
        return type(error), error.message
    return None


def compiled_outcome(op: Any, *operands: Any) -> tuple[type, str] | None:
    """The error that a compiled check raises when the call's result is read; None if it holds."""

    def checked(*args: Any) -> Any:
        op(*args)
        return fnp.zeros(())

    result = fg.jit(checked)(*map(fnp.asarray, operands))
    try:
        assert result.item() == 0
    except FuncgradError as error:
        return type(error), error.message
    return None


CASES = [
    (CheckIndices(1, 5, (3, 5), here()), np.array([0, 4], I32), None),
    (CheckIndices(1, 5, (3, 5), here()), np.array([0, 5], I32), "index 5 is out of bounds for axis 1 of length 5"),
    (CheckIndices(1, 5, (3, 5), here()), np.array([[0], [-2]], I32), "index -7 is out of bounds for axis 1"),
    (CheckIndices(0, 5, (5,), here()), np.array(4, I64), None),
    (CheckIndices(0, 5, (5,), here()), np.array(2**40, I64), "index 1099511627776 is out of bounds"),
    (CheckIndices(0, 5, (5,), here()), np.array([-(2**40)], I64), "index -1099511627781 is out of bounds"),
    (CheckIndices(0, 0, (0,), here()), np.array([0], I32), "index 0 is out of bounds for axis 0 of length 0"),
    (CheckDivisor("rem", here()), np.array([1, -1], np.int8), None),
    (CheckDivisor("rem", here()), np.array([[1, 0]], np.uint64), "rem: an integer is divided by zero"),
    (CheckFinite("exp", here()), np.array([1.0, -1e30]), None),
    (CheckFinite("exp", here()), np.array([1.0, np.inf], np.float32), "the result of exp has an infinity in it"),
    (CheckFinite("log", here()), np.array(np.nan, ml_dtypes.bfloat16), "the result of log has NaN in it"),
    (CheckFinite("log", here()), np.array([np.inf, np.nan]), "the result of log has NaN in it"),
    (CheckFinite("log", here()), np.array([complex(0, np.inf)]), "the result of log has an infinity in it"),
    (CheckFinite("log", here()), np.array([complex(np.nan, 0)]), "the result of log has NaN in it"),
]


@pytest.mark.parametrize(("op", "operand", "message"), CASES)
def test_eager_and_compiled_checks_say_the_same(op: Any, operand: Any, message: str | None) -> None:
    eager = outcome(op, operand)
    assert (eager is None) == (message is None)
    assert eager is None or str(message) in eager[1]
    assert compiled_outcome(op, operand) == eager


@pytest.mark.parametrize(("op", "operand"), [case[:2] for case in CASES if case[2]])
def test_a_masked_check_fails_only_under_a_true_mask(op: Any, operand: Any) -> None:
    def masked(mask: Any, x: Any) -> Any:
        op.masked(mask, (x,))
        return x

    run, x = fg.jit(masked), fnp.asarray(operand)
    np.asarray(run(False, x))
    with pytest.raises(FuncgradError) as caught:
        np.asarray(run(True, x))
    assert (type(caught.value), caught.value.message) == outcome(op, operand)


@pytest.mark.parametrize("dtype", ALL, ids=lambda dtype: dtype.name)
def test_every_dtype_is_carried_exactly(dtype: np.dtype) -> None:
    values = np.array([0, 1, 0, 1] if dtype.kind == "b" else [1, 2, 3, 4] if dtype.kind == "u" else [1, -2, 0.5, 4])
    given = values.astype(dtype).reshape(2, 2)
    eager = outcome(user_check(given), np.asarray(False), given)
    assert eager is not None
    assert compiled_outcome(user_check(given), np.asarray(False), given) == eager


def user_check(*values: Any) -> Check:
    types = tuple(ArrayType(np.shape(v), np.asarray(v).dtype) for v in values)
    return Check("no", ("",) * len(values), types, types, 0, here())


def test_extreme_numbers_are_carried_exactly() -> None:
    for value in (np.int64(-(2**63)), np.uint64(2**64 - 1), np.float64(1e-300), np.int8(-128), np.float32(np.nan)):
        assert compiled_outcome(user_check(value), np.asarray(False), value) == (CheckError, f"no\nvalue 0: {value}")


def test_words_are_counted_as_they_are_read() -> None:
    type = ArrayType((3,), np.dtype(np.complex128))
    assert word_count(type) == 12
    assert np.array_equal(read_words(np.zeros(12, np.uint32), type), np.zeros(3))


def test_one_place_is_one_site() -> None:
    sites = [here() for _ in range(2)]
    assert sites[0] is sites[1]
    assert here() is not here() or sites[0] is not here()
    assert repr(sites[0]).startswith(__file__)
    assert site_of(None).source is None


def test_equal_checks_of_one_line_are_one_operation() -> None:
    operations = [CheckIndices(0, 5, (5,), here()) for _ in range(2)]
    assert operations[0] is operations[1]
    assert isinstance(operations[0], Interned)
    assert operations[0] is not CheckIndices(0, 5, (5,), here())


def test_checks_are_kept_and_counted() -> None:
    def f(x: Any, i: Any) -> Any:
        x[i]
        fg.check(i > 0, "no", i, i * 2.0)
        return x

    program = fg.make_program(f)(fnp.ones(3), 1)
    assert program.effects == {"check"}
    assert program.payload == 2
    assert [eqn.op.name for eqn in program.equations if eqn.op.effectful] == ["check_indices", "check"]
    assert "    check_indices[axis=0, length=3" in str(program)


def test_unread_values_follow_the_message() -> None:
    assert format_message("{} then {b}", ("", "a", "b"), (1, 2, 3)) == "1 then 3\na: 2"
    assert format_message("no {{}} here", ("", ""), (1, 2)) == "no {} here\nvalue 0: 1\nvalue 1: 2"


def test_the_first_of_several_failures_is_told() -> None:
    @fg.jit
    def f(x: Any) -> Any:
        fg.check(x < 3, "first")
        fg.check(x < 2, "second {}", x)
        return x // (x - 1)

    assert f(0).item() == 0
    for value, kind, message in (
        (3, CheckError, "first"),
        (2, CheckError, "second 2"),
        (1, IntegerDivisionError, "floor"),
    ):
        with pytest.raises(kind, match=message):
            f(value).item()


def test_check_indices_refuses_like_indexing() -> None:
    with pytest.raises(OutOfBoundsError) as eager:
        fnp.arange(5)[7]
    with pytest.raises(OutOfBoundsError) as compiled:
        fg.jit(lambda x, i: x[i])(fnp.arange(5), 7).item()
    assert compiled.value.message == eager.value.message


def test_a_line_is_one_site_also_once_the_interpreter_has_specialised_it() -> None:
    def element(x: Any, i: Any) -> Any:
        return x[i]

    sites = set()
    for _ in range(40):
        program = fg.make_program(element)(fnp.ones(3), 1)
        sites |= {eqn.op.site for eqn in program.equations if isinstance(eqn.op, CheckIndices)}
    assert len(sites) == 1
