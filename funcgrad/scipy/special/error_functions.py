"""Error functions and the normal distribution under SciPy's names"""

from __future__ import annotations

from ...ops.special import erf as error_function
from ...ops.special import erfc as complementary
from ...special import error_functions as ops
from .faces import face

__all__ = [
    "dawsn", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri", "owens_t",
]  # fmt: skip

erf = face(error_function, "erf", "x", "The error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise.")
erfc = face(complementary, "erfc", "x", "1 - erf(x), elementwise, without cancellation for large x.")
erfcx = face(ops.erfcx, "erfcx", "x", "exp(x²) erfc(x), elementwise: about 1 / (√π x) for large x.")
erfinv = face(ops.erfinv, "erfinv", "y", "The numbers with error function y, elementwise; NaN outside [-1, 1].")
erfcinv = face(ops.erfcinv, "erfcinv", "y", "The numbers x with erfc(x) = y, elementwise; NaN outside [0, 2].")
dawsn = face(ops.dawsn, "dawsn", "x", "Dawson's integral exp(-x²) ∫₀ˣ exp(t²) dt, elementwise.")
ndtr = face(ops.ndtr, "ndtr", "x", "The distribution function of the standard normal distribution, elementwise.")
log_ndtr = face(
    ops.log_ndtr,
    "log_ndtr",
    "x",
    "log(ndtr(x)), elementwise; value and derivative keep their digits where ndtr(x) is 0.",
)
ndtri = face(ops.ndtri, "ndtri", "p", "The quantiles of the standard normal distribution, elementwise.")
owens_t = face(
    ops.owens_t,
    "owens_t",
    "h a",
    "Owen's T function, elementwise: the probability that X > h and 0 < Y < a X for independent normal X and Y.",
)
