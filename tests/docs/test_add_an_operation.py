"""Follows docs/add-an-operation.md: makes its files, checks the laws on its samples, runs its last blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from types import ModuleType

import pytest

from tests.laws import test_batching, test_differentiation, test_evaluation

from .pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "add-an-operation.md"
LAWS = [
    law
    for module in (test_evaluation, test_differentiation, test_batching)
    for name, law in vars(module).items()
    if name.startswith("test_")
]


def make_module(block: Block, file: str) -> ModuleType:
    """The module that the block would be if it were saved where its title says."""
    path = PurePosixPath(file)
    module = ModuleType(".".join(path.with_suffix("").parts))
    module.__package__ = ".".join(path.parent.parts)
    module.__file__ = file
    sys.modules[module.__name__] = module
    block.run(module.__dict__)
    return module


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, ModuleType]]:
    """The page's files as modules, by file name; gone afterwards."""
    files = {title: block for block in blocks(PAGE) if (title := block.option("title"))}
    modules = {file: make_module(block, file) for file, block in files.items()}
    yield modules
    for module in modules.values():
        del sys.modules[module.__name__]


def test_no_file_of_the_page_exists_already(made: dict[str, ModuleType]) -> None:
    assert not [file for file in made if (ROOT / file).exists()]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_laws_hold_on_its_samples(made: dict[str, ModuleType], law: Callable[[tuple[str, int]], None]) -> None:
    law(("samples_rotation", 0))


def test_the_blocks_of_use_run(made: dict[str, ModuleType]) -> None:
    names: dict[str, object] = {}
    printed = ""
    for block in blocks(PAGE):
        if block.language == "python" and not block.option("title"):
            printed += block.run(names)
        elif block.language == "output":
            assert printed.rstrip() == block.text.rstrip()
            printed = ""
    assert not printed
