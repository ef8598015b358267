"""Linear algebra under SciPy's names: factorizations to solve with, spectra, matrix functions, special matrices.

Dtypes, checks and derivatives are those of `funcgrad.numpy.linalg`. `overwrite_*` and `check_finite` do nothing here.
"""

from ...errors import LinAlgError

# fmt: off
# isort: off
from .factorizations import cho_factor, cho_solve, cholesky, lu, lu_factor, lu_solve, qr, qr_multiply
from .matrix_functions import (
    expm, expm_frechet, funm, solve_continuous_lyapunov, solve_discrete_lyapunov, solve_sylvester, sqrtm,
)
from .solving import det, inv, lstsq, solve, solve_banded, solve_triangular, solveh_banded
from .special_matrices import (
    block_diag, circulant, companion, convolution_matrix, dft, fiedler, fiedler_companion, hadamard, hankel,
    helmert, hilbert, invhilbert, invpascal, leslie, pascal, toeplitz,
)
from .spectral import (
    eig, eigh, eigh_tridiagonal, eigvals, eigvalsh, hessenberg, null_space, orth, pinv, polar, rsf2csf, schur, svd,
    svdvals,
)
# isort: on
# fmt: on

__all__ = [
    "LinAlgError", "block_diag", "cho_factor", "cho_solve", "cholesky", "circulant", "companion",
    "convolution_matrix", "det", "dft", "eig", "eigh", "eigh_tridiagonal", "eigvals", "eigvalsh", "expm",
    "expm_frechet", "fiedler", "fiedler_companion", "funm", "hadamard", "hankel", "helmert", "hessenberg",
    "hilbert", "inv", "invhilbert", "invpascal", "leslie", "lstsq", "lu", "lu_factor", "lu_solve", "null_space",
    "orth", "pascal", "pinv", "polar", "qr", "qr_multiply", "rsf2csf", "schur", "solve", "solve_banded",
    "solve_continuous_lyapunov", "solve_discrete_lyapunov", "solve_sylvester", "solve_triangular", "solveh_banded",
    "sqrtm", "svd", "svdvals", "toeplitz",
]  # fmt: skip
