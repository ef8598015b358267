"""Golden messages of mistakes in differentiating and vectorising."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
MATRIX = fnp.arange(6.0).reshape(2, 3)
INTEGERS = fnp.arange(3)


# -- differentiation ---------------------------------------------------------------------------------------------------


@mistake(
    errors.DifferentiationError,
    "grad needs a scalar output, but <lambda> (FILE:N) returned shape (2, 3).\n"
    "Reduce it, for instance with .sum() or .mean(), or ask for all derivatives: fg.jacrev(f).",
)
def grad_of_a_matrix() -> Any:
    return fg.grad(lambda x: x * 2)(MATRIX)


@mistake(
    errors.DifferentiationError,
    "grad needs a scalar output, but <lambda> (FILE:N) returned PyTreeDef((*, *)).\n"
    "Return one number; if there is more to return, return (loss, aux) and pass has_aux=True.",
)
def grad_of_a_tuple() -> Any:
    return fg.grad(lambda x: (x, x))(3.0)


@mistake(
    errors.DifferentiationError,
    "grad needs a floating-point output, but <lambda> (FILE:N) returned dtype int32, which does not vary "
    "continuously with the inputs",
)
def grad_of_an_integer_output() -> Any:
    return fg.grad(lambda x: fnp.argmax(x))(MATRIX)


@mistake(
    errors.DifferentiationError,
    "grad of <lambda> (FILE:N) needs floating-point inputs, but argument p['w'][0] has dtype int32.\n"
    "Convert it (p['w'][0] = fnp.asarray(p['w'][0], dtype=float)), differentiate other arguments with argnums=, "
    "or pass allow_int=True for zero gradients.",
)
def grad_of_an_integer_leaf() -> Any:
    return fg.grad(lambda p: p["w"][0].sum())({"w": [INTEGERS]})


@mistake(
    errors.DifferentiationError,
    "grad of <lambda> (FILE:N) needs floating-point inputs, but argument x has dtype int32.\n"
    "Convert it (x = fnp.asarray(x, dtype=float)), differentiate other arguments with argnums=, or pass "
    "allow_int=True for zero gradients.",
)
def grad_of_a_python_int() -> Any:
    return fg.grad(lambda x: x * 2.0)(3)


@mistake(
    errors.DTypeError,
    "argument x is 'abc' of type str, which is not an array or a number.\n"
    "Only arrays and numbers can be transformed; close over other values, or pass them to jit as static.",
)
def grad_of_a_string() -> Any:
    return fg.grad(lambda x: 1.0)("abc")


@mistake(
    errors.DifferentiationError,
    "grad needs a real output, but <lambda> (FILE:N) returned c64[].\n"
    "Take a real function of it (such as abs(x) ** 2), or pass holomorphic=True if it is holomorphic.",
)
def grad_of_a_complex_output() -> Any:
    return fg.grad(lambda x: x * 1j)(1.0)


@mistake(
    errors.DifferentiationError,
    "grad with holomorphic=True differentiates complex inputs, but x has dtype float32; convert it: "
    "x.astype('complex64')",
)
def holomorphic_of_a_real_input() -> Any:
    return fg.grad(lambda x: x, holomorphic=True)(1.0)


@mistake(
    errors.ArgumentError,
    "argnums=2 names positional argument 2, but <lambda> (FILE:N) was called with 1",
)
def argnums_beyond() -> Any:
    return fg.grad(lambda x: x, argnums=2)(1.0)


@mistake(
    errors.ArgumentError,
    "argnums=(0, -2), argnames=None name an argument twice",
)
def argnums_named_twice() -> Any:
    return fg.grad(lambda x, y: x * y, argnums=(0, -2))(1.0, 2.0)


@mistake(
    errors.ArgumentError,
    "argnums='x' must be integers; name arguments with argnames= instead",
)
def argnums_of_strings() -> Any:
    return fg.grad(lambda x: x, argnums="x")(1.0)


@mistake(
    errors.ArgumentError,
    "grad takes a function, got float",
)
def grad_of_a_number() -> Any:
    return fg.grad(3.0)


@mistake(
    errors.ArgumentError,
    "vmap takes a function, got float",
)
def vmap_of_a_number() -> Any:
    return fg.vmap(3.0)


@mistake(
    errors.ArgumentError,
    "argnames='q': <lambda> (FILE:N) was not given an argument 'q'",
)
def argnames_unknown() -> Any:
    return fg.grad(lambda x: x, argnames="q")(1.0)


@mistake(
    errors.ArgumentError,
    "with has_aux=True, <lambda> (FILE:N) must return a pair (output, auxiliary), got an array",
)
def aux_that_is_not_there() -> Any:
    return fg.grad(lambda x: x, has_aux=True)(1.0)


@mistake(
    errors.TreeError,
    "jvp: primals and tangents must have one structure, got PyTreeDef(((*,), {})) and PyTreeDef((((*,),), {}))",
)
def jvp_of_other_trees() -> Any:
    return fg.jvp(lambda x: x, (MATRIX,), ((MATRIX,),))


@mistake(
    errors.DifferentiationError,
    "jvp: tangent 0 is f32[3], but its primal is f32[2,3]; a tangent has the shape and dtype of its primal. Write"
    " fnp.asarray(tangent, dtype=primal.dtype).",
)
def jvp_of_another_shape() -> Any:
    return fg.jvp(lambda x: x, (MATRIX,), (fnp.ones(3),))


@mistake(
    errors.TreeError,
    "jvp takes primals and tangents as tuples, got Array; write jvp(f, (x,), (dx,))",
)
def jvp_without_tuples() -> Any:
    return fg.jvp(lambda x: x, MATRIX, MATRIX)


@mistake(
    errors.TreeError,
    "vjp: the cotangent has structure PyTreeDef(*), but the output has PyTreeDef({'a': *})",
)
def vjp_of_another_tree() -> Any:
    return fg.vjp(lambda x: {"a": x}, MATRIX)[1](MATRIX)


@mistake(
    errors.DifferentiationError,
    "vjp: a cotangent is f32[3], but the output it belongs to is f32[2,3]; a cotangent has the shape and dtype of"
    " its output",
)
def vjp_of_another_shape() -> Any:
    return fg.vjp(lambda x: x, MATRIX)[1](fnp.ones(3))


@mistake(
    errors.MissingRuleError,
    "operation sin is not linear, so it has no transpose. linear_transpose needs a function that is linear in its"
    " inputs; for any other, use fg.vjp.",
)
def transpose_of_what_is_not_linear() -> Any:
    return fg.linear_transpose(fnp.sin, 1.0)(1.0)


# -- trees -------------------------------------------------------------------------------------------------------------


@mistake(
    errors.TreeError,
    "tree.map: the second tree has a dict with keys {b} where the first has a dict with keys {a}",
)
def trees_with_other_keys() -> Any:
    return fg.tree.map(lambda a, b: a, {"a": 1}, {"b": 1})


@mistake(
    errors.TreeError,
    "tree.map: the second tree has a list of length 1 at [1] where the first has a list of length 2",
)
def trees_that_differ_inside() -> Any:
    return fg.tree.map(lambda a, b: a, [1, [2, 3]], [1, [2]])


# -- vectorisation -----------------------------------------------------------------------------------------------------


@mistake(
    errors.ShapeError,
    "vmap: mapped axes must have one length, but a has 2, b has 3",
)
def vmap_of_other_lengths() -> Any:
    return fg.vmap(lambda a, b: a)(MATRIX, fnp.ones(3))


@mistake(
    errors.AxisError,
    "vmap: argument a has shape (), so it has no axis 0 to map over; pass in_axes=None for arguments that are not"
    " mapped",
)
def vmap_of_a_scalar() -> Any:
    return fg.vmap(lambda a: a)(1.0)


@mistake(
    errors.ArgumentError,
    "vmap: no argument is mapped, so the length of the axis is unknown; pass axis_size=",
)
def vmap_of_nothing() -> Any:
    return fg.vmap(lambda a: a, in_axes=None)(MATRIX)


@mistake(
    errors.ArgumentError,
    "vmap: in_axes has 2 entries for 1 positional arguments; give one entry each",
)
def vmap_of_other_arguments() -> Any:
    return fg.vmap(lambda a: a, in_axes=(0, 0))(MATRIX)


@mistake(
    errors.ArgumentError,
    "vmap: out_axes is None for a result that differs between examples; give it an axis",
)
def vmap_result_without_an_axis() -> Any:
    return fg.vmap(lambda a: a, out_axes=None)(MATRIX)


@mistake(
    errors.ArgumentError,
    "there is no axis named 'i' here (bound: none); collectives run inside fg.vmap(f, axis_name='i')",
)
def unbound_axis_name() -> Any:
    return fg.lax.psum(MATRIX, "i")


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
