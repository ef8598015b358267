"""The code blocks of the documentation: finding them and running them with the page's own line numbers.

```python                            runs; the blocks of one page share their names
```python raises=ShapeError          must raise that error
```python title="funcgrad/ops/x.py"  is the content of that file
```output                            what the block above printed
"""

from __future__ import annotations

import builtins
import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from funcgrad import errors

ROOT = Path(__file__).parent.parent.parent
_FENCE = re.compile(r"^```(\w*)[ ]*(.*?)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    options: str
    text: str

    def option(self, name: str) -> str | None:
        """The value of `name=value` or `name="value"` behind the language."""
        found = re.search(rf'{name}="?([^"\s]+)"?', self.options)
        return found[1] if found else None

    def run(self, names: dict[str, Any]) -> str:
        """Execute with `names` as globals; tracebacks show the page's lines. Returns what was printed."""
        code = compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")
        printed = io.StringIO()
        expected = self.option("raises")
        refused = pytest.raises(_error(expected)) if expected else contextlib.nullcontext()
        with contextlib.redirect_stdout(printed), refused:
            exec(code, names)
        return printed.getvalue()


def _error(name: str) -> type[BaseException]:
    return getattr(errors, name, None) or getattr(builtins, name)


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a Markdown page, in order; `line` is that of the first line inside."""
    text = page.read_text()
    return [Block(page, text.count("\n", 0, m.start()) + 2, m[1], m[2], m[3]) for m in _FENCE.finditer(text)]


def run_page(page: Path) -> None:
    """Run every Python block of a page and compare what it prints with the output block below it."""
    names: dict[str, Any] = {"__name__": page.stem}
    printed = ""
    for block in blocks(page):
        if block.language == "python":
            assert not printed, f"the block above {page.name}:{block.line} prints what no output block shows"
            printed = block.run(names)
        elif block.language == "output":
            assert printed.rstrip() == block.text.rstrip(), f"{page.name}:{block.line}"
            printed = ""
    assert not printed, f"the last block of {page.name} prints what no output block shows"
