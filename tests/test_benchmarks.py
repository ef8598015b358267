"""Every row of the benchmarks still runs, and the table says what was measured. How long things take is not tested."""

from __future__ import annotations

from types import ModuleType

import pytest

from benchmarks import rows_grad
from benchmarks.__main__ import PARTS, QUICK, as_json, table
from benchmarks.timing import AtMost, Ratio, Result, Row, measure


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_our_side_of_every_row_runs(part: ModuleType) -> None:
    for row in part.rows(quick=True):
        if not row.value:
            row.contenders["ours"]()


def test_an_eager_session_compiles_nothing() -> None:
    (row,) = (row for row in rows_grad.rows(quick=True) if row.group == "compiles")
    assert measure(row, QUICK).verdict == "yes"


def test_contenders_are_measured_in_turn_and_missing_ones_left_out() -> None:
    calls: list[str] = []
    row = Row(
        "group", "what", {"ours": lambda: calls.append("ours"), "numpy": lambda: calls.append("numpy"), "jax": None}
    )
    result = measure(row, QUICK)
    assert set(result.times) == {"ours", "numpy"}
    assert calls.index("numpy") < len(calls) - 1 - calls[::-1].index("ours")


def test_the_table_compares_with_every_budget() -> None:
    kept = Result(Row("g", "kept", {}, [Ratio("torch", 2 / 3), Ratio("jax", 1.0)]), {"ours": 2.0, "jax": 4.0})
    missed = Result(Row("g", "missed", {}, [Ratio("jax", 1 / 8), AtMost("engine", 5)]), {"ours": 2.0, "jax": 4.0})
    unmeasured = Result(Row("g", "open", {}, [Ratio("torch", 1.0)]), {"ours": 2.0})
    assert [result.verdict for result in (kept, missed, unmeasured)] == ["yes", "NO", "-"]
    text = table([kept, missed, unmeasured])
    assert "≤ 2/3 torch, 1 jax" in text
    assert "0.50 jax" in text
    assert len({len(line) for line in text.splitlines()}) == 1
    assert as_json([missed])["rows"][0]["ok"] == "NO"
