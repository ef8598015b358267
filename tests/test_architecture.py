"""The one law of the layout, kept by machine: a module imports only what stands above it in docs/architecture.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "funcgrad"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 700, 60
ENGINE = {"jax", "jaxlib"}


def name_of(file: Path) -> str:
    """`funcgrad.core.trace`; a folder's `__init__` is the folder."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in FILES}


@cache
def layout() -> list[str]:
    """The modules in the order of the layout in docs/architecture.md, lowest first."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    block = re.search(r"^```text title=\"layout\"\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert block, "docs/architecture.md has no layout block"
    order: list[str] = []
    folders: list[tuple[int, str]] = []
    for line in block[1].splitlines():
        entry = re.match(r"( *)([\w.]+)(/|\.py)(?:\s|$)", line)
        if entry is None:
            continue
        indent = len(entry[1])
        folders = [folder for folder in folders if folder[0] < indent]
        stem = [folder for _, folder in folders]
        if entry[3] == "/":
            folders.append((indent, entry[2]))
            order.append(".".join([*stem, entry[2]]))
        elif entry[2] != "__init__":
            order.append(".".join([*stem, entry[2]]))
        else:
            order.remove(".".join(stem))  # listed where it stands, not where its folder begins
            order.append(".".join(stem))
    return order


def imported(node: ast.Import | ast.ImportFrom, file: Path) -> list[str]:
    """The modules that an import statement names, absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = name_of(file).split(".") if file.name == "__init__.py" else name_of(file).split(".")[:-1]
    base = package[: len(package) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    return [f"{module}.{a.name}" if f"{module}.{a.name}" in MODULES else module for a in node.names]


def imports(file: Path, inside_functions: bool) -> Iterator[tuple[int, str]]:
    """Line and module of the imports that run; those for type checkers alone do not."""

    def visit(node: ast.AST, in_function: bool) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import | ast.ImportFrom) and in_function == inside_functions:
            yield from ((node.lineno, module) for module in imported(node, file))
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, in_function)

    yield from visit(ast.parse(file.read_text()), False)


def test_the_layout_lists_every_module_once() -> None:
    assert sorted(layout()) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_from_above_in_the_layout(module: str) -> None:
    order = layout()
    allowed = set(order[: order.index(module)])
    wrong = [
        f"{module}, line {line}: {other}"
        for line, other in imports(MODULES[module], inside_functions=False)
        if other.split(".")[0] == "funcgrad" and other not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("module", MODULES)
def test_no_import_inside_a_function(module: str) -> None:
    assert not [f"{module}, line {line}: {other}" for line, other in imports(MODULES[module], inside_functions=True)]


@pytest.mark.parametrize("module", MODULES)
def test_only_the_backend_imports_the_engine(module: str) -> None:
    if module.startswith("funcgrad.backend"):
        return
    every = [*imports(MODULES[module], inside_functions=False), *imports(MODULES[module], inside_functions=True)]
    assert not [f"{module}, line {line}: {other}" for line, other in every if other.split(".")[0] in ENGINE]


@pytest.mark.parametrize(
    "file", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda f: str(f.relative_to(ROOT))
)
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("module", MODULES)
def test_functions_are_short(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {f"{module}, line {f.lineno}: {f.name}": (f.end_lineno or 0) - f.lineno + 1 for f in functions}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
