"""The second example: it fits, its gradient is right, and the picture is written."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from examples import hare_and_lynx
from funcgrad.errors import CheckError


def test_it_fits_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "picture.png"
    misfits = hare_and_lynx.main(["--steps", "80", "--out", str(out)])
    assert misfits[0] > 1.0
    assert misfits[-1] < 0.055
    assert matplotlib.image.imread(out).shape[:2] == (660, 1650)
    assert "misfit 1.26" in capsys.readouterr().out


def test_the_gradient_through_the_solver_agrees_with_the_eager_one_and_with_differences() -> None:
    params = hare_and_lynx.guess()
    compiled = fg.jit(fg.grad(hare_and_lynx.loss))(params)
    eager = fg.grad(hare_and_lynx.loss)(params)
    for one, two in zip(fg.tree.leaves(compiled), fg.tree.leaves(eager), strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-3, atol=1e-4)
    loss = fg.jit(hare_and_lynx.loss)
    step = 0.01
    up, down = (loss(params._replace(birth=params.birth + s)) for s in (step, -step))
    np.testing.assert_allclose(compiled.birth, (up - down) / (2 * step), rtol=0.02)


def test_a_solver_that_gets_stuck_is_reported() -> None:
    params = hare_and_lynx.guess()._replace(birth=fnp.float32(np.nan))
    with pytest.raises(CheckError, match="the solver is stuck at populations of"):
        float(fg.jit(hare_and_lynx.loss)(params))
