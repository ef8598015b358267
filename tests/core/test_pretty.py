"""Programs print with one line an equation, letters in order of appearance, and inner programs indented."""

from __future__ import annotations

import numpy as np

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.core.pretty import _letters


def test_letters() -> None:
    assert [_letters(n) for n in (0, 25, 26, 27, 26 * 26)] == ["a", "z", "ba", "bb", "baa"]


def test_a_program_with_a_constant_a_literal_and_parameters() -> None:
    table = fnp.asarray(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    text = str(fg.make_program(lambda x: fnp.sum(table * x, axis=0) + 1)(fnp.ones((2, 3))))
    assert text == (
        "{ lambda a:f32[2,3] b:f32[2,3] . let\n"
        "    c:f32[2,3] = mul a b\n"
        "    d:f32[3] = reduce_sum[axes=(0,)] c\n"
        "    e:f32[3] = add d 1.0:f32[3]\n"
        "  in (e) }"
    )


def test_inner_programs_are_indented() -> None:
    inner = fg.jit(lambda x: fnp.sin(x))
    text = str(fg.make_program(lambda x: inner(x) * 2.0)(fnp.ones(2)))
    assert text == (
        "{ lambda a:f32[2] . let\n"
        "    b:f32[2] = call[program={ lambda a:f32[2] . let\n"
        "          b:f32[2] = sin a\n"
        "        in (b) }] a\n"
        "    c:f32[2] = mul b 2.0:f32[2]\n"
        "  in (c) }"
    )


def test_no_equations() -> None:
    assert str(fg.make_program(lambda x: x)(fnp.ones(2))) == "{ lambda a:f32[2] . let\n  in (a) }"
