"""Functions of SciPy and scikit-learn that take arrays of the standard take ours; those that write into them say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

Outcomes = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """What each function did in a process in which SciPy accepts such arrays."""
    command = [sys.executable, "-m", "tests.clients.scipy_functions"]
    root = Path(__file__).parent.parent.parent
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.parametrize("group", ["unchanged", "through at"])
def test_functions_give_our_arrays_with_the_values_of_numpys(group: str, outcomes: Outcomes) -> None:
    assert len(outcomes[group]) > 12
    assert {name: text for name, text in outcomes[group].items() if text != "ok"} == {}


def test_functions_that_write_in_place_are_refused_at_their_line(outcomes: Outcomes) -> None:
    for text in outcomes["in place"].values():
        assert text.startswith("ImmutableError: at ")
        assert "site-packages" in text.splitlines()[0]
