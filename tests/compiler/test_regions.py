"""Programs in regions: the same results, errors and effects as whole ones, and the cuts that are to be made."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.cache import plan_program
from funcgrad.compiler.cost import time_to_run
from funcgrad.compiler.driver import Driver
from funcgrad.compiler.regions import Cut, cut_by, cut_program
from funcgrad.core.program import Literal, Program, run_program
from tests.control_flow_programs import Block, blocks
from tests.programs import SHAPE, RandomProgram, random_programs

few = settings(max_examples=max(settings().max_examples // 2, 1))


def by_steps(cut: Cut, args: list[Any]) -> list[Any]:
    """What the steps of a cut compute, eagerly, with every value let go when the cut says so."""
    values: list[Any] = [*args, *[None] * (cut.slots - len(args))]
    for step in cut.steps:
        given = [values[slot] for slot in step.takes]
        assert all(value is not None for value in given)
        for slot, result in zip(step.gives, run_program(cut.regions[step.region].program, given), strict=True):
            assert values[slot] is None
            values[slot] = result
        for slot in step.frees:
            values[slot] = None
    return [fnp.asarray(a.value) if isinstance(a, Literal) else values[a] for a in cut.outputs]


def require_equal(one: list[Any], other: list[Any]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(np.broadcast_to(np.asarray(a), np.shape(b)), np.asarray(b))


def arguments(program: Program) -> list[Any]:
    random = np.random.default_rng(0)
    return [fnp.asarray(random.uniform(-1, 1, t.shape).astype(t.dtype)) for t in program.in_types]


def repeated(function: Any, times: int) -> Any:
    def composed(x: Any) -> Any:
        for _ in range(times):
            x = function(x)
        return x

    return composed


@given(random_programs(), st.integers(2, 4))
def test_steps_compute_what_the_whole_does(program: RandomProgram, times: int) -> None:
    x = fnp.asarray(np.random.default_rng(0).uniform(-1.5, 1.5, SHAPE))
    deep = fg.grad(lambda v: fnp.sum(repeated(lambda u: program(u) * 0.1 + u, times)(v)))
    whole = plan_program(fg.make_program(deep)(x), (), "off").program
    cut = cut_program(whole, piece=0.5, least_gain=0.0)
    if cut is not None:
        require_equal(by_steps(cut, arguments(whole)), run_program(whole, arguments(whole)))


@few
@given(blocks(), st.integers(2, 3))
def test_jit_in_regions_is_jit(block: Block, times: int) -> None:
    v, s = fnp.asarray(np.array([0.1, 0.2, 0.3])), fnp.asarray(np.array(0.5))

    def function(v: Any, s: Any) -> Any:
        for _ in range(times):
            v, s = block(v, s)
        return v, s

    cut, whole = fg.jit(function, regions="always"), fg.jit(function, regions="off")
    for one, other in zip(fg.tree.leaves(cut(v, s)), fg.tree.leaves(whole(v, s)), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-12, atol=1e-12)


def layers(count: int, width: int = 8) -> list[Any]:
    random = np.random.default_rng(1)
    return [fnp.asarray((random.standard_normal((width, width)) * 0.3).astype(np.float32)) for _ in range(count)]


def step(params: list[Any], x: Any) -> Any:
    def loss(params: list[Any]) -> Any:
        h = x
        for w in params:
            h = fnp.tanh(h @ w) + fnp.sin(h) * 0.5
        return fnp.mean(h * h)

    return fg.tree.map(lambda p, g: p - 0.1 * g, params, fg.grad(loss)(params))


def cut_of(function: Any, *args: Any, donated: tuple[int, ...] = ()) -> Cut | None:
    """The cut that leaves least to compile, however little there is to run."""
    return cut_program(plan_program(fg.make_program(function)(*args), donated, "off").program, donated)


def test_a_deep_network_has_few_regions_however_deep() -> None:
    x = fnp.ones((4, 8))
    shallow, deep = cut_of(step, layers(40), x), cut_of(step, layers(160), x)
    assert shallow is not None
    assert deep is not None
    assert len(deep.regions) <= len(shallow.regions) + 2
    assert max(len(cut.regions) for cut in (shallow, deep)) <= 8
    distinct = sum(len(region.program.equations) for region in deep.regions)
    assert distinct < len(deep.program.equations) / 4


def test_calls_of_equal_programs_share_a_region() -> None:
    def block(x: Any) -> Any:
        for k in range(40):
            x = fnp.sin(x) * (1.0 + k) + fnp.cos(x)
        return x

    def function(x: Any) -> Any:
        inner = fg.jit(block)
        return inner(fnp.exp(inner(fnp.tanh(inner(x)) + 2.0)) * 3.0)

    cut = cut_of(function, fnp.ones(8))
    assert cut is not None
    assert Counter(step.region for step in cut.steps).most_common(1)[0][1] == 3
    assert sum(len(region.program.equations) for region in cut.regions) < 180


def test_small_programs_and_those_without_repeats_stay_whole() -> None:
    assert cut_of(step, layers(3), fnp.ones((4, 8))) is None

    def irregular(x: Any) -> Any:
        random = np.random.default_rng(0)
        for choice in random.integers(0, 4, 400):
            x = [fnp.sin, fnp.cos, fnp.tanh, fnp.exp][choice](x)
        return x

    assert cut_of(irregular, fnp.ones(3)) is None


def test_the_wish_is_followed() -> None:
    program = fg.make_program(step)(layers(40, 256), fnp.ones((512, 256)))
    assert cut_by("off", program) is None
    assert cut_by("auto", program) is not None
    small = fg.make_program(step)(layers(3), fnp.ones((4, 8)))
    assert cut_by("auto", small) is None
    assert cut_by("always", small) is not None


def test_pieces_that_run_too_shortly_are_not_worth_their_start() -> None:
    program = fg.make_program(step)(layers(40), fnp.ones((4, 8)))
    assert cut_program(program) is not None
    assert cut_by("auto", program) is None


def test_loops_count_by_their_length() -> None:
    def looped(length: int) -> float:
        program = fg.make_program(lambda x: fg.lax.scan(lambda c, _: (fnp.sin(c), None), x, length=length)[0])(
            fnp.ones(8)
        )
        return time_to_run(program.equations)

    assert looped(1000) == 100 * looped(10)
    assert time_to_run(fg.make_program(lambda x: x @ x)(fnp.ones((64, 64))).equations) > 1


def test_a_value_is_let_go_after_its_last_use() -> None:
    cut = cut_of(step, layers(40), fnp.ones((4, 8)))
    assert cut is not None
    freed = [slot for s in cut.steps for slot in s.frees]
    assert len(freed) == len(set(freed))
    assert set(range(cut.slots)) - set(freed) == set(cut.outputs)
    last = {slot: number for number, s in enumerate(cut.steps) for slot in (*s.takes, *s.gives)}
    assert all(last[slot] == number for number, s in enumerate(cut.steps) for slot in s.frees)


def test_only_what_nobody_needs_again_is_overwritten() -> None:
    params = layers(40, width=128)
    for donated in ((), tuple(range(40))):
        cut = cut_of(step, params, fnp.ones((256, 128)), donated=donated)
        assert cut is not None
        overwritten = set()
        for s in cut.steps:
            gone = {s.takes[number] for number in cut.regions[s.region].donated}
            assert gone <= set(s.frees)
            overwritten |= gone
        inputs = {slot for slot in overwritten if slot < len(cut.program.inputs)}
        assert inputs <= set(donated)
        assert bool(inputs) == bool(donated)  # the parameters' memory becomes the new parameters
        assert overwritten - inputs  # that of a layer's cotangent becomes the next one's


def test_memory_is_no_more_than_that_of_the_whole() -> None:
    params, x = layers(40, width=64), fnp.ones((64, 64))
    cut = fg.jit(step, regions="always").lower(params, x).compile().memory_analysis()
    whole = fg.jit(step, regions="off").lower(params, x).compile().memory_analysis()

    def total(found: Any) -> int:
        return found.argument_size_in_bytes + found.output_size_in_bytes + found.temp_size_in_bytes

    assert total(cut) <= 1.05 * total(whole)


def test_outputs_that_are_inputs_or_constants() -> None:
    def function(x: Any) -> Any:
        y = x
        for _ in range(60):
            y = fnp.sin(fnp.cos(y) * 2.0) + 1.0
        return x, y, fnp.zeros(3), y, 2.5

    x = fnp.arange(3.0)
    cut, whole = fg.jit(function, regions="always"), fg.jit(function, regions="off")
    require_equal(list(cut(x)), list(whole(x)))
    require_equal(list(cut(x)), list(whole(x)))


def test_nothing_is_traced_or_compiled_twice() -> None:
    params, x = layers(10), fnp.ones((4, 8))
    compiled = fg.jit(step, regions="always")
    once = compiled(params, x)
    again = compiled(once, x)
    assert compiled.cache_info().traces == 1
    for one, other in zip(again, fg.jit(step, regions="off")(once, x), strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-4, atol=1e-6)


def test_a_deeper_network_shares_the_regions_of_a_shallower_one() -> None:
    shallow, deep = (cut_of(step, layers(count), fnp.ones((4, 8))) for count in (64, 128))
    assert shallow is not None
    assert deep is not None
    assert {r.program for r in shallow.regions} & {r.program for r in deep.regions}


@pytest.mark.parametrize("mode", ["sometimes", 1, True])
def test_unknown_wishes_are_refused(mode: Any) -> None:
    with pytest.raises(fg.errors.ArgumentError, match="regions="):
        fg.jit(step, regions=mode)
    with pytest.raises(fg.errors.ArgumentError, match="regions="), fg.config(regions=mode):
        pass


def test_the_driver_is_used() -> None:
    lowered = fg.jit(step, regions="always").lower(layers(10), fnp.ones((4, 8)))
    assert isinstance(lowered.compile()._executable, Driver)
