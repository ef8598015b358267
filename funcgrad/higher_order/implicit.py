"""Solutions of equations, differentiated by the implicit function theorem: `custom_root` and `custom_linear_solve`.

How a solution was found does not matter for its derivative. Where f(x, c) = 0, it is -(∂f/∂x)⁻¹ ∂f/∂c · dc; where
A x = b, it is A⁻¹ (db - dA x), and a cotangent is pulled back by solving with Aᵀ (Blondel et al., Efficient and modular
implicit differentiation, 2022). What the functions close over is differentiated like an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..core.types import ArrayType, is_linear
from ..errors import CustomRuleError
from ..ops.elementwise import neg, sub
from ..source import function_source
from ..transforms.arguments import check_callable, lift, strong
from ..transforms.jvp import jvp
from ..transforms.transpose import linear_transpose
from .closures import Closed, close
from .custom import Custom
from .symbolic import SymbolicZero
from .traced import mismatch

__all__ = ["custom_linear_solve", "custom_root"]


class _Equation:
    """An equation in a tree of unknowns as a custom function of flat operands.

    They are the values that the equation's functions close over, then the leaves of the right-hand side or of the
    initial guess. The functions are the equation's, its solver, and another solver.
    """

    what: str
    given_name: str

    def __init__(self, shape: Closed, structure: Any, has_aux: bool) -> None:
        self.shape = shape
        self.structure = structure
        self.has_aux = has_aux
        self.aux_tree: Any = None

    def custom(self) -> Custom:
        """The solution as a function with rules; made when it is called, as one that is kept would be a cycle."""
        made = Custom(self.solved, "custom_jvp")
        made.defjvp(self.tangent, symbolic_zeros=True)
        return made

    def functions(self, operands: Sequence[Any]) -> list[Any]:
        return self.shape.around(operands[: self.shape.count])

    def given(self, operands: Sequence[Any]) -> Any:
        return self.structure.unflatten(operands[self.shape.count :])

    def solved(self, *operands: Any) -> list[Any]:
        function, solve, _ = self.functions(operands)
        given = self.given(operands)
        return self.solution(solve(function, given), given, solve)

    def tangent(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        raise NotImplementedError

    def result(self, outs: Sequence[Any]) -> Any:
        count = self.structure.num_leaves
        solution = self.structure.unflatten(outs[:count])
        return (solution, self.aux_tree.unflatten(outs[count:])) if self.has_aux else solution

    def solution(self, result: Any, given: Any, solve: Any) -> list[Any]:
        """The leaves of what `solve` returned, checked: the solution's, then those of the auxiliary data."""
        found: Any = result
        aux: list[Any] = []
        if self.has_aux:
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise CustomRuleError(
                    f"{self.what} with has_aux=True: {function_source(solve)} must return a pair (solution, "
                    f"auxiliary), got {type(result).__name__}"
                )
            found, extra = result
            aux, self.aux_tree = tree.flatten(extra)
        return [*self.checked(found, given, solve), *(strong(lift(leaf)) for leaf in aux)]

    def checked(self, found: Any, given: Any, function: Any) -> list[Any]:
        """The leaves of a tree that must be like `given`."""
        leaves, structure = tree.flatten(found)
        leaves = [lift(leaf) for leaf in leaves]
        wanted = tree.leaves(given)
        shown = mismatch(
            ("expected", "got"), (self.structure, structure), ([x.type for x in wanted], [x.type for x in leaves])
        )
        if shown:
            source = self.given_name
            raise CustomRuleError(
                f"{self.what}: {function_source(function)} returns something unlike {source}:\n{shown}\n"
                f"A solution has the structure, shapes and dtypes of {source}."
            )
        return [strong(leaf) for leaf in leaves]

    def change(self, values: Sequence[Any], tangents: Sequence[Any], outs: Sequence[Any]) -> list[Any] | None:
        """How the function at the solution changes with what it closes over; None if none of that moves."""
        count = self.shape.count
        moving = [i for i, t in enumerate(tangents[:count]) if not isinstance(t, SymbolicZero)]
        moving = [i for i in moving if values[i].type.differentiable]
        if not moving:
            return None

        x = self.structure.unflatten(outs[: self.structure.num_leaves])

        def around(*moved: Any) -> Any:
            everything = list(values)
            for i, value in zip(moving, moved, strict=True):
                everything[i] = value
            return self.functions(everything)[0](x)

        changed = jvp(around, [values[i] for i in moving], [tangents[i] for i in moving])[1]
        return self.checked(changed, x, self.functions(values)[0])

    def still(self, outs: Sequence[Any]) -> list[Any]:
        """The tangents of the auxiliary data."""
        return [SymbolicZero(out.type) for out in outs[self.structure.num_leaves :]]


def _solved(kind: type[_Equation], functions: Sequence[Any], given: Any, has_aux: bool) -> Any:
    shape, values = close(functions)
    leaves, structure = tree.flatten(given)
    equation = kind(shape, structure, has_aux)
    return equation.result(equation.custom()(*values, *[strong(lift(leaf)) for leaf in leaves]))


def custom_root(
    f: Callable[..., Any],
    initial_guess: Any,
    solve: Callable[..., Any],
    tangent_solve: Callable[..., Any],
    has_aux: bool = False,
) -> Any:
    """A root of a function, differentiated by the implicit function theorem rather than through the solver.

    Derivatives are with respect to what `f` closes over. The initial guess has none.

    Args:
        f: takes and returns a tree like `initial_guess`.
        initial_guess: where to start.
        solve: `solve(f, initial_guess)` returns x with f(x) = 0, in any way; it is not differentiated.
        tangent_solve: `tangent_solve(g, y)` returns x with g(x) = y for the linear function g that approximates `f` at
            the root. It must be differentiable in y: for a number `y / g(1.0)`, for a vector a solve with
            the Jacobian of g, or `custom_linear_solve`.
        has_aux: whether `solve` returns a pair (root, auxiliary data).

    Returns:
        The root, or a pair (root, auxiliary data) with `has_aux`.

    Raises:
        CustomRuleError: `solve` or `f` returns something unlike the initial guess.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> def square_root(a):
        ...     newton = lambda f, x: 0.5 * (x + a / x)  # one step is exact from x = sqrt(a)
        ...     return fg.lax.custom_root(lambda x: x * x - a, 3.0, newton, lambda g, y: y / g(1.0))
        >>> float(square_root(9.0)), round(float(fg.grad(square_root)(9.0)), 4)
        (3.0, 0.1667)
    """
    for function in (f, solve, tangent_solve):
        check_callable(function, "custom_root")
    return _solved(_Root, [f, solve, tangent_solve], initial_guess, has_aux)


class _Root(_Equation):
    what = "custom_root"
    given_name = "initial_guess"

    def tangent(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        outs = self.custom()(*primals)
        change = self.change(primals, tangents, outs)
        if change is None:
            return outs, [SymbolicZero(out.type) for out in outs]
        function, _, solve = self.functions(primals)
        x = self.structure.unflatten(outs[: self.structure.num_leaves])

        def linearized(dx: Any) -> Any:
            return jvp(function, (x,), (dx,))[1]

        dx = self.checked(solve(linearized, self.structure.unflatten(change)), x, solve)
        return outs, [*map(neg, dx), *self.still(outs)]


def custom_linear_solve(
    matvec: Callable[..., Any],
    b: Any,
    solve: Callable[..., Any],
    transpose_solve: Callable[..., Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The solution of a linear system, differentiated by solving linear systems rather than through the solver.

    Derivatives are with respect to `b` and to what `matvec` closes over.

    Args:
        matvec: the linear function A; takes and returns a tree like `b`.
        b: the right-hand side, a tree of arrays.
        solve: `solve(matvec, b)` returns x with matvec(x) = b, in any way; it is not differentiated.
        transpose_solve: `transpose_solve(vecmat, b)` does so for the transpose of A; reverse mode needs it.
        symmetric: promise that A is symmetric (real), so that `solve` serves for its transpose too.
        has_aux: whether the solvers return a pair (solution, auxiliary data).

    Returns:
        The solution, or a pair (solution, auxiliary data) with `has_aux`.

    Raises:
        CustomRuleError: a solver or `matvec` returns something unlike `b`; or the solution is differentiated in
            reverse without a way to solve with the transpose.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> def f(d, b):
        ...     return fg.lax.custom_linear_solve(lambda x: d * x, b, lambda _, b: b / d, symmetric=True).sum()
        >>> fg.grad(f, argnums=(0, 1))(fnp.array([2.0]), fnp.array([6.0]))
        (Array([-1.5], dtype=float32), Array([0.5], dtype=float32))
    """
    for function in (matvec, solve) if transpose_solve is None else (matvec, solve, transpose_solve):
        check_callable(function, "custom_linear_solve")
    system = _SymmetricSystem if symmetric else _LinearSystem
    return _solved(system, [matvec, solve, transpose_solve], b, has_aux)


class _LinearSystem(_Equation):
    what = "custom_linear_solve"
    given_name = "b"

    symmetric = False

    def custom(self) -> Custom:
        made = super().custom()
        made.def_transpose(self.cotangent, None if self.has_aux else self.types)
        return made

    def types(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in types[self.shape.count :])

    def tangent(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        count = self.shape.count
        outs = self.custom()(*primals)
        db = [t.instantiate() if isinstance(t, SymbolicZero) else t for t in tangents[count:]]
        change = self.change(primals, tangents, outs)
        if change is not None:
            db = list(map(sub, db, change))
        matvec, *solvers = self.functions(primals)
        if self.has_aux:  # it has no tangent
            solvers = [_without_aux(solve) for solve in solvers]
        dx = custom_linear_solve(matvec, self.structure.unflatten(db), *solvers, self.symmetric)
        return outs, [*tree.leaves(dx), *self.still(outs)]

    def cotangent(self, cts: Sequence[Any], *inputs: Any) -> list[Any]:
        count = self.shape.count
        matvec, solve, transpose_solve = self.functions(inputs)
        if self.symmetric:
            vecmat, transpose_solve = matvec, solve
        elif transpose_solve is None:
            raise CustomRuleError(
                f"custom_linear_solve: reverse-mode differentiation solves with the transpose of "
                f"{function_source(matvec)}, but there is no solver for it.\n"
                f"Pass transpose_solve=, or symmetric=True if the matrix is symmetric."
            )
        else:
            like = self.structure.unflatten([_Like(ct.type) for ct in cts])

            def vecmat(y: Any) -> Any:
                return linear_transpose(matvec, like)(y)[0]

        ct = self.structure.unflatten(cts)
        found = tree.leaves(custom_linear_solve(vecmat, ct, transpose_solve, solve, self.symmetric))
        found = [f if is_linear(x) else None for f, x in zip(found, inputs[count:], strict=True)]
        return [*(None for _ in range(count)), *found]


class _SymmetricSystem(_LinearSystem):
    symmetric = True


def _without_aux(solve: Any) -> Any:
    return None if solve is None else lambda matvec, b: solve(matvec, b)[0]


class _Like:
    """Something of a type, without a value."""

    def __init__(self, type: ArrayType) -> None:
        self.type = type
