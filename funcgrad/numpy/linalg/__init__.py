"""Linear algebra under NumPy's names: systems, factorizations, eigenvalues, norms, on batches of matrices.

The last two axes are the matrix, all others a batch. What only the values tell (a singular matrix, an algorithm that
does not converge) raises `LinAlgError`, eagerly at once and from compiled code when a result is read; with
`fg.config(check_linalg=False)` the results are NaN instead.
"""

from ...errors import LinAlgError

# fmt: off
# isort: off
from .norms import cond, matrix_norm, norm, vector_norm
from .products import (
    cross, diagonal, matmul, matrix_power, matrix_transpose, multi_dot, outer, tensordot, trace, vecdot,
)
from .solving import QRResult, SlogdetResult, cholesky, det, inv, qr, slogdet, solve, tensorinv, tensorsolve
from .spectral import (
    EigResult, EighResult, SVDResult, eig, eigh, eigvals, eigvalsh, lstsq, matrix_rank, pinv, svd, svdvals,
)
# isort: on
# fmt: on

__all__ = [
    "EigResult", "EighResult", "LinAlgError", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cond", "cross",
    "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm",
]  # fmt: skip
