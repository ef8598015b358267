"""Writes docs/coverage.md: which of the most used names of JAX exist here. Run it after adding a public name.

coverage_names.txt lists the 150 names of JAX's public interface that eighteen well-known libraries mention most
often, and how many of those libraries mention each. Internals of JAX are left out.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import funcgrad.numpy as fnp

HERE = Path(__file__).parent
RENAMED = {
    "jax.tree_util.tree_": "funcgrad.tree.",
    "jax.tree_util.": "funcgrad.tree.",
    "jax.flatten_util.": "funcgrad.tree.",
    "jax.": "funcgrad.",
    "Array.": "funcgrad.Array.",
}


def counterpart(name: str) -> str | None:
    """The full name here of a name of JAX; None if there is none."""
    prefix = next(prefix for prefix in RENAMED if name.startswith(prefix))
    ours = RENAMED[prefix] + name.removeprefix(prefix)
    value, path = _split(ours)
    for part in path:
        if not hasattr(value, part.removesuffix("[]")):
            return None
        value = getattr(value, part.removesuffix("[]"))
        if part.endswith("[]"):  # `Array.at[].set`: what indexing gives, seen on an array
            value = fnp.zeros(1).at[0]
    return ours


def _split(name: str) -> tuple[object, list[str]]:
    """The innermost importable module of a dotted name, and the attributes that follow."""
    parts = name.split(".")
    for count in range(len(parts) - 1, 0, -1):
        try:
            return importlib.import_module(".".join(parts[:count])), parts[count:]
        except ModuleNotFoundError:
            continue
    raise ValueError(name)


def page() -> str:
    """The page's Markdown."""
    rows = [line.split() for line in (HERE / "coverage_names.txt").read_text().splitlines()]
    found = [(name, libraries, counterpart(name)) for name, libraries in rows]
    count = sum(ours is not None for _, _, ours in found)
    table = "\n".join(
        f"| `{name}` | {libraries} | {f'`{ours}`' if ours else 'planned'} |" for name, libraries, ours in found
    )
    return f"""# Coverage

The {len(found)} names of JAX's public interface that eighteen well-known libraries use most, and where they are here.
**{count} exist**, {len(found) - count} are planned. The second column says how many of the eighteen use the name.
This page is written by `docs/make_coverage.py`; a test keeps it true.

| JAX | libraries | funcgrad |
|---|---|---|
{table}
"""


if __name__ == "__main__":
    (HERE / "coverage.md").write_text(page())
