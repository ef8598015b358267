"""Rules of one's own for derivatives, and what such rules are given, under JAX's names."""

from .higher_order.closures import closure_convert
from .higher_order.custom import custom_gradient, custom_jvp, custom_vjp
from .higher_order.implicit import custom_linear_solve, custom_root
from .higher_order.symbolic import CustomVJPPrimal, SymbolicZero

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_linear_solve",
    "custom_root",
    "custom_vjp",
]
