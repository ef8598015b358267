"""SciPy's modules, each imported at its first use: importing one takes longer than importing this whole library."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

__all__ = ["scipy_module"]


@cache
def scipy_module(name: str) -> Any:
    """`scipy.name`, such as "special" or "linalg.lapack"."""
    return importlib.import_module(f"scipy.{name}")
