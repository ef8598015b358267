"""The main job, in its quick form: it learns, and the picture is written, also after Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from examples import digits


def test_the_quick_run_learns_and_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "digits.png"
    history = digits.main(["--quick", "--out", str(out)])
    assert history[0].accuracy < 0.3  # ten kinds of digits: an untrained network guesses
    assert history[-1].train_loss < 0.1 * history[0].train_loss
    assert history[-1].test_loss < 0.15 * history[0].test_loss
    assert history[-1].accuracy > 0.93
    height, width, _ = matplotlib.image.imread(out).shape
    assert (height, width) == (990, 1650)
    assert f"test accuracy {history[-1].accuracy:.1%}" in capsys.readouterr().out


def test_ctrl_c_keeps_what_was_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "digits.png"
    epochs = 0

    def interrupted(*args: Any) -> Iterator[Any]:
        nonlocal epochs
        epochs += 1
        if epochs == 3:
            raise KeyboardInterrupt
        yield from batches(*args)

    batches = digits.batches
    monkeypatch.setattr(digits, "batches", interrupted)
    history = digits.main(["--quick", "--out", str(out)])
    assert len(history) == 4  # before training, after each of two epochs, and when stopped
    assert history[-1].accuracy > 0.85
    assert out.stat().st_size > 10_000


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    runs = [digits.main(["--epochs", "1", "--seed", "7", "--out", str(tmp_path / "digits.png")]) for _ in range(2)]
    assert runs[0] == runs[1]
