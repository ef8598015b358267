"""Leaves special names such as `__slots__` out of the generated reference."""

from __future__ import annotations

from typing import Any

import griffe


class PublicNames(griffe.Extension):
    """Used by mkdocs.yml."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Drop special members of every class."""
        remaining: list[Any] = [pkg]
        while remaining:
            item = remaining.pop()
            if item.is_class:
                for name in [name for name in item.members if name.startswith("__")]:
                    del item.members[name]
            remaining += [m for m in item.members.values() if not m.is_alias and (m.is_module or m.is_class)]
