"""One class per operation, six rules inside; adjoint pairs share a file.

Operations take operands of equal shapes and dtypes; broadcasting and promotion happen in `funcgrad.numpy`.
"""
