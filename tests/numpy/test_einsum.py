"""Einstein's summation, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, DTypeError, ShapeError

from .surface import Call, agree, shaped


def numbers(*shape, dtype=np.float32, seed=0):
    """Small integers: every sum of products is exact."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)


EINSUMS = [
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,jk->ki", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iji->j", [(3, 2, 3)]),
    ("iii->i", [(3, 3, 3)]),
    ("iijj->ij", [(2, 2, 3, 3)]),
    ("ij->", [(2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("i,i->i", [(3,), (3,)]),
    (",", [(), ()]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("bij,bjk->bik", [(4, 2, 3), (1, 3, 4)]),
    ("bij,bjk->bik", [(1, 2, 3), (1, 3, 4)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...,...", [(2, 3), (3,)]),
    ("i...->...", [(2, 3, 4)]),
    ("i...j,jk->i...k", [(2, 5, 3), (3, 4)]),
    ("aab,bcc->ac", [(2, 2, 3), (3, 4, 4)]),
    ("ij,ij,ij->j", [(2, 3)] * 3),
    ("ijk,ilm,njm,nlk,abc->", [(2, 3, 4), (2, 5, 6), (2, 3, 6), (2, 5, 4), (2, 2, 2)]),
    ("ij,jk->ik", [(0, 3), (3, 2)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS)
@pytest.mark.parametrize("optimize", ["auto", False])
def test_einsum(subscripts, shapes, optimize):
    operands = [numbers(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    expected = np.einsum(subscripts, *operands)
    result = fnp.einsum(subscripts, *operands, optimize=optimize)
    assert result.shape == expected.shape
    assert np.array_equal(result, expected)


def test_einsum_compiled_and_differentiated():
    x, y = numbers(2, 3), numbers(3, 4, seed=1)
    assert np.array_equal(fg.jit(lambda a, b: fnp.einsum("ij,jk->ki", a, b))(x, y), (x @ y).T)
    gradient = fg.grad(lambda a: fnp.einsum("ij,jk->", a, y))(fnp.asarray(x))
    assert np.array_equal(gradient, np.broadcast_to(y.sum(1), x.shape))


def test_interleaved_einsum():
    x, y = numbers(2, 3), numbers(3, 4)
    assert np.array_equal(fnp.einsum(x, [0, 1], y, [1, 2], [0, 2]), x @ y)
    assert np.array_equal(fnp.einsum(x, [0, 1], y, [1, 2]), x @ y)
    assert np.array_equal(fnp.einsum(x, [..., 1], y, [1, 2], [..., 2]), x @ y)


def test_einsum_keeps_the_preferred_dtype_through_every_step():
    half = [fnp.ones((2, 2), dtype=np.float16)] * 3
    assert fnp.einsum("ij,jk,kl->il", *half, preferred_element_type=np.float32).dtype == np.float32


# -- any subscripts ----------------------------------------------------------------------------------------------------


@st.composite
def summations(draw):
    """Subscripts and operands that fit, as text or interleaved, with ellipses, repeated and stretched indices."""
    letters = "abcd"
    lengths = {c: draw(st.integers(0, 3)) for c in letters}
    dots = draw(st.lists(st.integers(1, 2), max_size=2))
    kinds = draw(st.sampled_from(["F", "F", "iF", "b", "C", "I"]))
    rows, operands = [], []
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.lists(st.sampled_from(letters), max_size=3))
        shape = [lengths[c] if draw(st.integers(0, 9)) else 1 for c in row]
        if draw(st.booleans()):
            place = draw(st.integers(0, len(row)))
            stretched = dots[draw(st.integers(0, len(dots))) :]
            row = [*row[:place], "...", *row[place:]]
            shape = [*shape[:place], *(n if draw(st.booleans()) else 1 for n in stretched), *shape[place:]]
        rows.append(row)
        operands.append(draw(shaped(tuple(shape), draw(st.sampled_from(kinds)))))
    if len({x.dtype for x in operands}) > 1 and any(x.dtype.kind == "b" for x in operands):
        operands = [x.astype(np.float32) for x in operands]
    present = sorted({c for row in rows for c in row if c != "..."})
    output = None
    if draw(st.booleans()):
        output = draw(st.lists(st.sampled_from(present), unique=True)) if present else []
        output = [*output, "..."] if any("..." in row for row in rows) else output
    if draw(st.booleans()):
        text = ",".join("".join(row) for row in rows)
        return Call((text if output is None else f"{text}->{''.join(output)}", *operands))
    as_numbers = [[Ellipsis if c == "..." else letters.index(c) for c in row] for row in rows]
    args = [part for pair in zip(operands, as_numbers, strict=True) for part in pair]
    return Call((*args, *([] if output is None else [[Ellipsis if c == "..." else letters.index(c) for c in output]])))


@given(summations())
def test_any_summation(drawn):
    agree("einsum", drawn, absolute=16)


@given(summations())
def test_any_summation_planned(drawn):
    """Larger arrays and traced values take the plan that small host arrays do without."""
    batched = [x[None] if isinstance(x, np.ndarray) else x for x in drawn.args]
    axes = tuple(0 if isinstance(x, np.ndarray) else None for x in drawn.args)
    places = [i for i, axis in enumerate(axes) if axis == 0]

    def of_arrays(*arrays):
        args = list(drawn.args)
        for i, x in zip(places, arrays, strict=True):
            args[i] = x
        return fnp.einsum(*args)

    try:
        expected = np.einsum(*drawn.args)
    except ValueError:
        with pytest.raises(ValueError, match="einsum"):
            of_arrays(*[drawn.args[i] for i in places])
        return
    result = fg.vmap(of_arrays)(*[batched[i] for i in places])[0]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max(initial=0))
    assert result.shape == expected.shape


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.complex64, np.float16])
def test_dtypes_compiled(dtype):
    x, y = numbers(3, 4).astype(dtype), numbers(4, 3, seed=1).astype(dtype)
    for text in ("ij,jk->ik", "ij,ji", "ij,ji->j", "ij,jk"):
        agree("einsum", Call((text, x, y)), compiled=True)
    agree("einsum", Call(("ij->j", x)), compiled=True)


def test_dtype_and_casting():
    x = numbers(2, 2)
    assert fnp.einsum("ij,jk", x, x, dtype=np.float64).dtype == np.float64
    assert fnp.einsum("ij,jk", x, x, dtype=np.int32, casting="unsafe").dtype == np.int32
    agree("einsum", Call(("ij,jk", x, x), {"dtype": np.int32}))
    assert fnp.einsum("i,->i", fnp.ones(2, dtype=np.float16), 2.0).dtype == np.float16


OPTIMIZE = [True, False, "greedy", "optimal", ("greedy", 100), [(0, 1), (0, 1)], ["einsum_path", (1, 2), (0, 1)]]


@pytest.mark.parametrize("optimize", OPTIMIZE, ids=str)
def test_ways_to_optimize(optimize):
    operands = [numbers(3, 4), numbers(4, 5, seed=1), numbers(5, 2, seed=2)]
    expected = operands[0] @ operands[1] @ operands[2]
    assert np.array_equal(fnp.einsum("ij,jk,kl->il", *operands, optimize=optimize), expected)
    path, account = fnp.einsum_path("ij,jk,kl->il", *operands, optimize=optimize)
    assert path[0] == "einsum_path"
    assert "Complete contraction" in account
    assert np.array_equal(fnp.einsum("ij,jk,kl->il", *operands, optimize=path), expected)
    assert np.array_equal(np.einsum("ij,jk,kl->il", *operands, optimize=path), expected)


def test_the_path_is_numpys_where_there_is_one_choice():
    operands = [np.ones((8, 2)), np.ones((2, 50)), np.ones((50, 3))]
    assert fnp.einsum_path("ij,jk,kl->il", *operands)[0] == np.einsum_path("ij,jk,kl->il", *operands)[0]


SQUARE = fnp.ones((2, 2))
MISTAKES = [
    (
        lambda: fnp.einsum("ij,jk", fnp.ones((2, 3)), fnp.ones((4, 5))),
        ShapeError,
        "einsum 'ij,jk': index 'j' has length 3 and length 4 (shapes (2, 3) and (4, 5))",
    ),
    (
        lambda: fnp.einsum("i,i->", fnp.ones((2, 3)), fnp.ones(2)),
        ShapeError,
        "einsum 'i,i->': an operand of shape (2, 3) has 1 indices, 'i'",
    ),
    (
        lambda: fnp.einsum("ii", fnp.ones((1, 3))),
        ShapeError,
        "einsum 'ii': index 'i' has length 1 and length 3 in one operand, of shape (1, 3): a diagonal needs equal "
        "lengths",
    ),
    (lambda: fnp.einsum("ij"), ArgumentError, "einsum takes at least one operand"),
    (lambda: fnp.einsum("i1", SQUARE), ShapeError, "einsum 'i1': '1' is no index; indices are letters"),
    (
        lambda: fnp.einsum("i...->i", SQUARE),
        ShapeError,
        'einsum \'i...->i\': "..." stands for 1 axes of the operands, but the output has no "..." for them',
    ),
    (
        lambda: fnp.einsum("ii->ii", SQUARE),
        ShapeError,
        "einsum 'ii->ii' does not fit operands of shapes (2, 2): Output character 'i' appeared more than once in the "
        "output.",
    ),
    (
        lambda: fnp.einsum(SQUARE, 3),
        ArgumentError,
        "einsum: 3 is not a list of indices; write text subscripts, einsum('ij,jk->ik', a, b), or operands each "
        "followed by a list of integers, einsum(a, [0, 1], b, [1, 2])",
    ),
    (
        lambda: fnp.einsum("ij->i", SQUARE, dtype=np.int32),
        DTypeError,
        "einsum: casting='safe' does not let float32 become dtype=int32; say casting=\"unsafe\", or convert the "
        "operand: x.astype('int32')",
    ),
    (
        lambda: fnp.einsum("ij->i", SQUARE, out=np.zeros(2)),
        ArgumentError,
        "einsum: out= is not supported, arrays are immutable; use the returned array",
    ),
    (
        lambda: fnp.einsum("ij,jk,kl", SQUARE, SQUARE, SQUARE, optimize="best"),
        ArgumentError,
        "einsum: optimize='best' is not a way to contract 3 operands: ",
    ),
]


@pytest.mark.parametrize(("function", "error", "message"), MISTAKES)
def test_messages(function, error, message):
    with pytest.raises(error) as caught:
        function()
    assert caught.value.message.startswith(message)
