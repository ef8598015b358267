"""Every Python block of the README and of docs/ runs and prints what the page says; every docstring example too."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp

from .pages import ROOT, blocks, run_page

# Its blocks are files of the library; test_add_an_operation.py follows it.
FOLLOWED_ELSEWHERE = {"add-an-operation.md"}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = ["funcgrad", *(module.name for module in pkgutil.walk_packages(fg.__path__, "funcgrad."))]


def _runs(page: Path) -> bool:
    return page.name not in FOLLOWED_ELSEWHERE and any(block.language == "python" for block in blocks(page))


@pytest.mark.parametrize("page", [page for page in PAGES if _runs(page)], ids=lambda page: page.name)
def test_the_code_of_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    names = {"fg": fg, "fnp": fnp, "np": np}
    results = doctest.testmod(importlib.import_module(name), extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert not [target for target in local if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_mentions_exist(page: Path) -> None:
    mentioned = set(re.findall(r"`((?:\w+/)+\w+\.\w+)`", page.read_text()))
    assert not [name for name in mentioned if not any((place / name).exists() for place in (ROOT, ROOT / "funcgrad"))]


def test_the_lines_that_life_of_a_gradient_quotes_are_in_the_source() -> None:
    page = (ROOT / "docs" / "life-of-a-gradient.md").read_text()
    quoted = re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE)
    source = "".join(file.read_text() for file in (ROOT / "funcgrad").rglob("*.py"))
    assert quoted
    assert not [line for line in quoted if line not in source]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
