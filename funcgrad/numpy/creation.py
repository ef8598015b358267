"""New arrays: constants, counts, grids, diagonals. Constants are never traced and cost nothing until written out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.array import Array, aligned_copy, splat_array
from ..compiler.evaluate import quiet
from ..core.dtypes import (
    BOOL, DTypeLike, canonical, default_float, default_int, is_complex, is_inexact, is_integer, scalar_dtype,
)  # fmt: skip
from ..core.trace import Tracer
from ..core.types import ArrayType
from ..errors import ArgumentError, ConcretizationError, ShapeError
from ..ops.elementwise import where
from ..ops.slicing import pad
from ..ops.structure import broadcast, broadcast_in_dim, convert, iota, reshape, zeros_of
from .conversion import SCALARS, array, as_operand, asarray, known, place
from .elementwise import add, divide, floor_divide, greater_equal, multiply, power, subtract
from .indexing import take
from .promotion import promote_dtypes, result_dtype, to_inexact
from .reductions import canonical_axes
from .shape import stack
from .transcendental import log10

__all__ = [
    "arange", "array", "asarray", "ascontiguousarray", "copy", "diag", "diagflat", "diagonal", "empty", "empty_like",
    "eye", "from_dlpack", "full", "full_like", "geomspace", "identity", "indices", "linspace", "logspace", "meshgrid",
    "ones", "ones_like", "trace", "tri", "tril", "triu", "vander", "zeros", "zeros_like",
]  # fmt: skip
