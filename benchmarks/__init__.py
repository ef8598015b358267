"""Ratios against NumPy, JAX, PyTorch and HIPS autograd, measured side by side in one run: `python -m benchmarks`."""
