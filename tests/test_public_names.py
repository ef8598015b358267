"""The public names are a promise: adding or losing one is a change of public_names.txt, seen in review.

After an intended change: `python -m tests.test_public_names`, and read the difference.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

PINNED = Path(__file__).with_name("public_names.txt")
PUBLIC_MODULES = (
    "funcgrad",
    "funcgrad.custom_batching",
    "funcgrad.custom_derivatives",
    "funcgrad.debug",
    "funcgrad.errors",
    "funcgrad.lax",
    "funcgrad.lax.linalg",
    "funcgrad.nn",
    "funcgrad.numpy",
    "funcgrad.numpy.fft",
    "funcgrad.numpy.linalg",
    "funcgrad.random",
    "funcgrad.scipy.fft",
    "funcgrad.scipy.linalg",
    "funcgrad.scipy.special",
    "funcgrad.scipy.stats",
    "funcgrad.testing",
    "funcgrad.tree",
)


def public_names() -> list[str]:
    """Every public name in full."""
    return [f"{module}.{name}" for module in PUBLIC_MODULES for name in sorted(importlib.import_module(module).__all__)]


def test_the_public_names_are_pinned() -> None:
    pinned = set(PINNED.read_text().split())
    current = set(public_names())
    assert not current - pinned, "new names that are not pinned"
    assert not pinned - current, "pinned names that are gone"


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_every_public_name_exists_and_none_is_listed_twice(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert len(names) == len(set(names))
    assert not [name for name in names if not hasattr(importlib.import_module(module), name)]


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_every_public_function_has_a_docstring(module: str) -> None:
    values = [getattr(importlib.import_module(module), name) for name in importlib.import_module(module).__all__]
    ours = [value for value in values if callable(value) and value.__module__.startswith("funcgrad")]
    assert not [value for value in ours if not (value.__doc__ or "").strip()]


if __name__ == "__main__":
    PINNED.write_text("\n".join(public_names()) + "\n")
