"""Every special function of real numbers: where it is looked at, and how far from SciPy it may be.

`python -m tests.scipy.special_table` measures again and writes the table of docs/special-functions.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special as theirs

import funcgrad as fg
import funcgrad.numpy as fnp
import funcgrad.scipy.special as ours

PAGE = Path(__file__).parents[2] / "docs" / "special-functions.md"
POINTS = 400
INF, NAN = np.inf, np.nan
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1e-300, INF, -INF, NAN)

Interval = tuple[float, float] | tuple[float, float, str]


@dataclass
class Row:
    """A function on a box.

    Attributes:
        name: of the function, ours and SciPy's.
        box: per argument (low, high), evenly spread; with "log" by ratio, with "int" whole numbers.
        ulps: how many units in the last place of a double compiled results may be off, relative to the larger of the
            result and `floor`.
        floor: 0 for functions whose digits are all right; else the size below which errors are absolute.
        edges: special values that every argument takes, in all combinations.
        derivative: what the table of the page says of derivatives.
    """

    name: str
    box: tuple[Interval, ...]
    ulps: float
    floor: float = 0.0
    edges: tuple[float, ...] = ()
    derivative: str = "yes"

    def operands(self) -> tuple[np.ndarray, ...]:
        """The points of the box, then the edges, in doubles."""
        random = np.random.default_rng(len(self.name))
        inside = [_spread(random, *interval) for interval in self.box]
        crossed = np.meshgrid(*[np.array(self.edges)] * len(self.box))
        return tuple(np.concatenate([x, y.ravel()]) for x, y in zip(inside, crossed, strict=True))

    def expected(self, operands: tuple[np.ndarray, ...]) -> np.ndarray:
        """SciPy's results."""
        if self.name in ("polygamma", "expn"):
            return getattr(theirs, self.name)(operands[0].astype(int), operands[1])
        return np.asarray(getattr(theirs, self.name)(*operands))


def _spread(random: np.random.Generator, low: float, high: float, how: str = "") -> np.ndarray:
    if how == "log":
        return np.exp(random.uniform(np.log(low), np.log(high), POINTS))
    values = random.uniform(low, high, POINTS)
    return np.floor(values) if how == "int" else values


ROWS = (
    Row("gamma", ((-20.0, 170.0),), 32, edges=(1.0, -1.0, 0.5, 200.0, INF, NAN), derivative="yes"),
    Row("gammaln", ((-20.0, 1e3),), 16, 1.0, (0.0, 1.0, 2.0, -1.0, INF, NAN)),
    Row("digamma", ((-20.0, 100.0),), 1024, 1.0, (0.0, -0.0, 1.0, -1.0, INF, NAN)),
    Row("polygamma", ((0.0, 10.0, "int"), (0.1, 100.0)), 32, derivative="in x"),
    Row("zeta", ((1.1, 50.0), (0.1, 50.0)), 64, edges=(1.0, 2.0, -1.0, 0.5)),
    Row("beta", ((0.1, 50.0), (0.1, 50.0)), 64),
    Row("betaln", ((0.1, 1e3), (0.1, 1e3)), 4096, 1.0),
    Row("binom", ((0.0, 50.0, "int"), (0.0, 50.0, "int")), 16),
    Row("poch", ((0.5, 20.0), (0.5, 10.0)), 256),
    Row("gammainc", ((1e-2, 200.0, "log"), (1e-2, 200.0, "log")), 4096, 1e-100, (0.0, 1.0, 0.5, -1.0, INF, NAN)),
    Row("gammaincc", ((1e-2, 200.0, "log"), (1e-2, 200.0, "log")), 4096, 1e-100, (0.0, 1.0, 0.5, -1.0, INF, NAN)),
    Row("betainc", ((1e-1, 100.0, "log"), (1e-1, 100.0, "log"), (0.0, 1.0)), 4096, edges=(0.0, 1.0, 0.5, -1.0, NAN)),
    Row("erf", ((-6.0, 6.0),), 16, edges=EDGES),
    Row("erfc", ((-6.0, 25.0),), 16, edges=EDGES),
    Row("erfcx", ((-25.0, 100.0),), 1024, edges=EDGES),
    Row("erfinv", ((-1.0, 1.0),), 16, edges=EDGES),
    Row("erfcinv", ((0.0, 2.0),), 16, edges=EDGES),
    Row("ndtr", ((-37.0, 8.0),), 1024, edges=EDGES),
    Row("log_ndtr", ((-1e3, 8.0),), 64, edges=EDGES),
    Row("ndtri", ((1e-30, 1.0, "log"),), 16, edges=EDGES),
    Row("dawsn", ((-30.0, 30.0),), 64, edges=EDGES),
    Row("owens_t", ((0.0, 5.0), (-3.0, 3.0)), 1024),
    Row("i0", ((-700.0, 700.0),), 32, edges=EDGES[:-3]),
    Row("i1", ((-700.0, 700.0),), 64, edges=EDGES[:-3]),
    Row("i0e", ((-1e3, 1e3),), 32, edges=EDGES[:-3]),
    Row("i1e", ((-1e3, 1e3),), 64, edges=EDGES[:-3]),
    Row("exp1", ((1e-5, 700.0, "log"),), 64, edges=EDGES),
    Row("expi", ((-100.0, 700.0),), 512, 1e-2, EDGES),
    Row("expn", ((0.0, 20.0, "int"), (1e-3, 100.0)), 256, derivative="in x"),
    Row("spence", ((0.0, 100.0),), 64, 1e-2, EDGES[:-2]),
    Row("hyp1f1", ((0.1, 5.0), (0.1, 5.0), (-5.0, 30.0)), 4096, 1e-2),
    Row("hyp2f1", ((0.1, 3.0), (0.1, 3.0), (0.5, 5.0), (-2.0, 0.99)), 1024, 1e-2),
    Row("xlogy", ((-5.0, 5.0), (0.0, 10.0)), 8, edges=(0.0, 1.0, -1.0, INF, NAN)),
    Row("xlog1py", ((-5.0, 5.0), (-0.3, 10.0)), 256, edges=(0.0, 1.0, INF, NAN)),
    Row("entr", ((0.0, 10.0),), 8, edges=(*EDGES[:-3], NAN)),
    Row("rel_entr", ((0.0, 10.0), (0.1, 10.0)), 128, 1e-1, (0.0, 1.0, -1.0, NAN)),
    Row("kl_div", ((0.0, 10.0), (0.1, 10.0)), 64, 10.0, (0.0, 1.0, -1.0, NAN)),
    Row("expit", ((-700.0, 40.0),), 16, edges=EDGES),
    Row("log_expit", ((-700.0, 30.0),), 512, edges=EDGES),
    Row("logit", ((0.0, 1.0),), 1024, 1e-1, EDGES[:-3]),
    Row("boxcox", ((0.1, 10.0), (-3.0, 3.0)), 64, 1e-1),
    Row("boxcox1p", ((-0.3, 10.0), (-3.0, 3.0)), 256, 1e-1),
)


def distance(found: np.ndarray, expected: np.ndarray, eps: float, floor: float = 0.0) -> np.ndarray:
    """How far apart, in units in the last place of numbers not smaller than `floor`; NaN equals NaN."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    with np.errstate(all="ignore"):
        apart = np.abs(found - expected) / (eps * np.maximum(np.abs(expected), floor))
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    tiny = np.maximum(np.abs(found), np.abs(expected)) < 1e-307 if eps < 1e-10 else np.abs(expected) < 1e-37
    return np.where(same | tiny, 0.0, np.where(np.isnan(apart), np.inf, apart))


def compiled_together(rows: tuple[Row, ...], dtype: Any) -> list[np.ndarray]:
    """Each row's results, all computed by one compiled program."""
    arguments = [[fnp.asarray(x.astype(dtype)) for x in row.operands()] for row in rows]
    names = [row.name for row in rows]

    def every_row(arguments: Any) -> list[Any]:
        return [getattr(ours, name)(*xs) for name, xs in zip(names, arguments, strict=True)]

    return [np.asarray(x) for x in fg.jit(every_row)(arguments)]


def measured() -> dict[str, tuple[float, float]]:
    """For each function the largest distance of compiled results from SciPy: in doubles, and in float32."""
    found: dict[str, list[float]] = {row.name: [] for row in ROWS}
    for dtype in (np.float64, np.float32):
        for row, result in zip(ROWS, compiled_together(ROWS, dtype), strict=True):
            operands = tuple(x.astype(dtype).astype(np.float64) for x in row.operands())
            expected = row.expected(operands)
            limits = np.finfo(dtype)
            inside = np.abs(expected) < limits.max
            apart = distance(result, expected, float(limits.eps), row.floor)
            found[row.name].append(float(apart[inside].max()))
    return {name: (double, single) for name, (double, single) in found.items()}


def table() -> str:
    """The table of the page."""
    lines = [
        "| function | looked at for | float64 | float32 | errors absolute below | derivatives |",
        "|---|---|---|---|---|---|",
    ]
    numbers = measured()
    for row in ROWS:
        where = " × ".join(f"[{interval[0]:g}, {interval[1]:g}]" for interval in row.box)
        double, single = numbers[row.name]
        floor = f"{row.floor:g}" if row.floor else "–"
        lines.append(f"| `{row.name}` | {where} | {double:.0f} | {single:.1f} | {floor} | {row.derivative} |")
    return "\n".join(lines) + "\n"


def rewrite(page: Path = PAGE, make: Callable[[], str] = table) -> None:
    """Measure, and put the table in its place on the page."""
    before, rest = page.read_text().split("<!-- table -->\n", 1)
    after = rest.split("<!-- end of table -->", 1)[1]
    page.write_text(f"{before}<!-- table -->\n{make()}<!-- end of table -->{after}")


if __name__ == "__main__":
    rewrite()
