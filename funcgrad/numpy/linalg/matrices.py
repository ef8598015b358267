"""What the functions on matrices share: their arguments, the quick way for small eager ones, and their checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend.array import Array
from ...compiler.evaluate import evaluation, silence
from ...config import config
from ...core.dtypes import is_complex
from ...core.trace import Tracer, state
from ...errors import LinAlgError
from ...ops.checks import require_all
from ...ops.complex_parts import real
from ...ops.elementwise import eq
from ..conversion import as_operand
from ..promotion import to_inexact

__all__ = ["as_matrices", "quickly", "quickly_if_finite", "require", "require_converged", "value_if_known"]

_NATIVE = "fdFD"
_ndarray = np.ndarray


def as_matrices(name: str, a: Any, square: bool = True) -> Any:
    """An argument as a batch of matrices of an inexact dtype.

    Raises:
        LinAlgError: fewer than two dimensions; matrices that are not square where they must be.
    """
    x = as_operand(a)
    if x.ndim < 2:
        raise LinAlgError(f"{name} takes a matrix, or a batch of them along leading axes; got shape {x.shape}")
    if square and x.shape[-1] != x.shape[-2]:
        raise LinAlgError(f"{name} takes square matrices; the last two axes of shape {x.shape} have different lengths")
    return to_inexact(x)


def quickly(function: Callable[..., Any], *operands: Any) -> Any:
    """What a function of `numpy.linalg` gives for host arrays; None if they take the general way, as where it fails."""
    # Hot: eager calls on small matrices pass here.
    if state.trace is not evaluation or not evaluation.host_only:
        return None
    hosts = []
    for x in operands:
        if type(x) is not Array or x._device is not None:
            return None
        host = x._host
        if host is None:
            host = x.host()
        if host.dtype.char not in _NATIVE:
            return None
        hosts.append(host)
    try:
        found = silence.run(function, *hosts)
    except (TypeError, ValueError):  # ours is raised the general way
        return None
    return found if type(found) is _ndarray or isinstance(found, tuple) else np.asarray(found)


def quickly_if_finite(function: Callable[..., Any], a: Any, *others: Any) -> Any:
    """As `quickly`, for decompositions of `a`: LAPACK may make ordinary numbers of NaN, so that results do not tell."""
    found = quickly(function, a, *others)
    return found if found is not None and np.isfinite(a.host()).all() else None


def value_if_known(x: Any) -> np.ndarray | None:
    """The value of an array; None if it is only known inside a compiled program, or differs along a mapped axis."""
    while isinstance(x, Tracer):
        x = x.concrete()
    return None if x is None else x.host()


def require(ok: Any, message: str) -> None:
    """Check that something holds for all matrices; see `config.check_linalg`.

    Raises:
        LinAlgError: it does not; from compiled code when a result is read.
    """
    if config.current.check_linalg:
        require_all(ok, message, LinAlgError)


def require_converged(name: str, values: Any, why: str = "") -> None:
    """Check that no result is NaN.

    Args:
        why: what NaN means; by default that an algorithm did not converge.

    Raises:
        LinAlgError: one is.
    """
    if type(values) is Array and not np.isnan(values.host()).any():
        return
    values = real(values) if is_complex(values.dtype) else values
    reason = why or "the algorithm did not converge, most likely because a matrix contains NaN or infinities"
    look = "Accept" if why else "Look for them with fnp.isfinite(a), or accept"
    require(eq(values, values), f"{name}: {reason}.\n{look} NaN as the result with fg.config(check_linalg=False).")
