"""Every row of the benchmarks still runs, and the table says what was measured. How long things take is not tested."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks import first_step, rows_grad
from benchmarks.__main__ import PARTS, QUICK, as_json, table
from benchmarks.first_step_programs import Case, cases, leaves, workload
from benchmarks.first_step_report import MARKS, Measured, Run, tables, write_between_marks
from benchmarks.libraries import JAX, OURS, TORCH
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


def test_first_steps_are_measured_in_processes_of_their_own_and_reported(tmp_path: Path) -> None:
    numbers, page = tmp_path / "run.json", tmp_path / "page.md"
    page.write_text("before\n{}\nold\n{}\nafter\n".format(*MARKS))
    files = ["--json", str(numbers), "--write", str(page)]
    first_step.main(["--quick", "--only", "mlp", "--contenders", "jax,whole", *files])
    run = Run.from_json(numbers.read_text())
    assert [result.contender for result in run.results] == ["jax", "whole"]
    for result in run.results:
        assert set(result.values) == set(first_step.TIMES), result.note
        assert 0 < result.values["first"] < result.values["ten"]
        assert 0 < result.values["before"] <= result.values["peak"]
    text = page.read_text()
    assert text.startswith("before\n" + MARKS[0])
    assert text.endswith(MARKS[1] + "\nafter\n")
    assert "old" not in text
    assert tables(run) in text
    assert "elsewhere" not in text  # both computed the same


def test_the_picture_is_drawn_from_stored_numbers(tmp_path: Path) -> None:
    numbers, picture = tmp_path / "run.json", tmp_path / "images" / "picture.png"
    failed = Measured(Case("gpt", 6), "torch.compile", {}, [], "failed: RuntimeError: no compiler")
    took = Measured(Case("gpt", 6), "jax", {"first": 2.0, "steady": 0.1}, [1.0, 0.5])
    numbers.write_text(Run({"python": "3.11"}, 2, 0.1, 3, [failed, took]).as_json())
    first_step.main(["--load", str(numbers), "--out", str(picture)])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_warm_start_comes_after_a_process_that_filled_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, list[str]]] = []

    def child(case: Case, contender: str, cache: str, stages: bool) -> dict[str, float]:
        seen.append((contender, [file.name for file in Path(cache).iterdir()]))
        (Path(cache) / "entry").touch()
        return {"first": 1.0}

    monkeypatch.setattr(first_step, "start_child", child)
    for contender in ("warm", "whole"):
        first_step.run_once(Case("mlp", 3), contender)
    assert seen == [("warm", []), ("warm", ["entry"]), ("whole", [])]


def test_rounds_alternate_and_failures_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []

    def once(case: Case, contender: str, stages: bool = False) -> dict[str, object]:
        seen.append((contender, stages))
        if contender in ("torch", "tiered"):
            return {"torch": {"note": "> 300 s"}, "tiered": {"missing": "no such mode"}}[contender]
        return {"trace": 3.0} if stages else {"first": float(len(seen)), "change": [1.0, 0.5]}

    monkeypatch.setattr(first_step, "run_once", once)
    kept: list[int] = []
    results = first_step.measure_all(
        [Case("mlp", 3)], ["torch", "jax", "warm", "tiered"], 2, lambda so_far: kept.append(len(so_far))
    )
    assert seen == [(name, False) for name in ("torch", "jax", "warm", "tiered", "jax", "warm")] + [("jax", True)]
    assert [(result.contender, result.note) for result in results] == [("torch", "> 300 s"), ("jax", ""), ("warm", "")]
    assert results[1].values == {"trace": 3.0, "first": 3.5}
    assert kept == [3]


def test_a_child_that_fails_or_takes_too_long_is_reported_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = first_step.start_child(Case("no such kind", 1), "jax", "", False)
    assert failed == {"note": "failed: KeyError: 'no such kind'"}
    monkeypatch.setattr(first_step, "LIMIT", 0.01)
    assert first_step.start_child(Case("mlp", 3, True), "jax", "", False) == {"note": "> 0 s"}


@pytest.mark.parametrize("case", [Case("gpt", 1, True), *cases(quick=True)[2:]], ids=lambda case: case.name)
def test_the_programs_of_the_first_step_mean_the_same_in_every_library(case: Case) -> None:
    work = workload(case)
    stepped = leaves(work.step(OURS, work.state, *work.batch))
    assert [leaf.shape for leaf in stepped] == [leaf.shape for leaf in leaves(work.state)]
    others = [leaves(JAX.top.jit(lambda *args: work.step(JAX, *args))(work.state, *work.batch))]
    if TORCH and case.kind in ("gpt", "mlp"):
        step = importlib.import_module("benchmarks.first_step_torch").TorchStep(case, work, compiled=False)
        step.step()
        others.append([leaf.detach().numpy() for leaf in leaves(step.state)])
    for other in others:
        for mine, theirs in zip(stepped, other, strict=True):
            # Adam's first step is ± 0.001 however small the gradient, so a rounding error may turn it round
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=2.1e-3 if case.kind == "gpt" else 1e-5)


def test_the_report_of_first_steps_names_goals_failures_and_disagreements() -> None:
    deep, other = Case("gpt", 48), Case("rnn", 200)

    def took(case: Case, contender: str, seconds: float, direction: float = 0.5) -> Measured:
        return Measured(case, contender, {"first": seconds, "steady": 0.01 * seconds}, [1.0, direction])

    results = [
        Measured(deep, "torch.compile", {}, [], "failed: RuntimeError: no compiler"),
        took(deep, "jax", 60.0),
        took(deep, "regions", 4.0),
        took(deep, "warm", 4.0),
        took(other, "jax", 2.0),
        took(other, "regions", 1.0, -0.5),
    ]
    text = tables(Run({"python": "3.11"}, 2, 0.1, 3, results))
    lines = [" ".join(line.replace("|", " ").split()) for line in text.splitlines()]
    assert "GPT, 48 layers failed 60.0 4.00 4.00" in lines
    assert "GPT, 48 layers 15.0 (≥ 12: reached) 15.0 (≥ 20: MISSED) 15.0 (≥ 1: reached)" in lines
    assert "RNN, 200 steps unrolled 2.00 - 2.00 (≥ 1: reached)" in lines
    assert "- GPT, 48 layers, torch.compile failed: RuntimeError: no compiler" in lines
    assert "- RNN, 200 steps unrolled, funcgrad: ten steps lead elsewhere than JAX's" in lines
    assert sum("elsewhere" in line for line in lines) == 1
    disturbed = tables(Run({"python": "3.11"}, 2, 5.0, 3, results))
    assert "busy with other work (load average 5.0)" in disturbed
    assert "15.0 (≥ 12)" in disturbed
    assert not any(word in disturbed for word in ("reached", "MISSED"))


def test_contenders_that_nobody_knows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        first_step.main(["--contenders", "jax,theano"])
    assert "there is no contender 'theano'" in capsys.readouterr().err


def test_a_page_without_marks_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKS[0])
    with pytest.raises(ValueError, match="first step: end"):
        write_between_marks(page, "tables")
    assert page.read_text() == MARKS[0]
