"""`eval_shape` and `make_program` trace without computing."""

from __future__ import annotations

from typing import Any

import numpy as np

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.executable import compile_count


def test_shapes_of_a_tree() -> None:
    struct = fg.ShapeDtypeStruct((1000, 20), "float64")
    found = fg.eval_shape(lambda x, n: {"gram": x.T @ x, "n": n, "rows": [x[0]]}, struct, 3)
    assert found == {
        "gram": fg.ShapeDtypeStruct((20, 20), "float64"),
        "n": fg.ShapeDtypeStruct((), "int32"),
        "rows": [fg.ShapeDtypeStruct((20,), "float64")],
    }


def test_nothing_is_computed_or_compiled() -> None:
    before = compile_count()
    found = fg.eval_shape(lambda x: fnp.zeros((10**6, 10**6)) + x, 1.0)
    assert found.shape == (10**6, 10**6)
    assert compile_count() == before


def test_arrays_and_transformations() -> None:
    found = fg.eval_shape(fg.vmap(fg.grad(lambda x: fnp.sum(x * x))), fnp.ones((3, 4)))
    assert (found.shape, found.dtype, found.ndim, found.size) == ((3, 4), np.float32, 2, 12)


def test_structs_compare_hash_and_print() -> None:
    struct = fg.ShapeDtypeStruct([2], float)
    assert struct == fg.ShapeDtypeStruct((2,), "float32")
    assert hash(struct) == hash(fg.ShapeDtypeStruct((2,), "float32"))
    assert struct != fg.ShapeDtypeStruct((3,), "float32")
    assert repr(struct) == "ShapeDtypeStruct(shape=(2,), dtype=float32)"


def test_make_program_prints() -> None:
    def function(x: Any, y: Any) -> Any:
        return fnp.sin(x) * y

    text = str(fg.make_program(function)(fnp.ones(2), fnp.ones(2)))
    assert text == ("{ lambda a:f32[2] b:f32[2] . let\n    c:f32[2] = sin a\n    d:f32[2] = mul c b\n  in (d) }")
