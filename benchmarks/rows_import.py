"""How long `import` takes, each in a fresh interpreter, without the start of the interpreter itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

from .timing import Ratio, Row

__all__ = ["rows"]


def _import(module: str) -> Callable[[], float]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # everyday imports find compiled modules
    program = f"import time; start = time.process_time(); import {module}; print(time.process_time() - start)"

    def run() -> float:
        command = [sys.executable, "-c", program]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return float(ran.stdout) * 1e6

    run()
    return run


def rows(quick: bool) -> Iterator[Row]:
    """funcgrad against JAX."""
    yield Row(
        "import",
        "import",
        {"ours": _import("funcgrad"), "jax": _import("jax"), "numpy": _import("numpy")},
        [Ratio("jax", 1.1)],
        value=True,
    )
