"""The warning about retracing: once a call site, only when it is often, and saying what changed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import RetraceWarning


def warned(call: Callable[[], Any]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return caught


def lengths(function: Any, count: int) -> Callable[[], None]:
    def loop() -> None:
        for n in range(count):
            function(fnp.zeros(n))

    return loop


def test_a_few_traces_are_fine() -> None:
    assert not warned(lengths(fg.jit(lambda x: x + 1), 6))


def test_more_are_told_once_a_call_site() -> None:
    function = fg.jit(lambda x: x + 1)
    (warning,) = warned(lengths(function, 20))
    assert warning.category is RetraceWarning
    assert warning.filename == __file__
    with open(__file__) as file:
        assert file.read().splitlines()[warning.lineno - 1].strip() == "function(fnp.zeros(n))"
    (another,) = warned(lambda: [function(fnp.zeros((n, 2))) for n in range(9)])
    assert another.lineno != warning.lineno
    assert len(warned(lengths(fg.jit(lambda x: x + 1), 20))) == 1


# Calls of one function, each at a line of its own, and what the warning about each must contain.
CALLS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda f: f(fnp.ones(4), {}), "x: f32[3] -> f32[4]\nEvery shape"),
    (lambda f: f(fnp.ones(4, "int8"), {}), "x: f32[4] -> i8[4]\nEvery dtype"),
    (lambda f: f(1.0, {}), "x: i8[4] -> f32[] (a Python number)\nEvery shape"),
    (lambda f: f(1.0, {"w": fnp.ones(2)}), "p['w']: (nothing) -> f32[2]\nEvery structure"),
    (lambda f: f(1.0, {"v": (fnp.ones(2),)}), "p['w']: f32[2] -> (nothing)\n  p['v'][0]: (nothing) -> f32[2]"),
    (lambda f: f(1.0, {"v": [fnp.ones(2)]}), "the structure of the arguments: PyTreeDef(((*, {'v': (*,)}), {})) -> "),
    (lambda f: f(1.0, {"v": [fnp.ones(2)]}, "a"), "the static mode: (nothing) -> 'a'\nEvery static"),
    (lambda f: f(1.0, {"v": [fnp.ones(2)]}, "b"), "the static mode: 'a' -> 'b'\nEvery static"),
]


def test_each_kind_of_change_is_told() -> None:
    function = fg.jit(lambda x, p, mode=None: x)
    for n in (5, 6, 7, 8, 9, 3):
        function(fnp.ones(n), {})
    for call, expected in CALLS:
        (warning,) = warned(lambda call=call: call(function))
        assert expected in str(warning.message)


def test_static_numbers_and_objects_are_told() -> None:
    class Named:
        """Prints the same each time."""

        def __repr__(self) -> str:
            return "<named>"

    function = fg.jit(lambda x, n: x, static_argnums=1)
    (warning,) = warned(lambda: [function(1.0, n) for n in range(9)])
    assert "the static n: 5 -> 6\nEvery static value" in str(warning.message)
    (warning,) = warned(lambda: [function(1.0, Named()) for _ in range(3)])
    assert "the static n: 8 -> <named>\n" in str(warning.message)
    (warning,) = warned(lambda: function(1.0, Named()))
    assert "the static n: <named> -> <named>, which is not equal to it\n" in str(warning.message)


def test_settings_are_told() -> None:
    function = fg.jit(lambda: fnp.zeros(2))

    def changing() -> None:
        for paths in range(1, 9):
            with fg.config(max_paths=paths):
                function()

    (warning,) = warned(changing)
    assert "the setting max_paths: 6 -> 7\nEvery setting" in str(warning.message)


def test_many_changes_are_counted() -> None:
    function = fg.jit(lambda p: p)
    (warning,) = warned(lambda: [function({f"w{i}": fnp.ones(n) for i in range(20)}) for n in range(9)])
    text = str(warning.message)
    assert text.count("f32[5] -> f32[6]") == 8
    assert "\n  and 12 more\n" in text


def test_traces_inside_others_are_not_counted() -> None:
    dense = fg.jit(lambda w, x: fnp.tanh(w @ x))

    def network(x: Any) -> Any:
        for n in range(2, 12):
            x = dense(fnp.ones((n, x.shape[0])), x)
        return x

    assert not warned(lambda: fg.jit(network)(fnp.ones(2)))


def test_functions_made_anew_and_asking_for_shapes_are_not_counted() -> None:
    def loop() -> None:
        for n in range(20):
            np.asarray(fg.jit(lambda x: x + 1)(fnp.zeros(n)))
            fg.eval_shape(lambda x: x + 1, fnp.zeros(n))

    assert not warned(loop)


def test_it_can_be_silenced() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RetraceWarning)
        lengths(fg.jit(lambda x: x + 1), 20)()
        warnings.resetwarnings()
        warnings.simplefilter("error")
        with pytest.raises(RetraceWarning):
            lengths(fg.jit(lambda x: x + 1), 20)()
