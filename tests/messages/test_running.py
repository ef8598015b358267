"""Golden messages of mistakes in compiling, in asking for traced values, with devices, settings and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
MATRIX = fnp.arange(6.0).reshape(2, 3)
INTEGERS = fnp.arange(3)


# -- compilation -------------------------------------------------------------------------------------------------------


@mistake(
    errors.StaticArgumentError,
    "jit of <lambda> (FILE:N): the static argument n is of type list, which cannot be hashed, so it cannot be "
    "part of the compiled function's key.\n"
    "Pass a hashable value (a tuple instead of a list), or make it a traced argument.",
)
def unhashable_static() -> Any:
    return fg.jit(lambda x, n: x, static_argnums=1)(MATRIX, [1])


@mistake(
    errors.StaticArgumentError,
    "jit of <lambda> (FILE:N): the static argument n is of type dict, which cannot be hashed, so it cannot be "
    "part of the compiled function's key.\n"
    "Pass a hashable value (a tuple instead of a list), or make it a traced argument.",
)
def unhashable_named_static() -> Any:
    return fg.jit(lambda x, *, n: x, static_argnames="n")(MATRIX, n={1: 2})


@mistake(
    errors.ArgumentError,
    "static_argnames names 'n', but <lambda> (FILE:N) has no such argument",
)
def static_name_unknown() -> Any:
    return fg.jit(lambda x: x, static_argnames="n")


@mistake(
    errors.ArgumentError,
    "static_argnums names argument 3, but <lambda> (FILE:N) has 1",
)
def static_number_beyond() -> Any:
    return fg.jit(lambda x: x, static_argnums=3)


@mistake(
    errors.ArgumentError,
    "jit takes a function, got int",
)
def jit_of_a_number() -> Any:
    return fg.jit(3)


@mistake(
    errors.DTypeError,
    "what <lambda> (FILE:N) returned is 'a' of type str, which is not an array or a number.\n"
    "Only arrays and numbers can be transformed; close over other values, or pass them to jit as static.",
)
def jit_returns_a_string() -> Any:
    return fg.jit(lambda x: "a")(MATRIX)


@mistake(
    errors.ArgumentError,
    "compiled for (f32[2,3]), called with (i32[3])",
)
def compiled_for_other_types() -> Any:
    return fg.jit(lambda x: x).lower(MATRIX).compile()(INTEGERS)


@mistake(
    errors.ConcretizationError,
    "float(x) needs the value of a traced array of type f32[], but it depends on the traced input `weights` of "
    "type f32[2,3] of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def float_of_a_traced_input() -> Any:
    return fg.jit(lambda weights, bias: float(weights.sum() + 1))(MATRIX, 1.0)


@mistake(
    errors.ConcretizationError,
    "int(x) needs the value of a traced array of type bool[], but it depends on the traced inputs `weights` of "
    "type f32[2,3], `bias` of type f32[]* of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def int_of_two_traced_inputs() -> Any:
    return fg.jit(lambda weights, bias: weights * int(bias > weights[0, 0]))(MATRIX, 1.0)


@mistake(
    errors.ConcretizationError,
    "int(x) needs the value of a traced array of type i32[]*, but it depends on the traced input `n` of type "
    "i32[]* of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def int_of_a_traced_input() -> Any:
    return fg.jit(lambda n: fnp.zeros(int(n)))(3)


@mistake(
    errors.ConcretizationError,
    "an index needs the value of a traced array of type i32[]*, but it depends on the traced input `n` of type "
    "i32[]* of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def index_of_a_traced_input() -> Any:
    return fg.jit(lambda n: range(n))(3)


@mistake(
    errors.ConcretizationError,
    "np.asarray(x) needs the value of a traced array of type f32[2,3], but it depends on the traced input "
    "`params['w']` of type f32[2,3] of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def numpy_of_a_traced_input() -> Any:
    return fg.jit(lambda params: np.asarray(params["w"]))({"w": MATRIX})


@mistake(
    errors.ConcretizationError,
    "formatting with '.3f' needs the value of a traced array of type f32[]*, but it depends on the traced input "
    "`loss` of type f32[]* of jit of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def formatting_a_traced_value() -> Any:
    return fg.jit(lambda loss: f"{loss:.3f}")(1.0)


@mistake(
    errors.ConcretizationError,
    "int(x) needs the value of a traced array of type bool[], but it stands for a whole batch of 2 values inside"
    " vmap of <lambda> (FILE:N).\n"
    "While a function is traced only shapes and dtypes are known. Compute with array operations instead "
    "(fnp.where selects by value), or pass that argument as a static one: fg.jit(f, static_argnums=…).",
)
def int_under_vmap() -> Any:
    return fg.vmap(lambda row: row * int(row.sum() > 0))(MATRIX)


# -- devices and settings ----------------------------------------------------------------------------------------------


@mistake(
    errors.DeviceError,
    "there is no device 'quantum'; there are: DEVICES",
)
def unknown_platform() -> Any:
    return fg.device_put(MATRIX, "quantum")


@mistake(
    errors.DeviceError,
    "there is no device 'cpu:99'; there are: DEVICES",
)
def unknown_device() -> Any:
    return fg.device_put(MATRIX, "cpu:99")


@mistake(
    errors.DeviceError,
    "there is no device 'cpu:99'; there are: DEVICES",
)
def unknown_default_device() -> Any:
    return fg.default_device("cpu:99")


@mistake(
    errors.DeviceError,
    "there is no device 'cpu:99'; there are: DEVICES",
)
def unknown_device_of_jit() -> Any:
    return fg.jit(lambda x: x, device="cpu:99")


@mistake(
    errors.DeviceError,
    "there is no device 'cpu:99'; there are: DEVICES",
)
def unknown_target() -> Any:
    return MATRIX.to("cpu:99")


@mistake(
    errors.ArgumentError,
    "there is no setting 'nope'; there are: default_float, default_int, max_paths, check_bounds, check_division, "
    "check_linalg, check_nans, disable_jit, check_programs, check_key_reuse, default_device, regions, cache, "
    "cache_dir, cache_size, tiered, progress",
)
def unknown_setting() -> Any:
    return fg.config.update(nope=1)


@mistake(
    errors.ArgumentError,
    "config default_float='float12': expected one of 'float32', 'float64', 'bfloat16', 'float16'",
)
def setting_out_of_range() -> Any:
    return fg.config.update(default_float="float12")


@mistake(
    errors.ArgumentError,
    "there is no setting 'nope'; there are: default_float, default_int, max_paths, check_bounds, check_division, "
    "check_linalg, check_nans, disable_jit, check_programs, check_key_reuse, default_device, regions, cache, "
    "cache_dir, cache_size, tiered, progress",
)
def unknown_scoped_setting() -> None:
    with fg.config(nope=1):
        pass


# -- traced values that escape


def escaped(transformation: Callable[[Callable[[Any], Any]], Callable[[Any], Any]]) -> Any:
    """A value made inside a transformation that has ended."""
    kept = []

    def leaky(x: Any) -> Any:
        kept.append(x * 2)
        return x.sum()

    transformation(leaky)(MATRIX)
    return kept[0]


@mistake(
    errors.LeakedTracerError,
    "a traced value of type f32[2,3] is used outside the transformation that made it.\n"
    "It was made at FILE:N in escaped.<locals>.leaky\n"
    "    kept.append(x * 2)\n"
    "  inside jit of leaky (FILE:N), which has ended.\n"
    "Values made while a function is traced must leave it through its return value: return it from the function "
    "instead of storing it in a global, an attribute or a list.",
)
def escaped_from_jit() -> Any:
    return escaped(fg.jit) + 1


@mistake(
    errors.LeakedTracerError,
    "a traced value of type f32[2,3] is used outside the transformation that made it.\n"
    "It was made inside grad of leaky (FILE:N), which has ended.\n"
    "Values made while a function is traced must leave it through its return value: return it from the function "
    "instead of storing it in a global, an attribute or a list.",
)
def escaped_from_grad() -> Any:
    return escaped(fg.grad) + 1


@mistake(
    errors.LeakedTracerError,
    "a traced value of type f32[3] is used outside the transformation that made it.\n"
    "It was made inside vmap of leaky (FILE:N), which has ended.\n"
    "Values made while a function is traced must leave it through its return value: return it from the function "
    "instead of storing it in a global, an attribute or a list.",
)
def escaped_from_vmap() -> Any:
    return fnp.sin(escaped(fg.vmap))


@mistake(
    errors.LeakedTracerError,
    "a traced value of type f32[2,3] is used outside the transformation that made it.\n"
    "It was made at FILE:N in escaped.<locals>.leaky\n"
    "    kept.append(x * 2)\n"
    "  inside jit of leaky (FILE:N), which has ended.\n"
    "Values made while a function is traced must leave it through its return value: return it from the function "
    "instead of storing it in a global, an attribute or a list.",
)
def escaped_into_another_jit() -> Any:
    value = escaped(fg.jit)
    return fg.jit(lambda x: x + value)(1.0)


@mistake(
    errors.KeyReuseError,
    "random.uniform: this key was already used by random.normal at FILE:N in key_used_twice\n"
    "    return fg.random.normal(key), fg.random.uniform(key)\n"
    "The same key gives the same numbers again. Split it before its first use:\n"
    "    key, subkey = fg.random.split(key)\n"
    "and use `subkey`; to repeat a draw on purpose, write with fg.config(check_key_reuse=False).",
)
def key_used_twice() -> Any:
    key = fg.random.key(0)
    return fg.random.normal(key), fg.random.uniform(key)


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
