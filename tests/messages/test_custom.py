"""Golden messages of mistakes in custom rules and in solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
X = np.arange(3, dtype=np.float32)


def square(x: Any) -> Any:
    return x * x


def product(p: Any, x: Any) -> Any:
    return p["w"] * x


def with_jvp(rule: Any) -> Any:
    f = fg.custom_jvp(square)
    f.defjvp(rule)
    return f


def with_vjp(fwd: Any, bwd: Any, fun: Any = square) -> Any:
    f = fg.custom_vjp(fun)
    f.defvjp(fwd, bwd)
    return f


def bwd_of_product(bwd: Any) -> Any:
    f = with_vjp(lambda p, x: (product(p, x), (p, x)), bwd, product)
    return lambda p, x: f(p, x).sum()


# -- missing rules -----------------------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "custom_jvp function square (FILE:N) is being differentiated, but it has no rule for that.\n"
    "Give it one before it is used: f.defjvp(rule).",
)
def no_jvp_rule() -> Any:
    return fg.grad(fg.custom_jvp(square))(3.0)


@mistake(
    errors.CustomRuleError,
    "custom_vjp function square (FILE:N) is being differentiated, but it has no rule for that.\n"
    "Give it one before it is used: f.defvjp(fwd, bwd).",
)
def no_vjp_rule() -> Any:
    return fg.grad(fg.custom_vjp(square))(3.0)


@mistake(
    errors.CustomRuleError,
    "custom_vmap function square (FILE:N) is being mapped, but it has no rule for that.\n"
    "Give it one before it is used: f.def_vmap(rule).",
)
def no_vmap_rule() -> Any:
    return fg.vmap(fg.custom_vmap(square))(X)


@mistake(
    errors.CustomRuleError,
    "forward-mode differentiation of square (FILE:N) transposes its bwd rule <lambda> (FILE:N), which must "
    "therefore be linear in the cotangent, but it is not: operation minimum is not linear, so it has no "
    "transpose.\n"
    "Give the function a rule for tangents too: f.defjvp(rule).",
)
def forward_mode_of_a_rule_that_is_not_linear() -> Any:
    f = with_vjp(lambda x: (square(x), None), lambda residuals, ct: (fnp.clip(ct, -1, 1),))
    return fg.jvp(f, (X,), (X,))


# -- what rules return -------------------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "the jvp rule <lambda> (FILE:N) of square (FILE:N) must return a pair (out, out_tangent), got an array of "
    "type f32[].\n"
    "Write: return out, out_tangent",
)
def jvp_rule_without_a_pair() -> Any:
    return fg.grad(with_jvp(lambda primals, tangents: 2 * primals[0] * tangents[0]))(3.0)


@mistake(
    errors.CustomRuleError,
    "the jvp rule <lambda> (FILE:N) of square (FILE:N) returned a result and a tangent of different "
    "structures:\n"
    "  result:  PyTreeDef(*)\n"
    "  tangent: PyTreeDef((*, *))\n"
    "A tangent has the structure of its result; write zeros where it does not move.",
)
def jvp_rule_with_another_structure() -> Any:
    return fg.grad(with_jvp(lambda primals, tangents: (square(primals[0]), (tangents[0], tangents[0]))))(3.0)


@mistake(
    errors.CustomRuleError,
    "the jvp rule <lambda> (FILE:N) of square (FILE:N): a tangent has the shape and dtype of its result:\n"
    "  out_tangent: expected f32[3], got f32[]\n"
    "Spread it: fnp.broadcast_to(x, (3,)).",
)
def jvp_rule_with_another_shape() -> Any:
    return fg.jvp(with_jvp(lambda primals, tangents: (square(primals[0]), tangents[0].sum())), (X,), (X,))


@mistake(
    errors.CustomRuleError,
    "the jvp rule <lambda> (FILE:N) of square (FILE:N): a tangent has the shape and dtype of its result:\n"
    "  out_tangent: expected f32[3], got f16[3]\n"
    "Convert it: .astype('float32').",
)
def jvp_rule_with_another_dtype() -> Any:
    f = with_jvp(lambda primals, tangents: (square(primals[0]), tangents[0].astype("float16")))
    return fg.jit(lambda x: fg.jvp(f, (x,), (x,)))(X)


@mistake(
    errors.CustomRuleError,
    "the fwd rule square (FILE:N) of square (FILE:N) must return a pair (out, residuals), got an array of type "
    "f32[].\n"
    "Write: return out, residuals",
)
def fwd_rule_without_residuals() -> Any:
    return fg.grad(with_vjp(square, lambda residuals, ct: (ct,)))(3.0)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of square (FILE:N) must return a tuple with one cotangent for each "
    "differentiable argument (there is 1), got an array of type f32[].\n"
    "Write: return (ct,)",
)
def bwd_rule_without_a_tuple() -> Any:
    return fg.grad(with_vjp(lambda x: (square(x), x), lambda x, ct: 2 * x * ct))(3.0)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of product (FILE:N) must return one cotangent for each differentiable "
    "argument (there are 2), got 1.\n"
    "Return None for an argument that has no cotangent.",
)
def bwd_rule_with_another_number() -> Any:
    return fg.grad(bwd_of_product(lambda residuals, ct: (ct,)))({"w": X}, X)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of product (FILE:N): the cotangent of an argument has its structure:\n"
    "  p: expected PyTreeDef({'w': *}), got PyTreeDef(*)\n"
    "Return None for the argument, or for a part of it, that has no cotangent.",
)
def bwd_rule_with_another_structure() -> Any:
    return fg.grad(bwd_of_product(lambda residuals, ct: (ct, ct)))({"w": X}, X)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of product (FILE:N): the cotangent of an argument has its structure:\n"
    "  p: expected PyTreeDef({'w': *}), got PyTreeDef({'b': *, 'w': *})\n"
    "Return None for the argument, or for a part of it, that has no cotangent.",
)
def bwd_rule_with_too_many_leaves() -> Any:
    return fg.grad(bwd_of_product(lambda residuals, ct: ({"w": ct, "b": ct}, ct)))({"w": X}, X)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of product (FILE:N): the cotangent of an argument has its shape and "
    "dtype:\n"
    "  p['w']: expected f32[3], got f32[]\n"
    "Spread it: fnp.broadcast_to(x, (3,)).",
)
def bwd_rule_with_another_shape() -> Any:
    return fg.grad(bwd_of_product(lambda residuals, ct: ({"w": ct.sum()}, ct)))({"w": X}, X)


@mistake(
    errors.CustomRuleError,
    "the bwd rule <lambda> (FILE:N) of product (FILE:N): the cotangent of an argument has its shape and "
    "dtype:\n"
    "  x: expected f32[3], got f16[3]\n"
    "Convert it: .astype('float32').",
)
def bwd_rule_with_another_dtype() -> Any:
    return fg.grad(fg.jit(bwd_of_product(lambda residuals, ct: (None, ct.astype("float16")))), 1)({"w": X}, X)


@mistake(
    errors.CustomRuleError,
    "the vmap rule <lambda> (FILE:N) of square (FILE:N) must return a pair (out, out_batched), got an array of "
    "type f32[3].\n"
    "out_batched says for every leaf of out whether it carries the mapped axis (as its axis 0).",
)
def vmap_rule_without_a_pair() -> Any:
    f = fg.custom_vmap(square)
    f.def_vmap(lambda size, in_batched, x: square(x))
    return fg.vmap(f)(X)


@mistake(
    errors.CustomRuleError,
    "the vmap rule <lambda> (FILE:N) of square (FILE:N): out and out_batched must have one structure, got "
    "PyTreeDef(*) and PyTreeDef([*]).\n"
    "out_batched says for every leaf of out whether it carries the mapped axis (as its axis 0).",
)
def vmap_rule_with_another_structure() -> Any:
    f = fg.custom_vmap(square)
    f.def_vmap(lambda size, in_batched, x: (square(x), in_batched))
    return fg.vmap(f)(X)


@mistake(
    errors.CustomRuleError,
    "the vmap rule <lambda> (FILE:N) of square (FILE:N): out is said to be mapped, so its axis 0 must have "
    "length 3, got f32[]",
)
def vmap_rule_without_the_axis() -> Any:
    f = fg.custom_vmap(square)
    f.def_vmap(lambda size, in_batched, x: (x.sum(), True))
    return fg.vmap(f)(X)


@mistake(
    errors.CustomRuleError,
    "the jvp rule rule (FILE:N) of square (FILE:N): a side effect depends on a tangent, but reverse mode never "
    "computes tangents, so it would not happen.\n"
    "Let it depend on the primals only, or give the function a rule for cotangents: f.defvjp(fwd, bwd).",
)
def a_side_effect_on_a_tangent_in_reverse_mode() -> Any:
    def rule(primals: Any, tangents: Any) -> Any:
        fg.debug.print("tangent {}", tangents[0])
        return square(primals[0]), tangents[0]

    return fg.grad(with_jvp(rule))(3.0)


@mistake(
    errors.CustomRuleError,
    "square is being transposed, and a side effect in it or in its rule depends on what it is linear in, of "
    "which there are no values then, so it would not happen.\n"
    "Let it depend on other values only.",
)
def a_side_effect_on_a_cotangent_in_forward_mode() -> Any:
    def bwd(residuals: Any, ct: Any) -> Any:
        fg.debug.print("cotangent {}", ct)
        return (ct,)

    return fg.jvp(with_vjp(lambda x: (square(x), None), bwd), (3.0,), (1.0,))


# -- arguments ---------------------------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "custom_jvp of <lambda> (FILE:N): the argument mode is 'fast' of type str, which is neither an array nor a "
    "number, so it has no derivative.\n"
    "Name it in nondiff_argnums= or nondiff_argnames=.",
)
def an_argument_that_is_no_array() -> Any:
    return fg.custom_jvp(lambda x, mode: x)(3.0, "fast")


@mistake(
    errors.CustomRuleError,
    "custom_jvp of <lambda> (FILE:N): the nondiff argument power is a traced value, but nondiff arguments are "
    "for what is never an array.\n"
    "Take power out of nondiff_argnums= and give it no derivative in the rule (ignore its tangent, or return "
    "None for its cotangent).",
)
def a_traced_nondiff_argument() -> Any:
    f = fg.custom_jvp(lambda x, power: x**power, nondiff_argnums=1)
    return fg.jit(f)(3.0, 2)


@mistake(
    errors.ArgumentError,
    "custom_jvp: nondiff_argnames names 'power', but square (FILE:N) has no such positional parameter",
)
def an_unknown_nondiff_name() -> Any:
    return fg.custom_jvp(square, nondiff_argnames="power")


@mistake(
    errors.ArgumentError,
    "custom_vjp: nondiff_argnums names argument 1, square (FILE:N) has 1",
)
def a_nondiff_number_too_large() -> Any:
    return fg.custom_vjp(square, nondiff_argnums=1)


@mistake(
    errors.ArgumentError,
    "custom_jvp of scaled (FILE:N): rules are given arguments by position, but `by` can only be given by "
    "keyword.\n"
    "Make it a positional parameter of the function.",
)
def a_keyword_only_argument() -> Any:
    def scaled(x: Any, *, by: Any) -> Any:
        return x * by

    return fg.custom_jvp(scaled)(3.0, by=2.0)


@mistake(
    errors.ArgumentError,
    "defjvps of product (FILE:N): argument-wise rules cannot have nondiff arguments; write one rule with defjvp",
)
def argument_wise_rules_with_nondiff_arguments() -> Any:
    return fg.custom_jvp(product, nondiff_argnums=0).defjvps(lambda dx, out, x: dx)


@mistake(
    errors.CustomRuleError,
    "defjvps of product (FILE:N): there are 1 rules for 2 arguments; give one each, None where it is zero",
)
def too_few_argument_wise_rules() -> Any:
    f = fg.custom_jvp(product)
    f.defjvps(lambda dp, out, p, x: dp)
    return fg.grad(f)({"w": 2.0}, 3.0)


# -- results unlike the function's -------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "the fwd rule of square (FILE:N) returns results unlike those of the function itself:\n"
    "       function  fwd rule\n"
    "  [0]  f32[]     f32[2]    <--\n"
    "What a rule returns as `out` has the structure, shapes and dtypes of the function's result.",
)
def fwd_of_another_shape() -> Any:
    f = with_vjp(lambda x: (fnp.stack([x, x]), None), lambda _, ct: (ct.sum(),))
    return fg.jit(fg.grad(lambda x: f(x).sum()))(3.0)


@mistake(
    errors.CustomRuleError,
    "the jvp rule of square (FILE:N) returns results unlike those of the function itself:\n"
    "       function   jvp rule\n"
    "  [0]  f32[]      f32[]\n"
    "  [1]  (nothing)  f32[]     <--\n"
    "What a rule returns as `out` has the structure, shapes and dtypes of the function's result.",
)
def jvp_rule_of_another_structure() -> Any:
    f = with_jvp(lambda primals, tangents: ((primals[0], primals[0]), (tangents[0], tangents[0])))
    return fg.grad(fg.jit(f))(3.0)


# -- closures ----------------------------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "custom_jvp function <lambda> (FILE:N) closes over a value that is being differentiated, but its rules "
    "give no derivative for it.\n"
    "Pass that value to the function as an argument.",
)
def closing_over_what_is_differentiated() -> Any:
    def loss(w: Any) -> Any:
        f = fg.custom_jvp(lambda x: x * w)
        f.defjvp(lambda primals, tangents: (f(*primals), w * tangents[0]))
        return f(2.0)

    return fg.grad(loss)(3.0)


@mistake(
    errors.CustomRuleError,
    "custom_vmap function <lambda> (FILE:N) closes over a value that is mapped, but its rule for vmap is not "
    "given it.\n"
    "Pass that value to the function as an argument.",
)
def closing_over_what_is_mapped() -> Any:
    def scaled(w: Any) -> Any:
        f = fg.custom_vmap(lambda x: x * w)
        f.def_vmap(lambda size, in_batched, x: (x * w, in_batched[0]))
        return f(2.0)

    return fg.vmap(scaled)(X)


# -- solvers -----------------------------------------------------------------------------------------------------------


@mistake(
    errors.CustomRuleError,
    "custom_root: <lambda> (FILE:N) returns something unlike initial_guess:\n"
    "          expected  got\n"
    "  result  f32[3]    f32[]  <--\n"
    "A solution has the structure, shapes and dtypes of initial_guess.",
)
def a_root_of_another_shape() -> Any:
    return fg.lax.custom_root(square, X, lambda f, x: x.sum(), lambda g, y: y)


@mistake(
    errors.CustomRuleError,
    "custom_linear_solve: <lambda> (FILE:N) returns something unlike b:\n"
    "          expected   got\n"
    "  result  f32[3]     (nothing)  <--\n"
    "  [0]     (nothing)  f32[3]     <--\n"
    "  [1]     (nothing)  i32[]*     <--\n"
    "A solution has the structure, shapes and dtypes of b.",
)
def a_solution_of_another_structure() -> Any:
    return fg.lax.custom_linear_solve(lambda x: 2 * x, X, lambda matvec, b: (b / 2, 1), symmetric=True)


@mistake(
    errors.CustomRuleError,
    "custom_linear_solve with has_aux=True: <lambda> (FILE:N) must return a pair (solution, auxiliary), got Array",
)
def a_solution_without_auxiliary_data() -> Any:
    return fg.lax.custom_linear_solve(lambda x: 2 * x, X, lambda matvec, b: b / 2, symmetric=True, has_aux=True)


@mistake(
    errors.CustomRuleError,
    "custom_linear_solve: reverse-mode differentiation solves with the transpose of <lambda> (FILE:N), but "
    "there is no solver for it.\n"
    "Pass transpose_solve=, or symmetric=True if the matrix is symmetric.",
)
def reverse_mode_without_a_solver_for_the_transpose() -> Any:
    return fg.grad(lambda b: fg.lax.custom_linear_solve(lambda x: 2 * x, b, lambda matvec, b: b / 2).sum())(X)


@mistake(
    errors.DisagreementError,
    "the tangents of square (FILE:N) against the derivative of the undecorated function: at result 0 0.754381 "
    "against 0.502921, a difference of 0.251 where 0.00751 is allowed (1 of 1 elements disagree)",
)
def a_false_rule() -> Any:
    f = with_jvp(lambda primals, tangents: (square(primals[0]), 3 * primals[0] * tangents[0]))
    return fg.testing.check_custom(f, 2.0)


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
