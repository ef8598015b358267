"""`array_api_extra.at`, and SciPy's copy of it, on arrays and tracers: after this import they write by `x.at`.

That function hides the difference between `x[index] = y` and `x.at[index].set(y)` from code that runs with many
libraries; it knows JAX's arrays by their class, and takes those of every other library for writeable. SciPy functions
that write through it then take arrays of this library too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..backend.array import Array
from ..core.trace import Tracer

__all__: list[str] = []

_COPIES = ("array_api_extra", "scipy._lib.array_api_extra", "scipy._external.array_api_extra")


def _written_by_at(general: Callable[..., Any]) -> Callable[..., Any]:
    """The method that all updates of `at` go through, for our arrays by our own `x.at`."""

    def update(self: Any, operation: Any, *rest: Any, **options: Any) -> Any:
        x = self._x
        if not isinstance(x, Array | Tracer):
            return general(self, operation, *rest, **options)
        if options.get("copy") is False:
            raise ValueError("at(…, copy=False): arrays of funcgrad are immutable; leave `copy` out and use the result")
        return getattr(x.at[self._idx], operation.value)(rest[-1]).astype(x.dtype)

    return update


for _name in _COPIES:
    try:
        _at = importlib.import_module(_name).at
    except ImportError:
        continue  # not installed, or elsewhere in this version
    _at._op = _written_by_at(_at._op)
