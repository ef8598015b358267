"""Checks of derivatives and of custom rules, for the tests of programs that have some."""

from .derivatives import check_custom, check_grads

__all__ = ["check_custom", "check_grads"]
