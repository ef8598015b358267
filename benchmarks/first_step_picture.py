"""A picture of the first steps: bars by depth of the GPT."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .first_step_programs import Case
from .first_step_report import CONTENDERS, Run

__all__ = ["draw"]

# Okabe and Ito's colours, which readers with any kind of colour vision can tell apart: peers warm and grey, ours blue.
COLOURS = {
    "torch.compile": "#b3b3b3",
    "jax": "#e69f00",
    "whole": "#a9d3ee",
    "regions": "#0072b2",
    "warm": "#003553",
}
INK, FAINT = "#222222", "#6e6e6e"
GAP = 0.26  # between two depths, as a share of the distance from one to the next


def draw(run: Run, file: Path) -> None:
    """Draw seconds to the first result of the GPT training step, by depth; the file's ending decides the format."""
    chosen = [case for case in run.cases if case.kind == "gpt"]
    shown = [name for name in COLOURS if any(run.value(case, name, "first") for case in chosen)]
    figure = Figure(figsize=(9.6, 5.0), dpi=160, facecolor="white", layout="constrained")
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.14)
    axes = figure.add_subplot()
    _bars(axes, run, chosen, shown)
    _frame(axes, chosen)
    square = {"handlelength": 1.0, "handleheight": 1.0}
    axes.legend(loc="upper left", framealpha=1.0, edgecolor="white", fontsize=10.5, labelcolor=INK, **square)
    axes.set_title("Seconds from the first call to the first result", loc="left", fontsize=15, color=INK, pad=26)
    about = "A GPT training step with Adam, by depth. Fresh processes on a CPU; less is better."
    axes.text(0, 1.025, about, transform=axes.transAxes, fontsize=10.5, color=FAINT)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)


def _bars(axes: Axes, run: Run, chosen: list[Case], shown: list[str]) -> None:
    width = (1 - GAP) / max(1, len(shown))
    for i, name in enumerate(shown):
        places = [group + (i - (len(shown) - 1) / 2) * width for group in range(len(chosen))]
        heights = [run.value(case, name, "first") or 0.0 for case in chosen]
        bars = axes.bar(places, heights, width * 0.94, color=COLOURS[name], label=CONTENDERS[name], zorder=2)
        labels = [f"{height:.0f}" if height >= 10 else f"{height:.1f}" if height else "" for height in heights]
        bold = "bold" if name == "regions" else "normal"
        axes.bar_label(bars, labels, padding=2, fontsize=9, color=INK, fontweight=bold)
        _notes(axes, run, name, dict(zip(chosen, places, strict=True)))


def _notes(axes: Axes, run: Run, name: str, places: dict[Case, float]) -> None:
    """Where a bar would stand, why there is none."""
    upright = {"rotation": 90, "ha": "center", "fontsize": 9, "color": FAINT}
    for case, place in places.items():
        result = run.find(case, name)
        if result is not None and result.note:
            text = f"{CONTENDERS[name]}: {result.reason}"
            axes.annotate(text, (place, 0), (0, 4), textcoords="offset points", **upright)


def _frame(axes: Axes, chosen: list[Case]) -> None:
    axes.set_xticks(range(len(chosen)), [f"{case.depth} layers" for case in chosen], fontsize=12, color=INK)
    axes.tick_params(axis="x", length=0, pad=6)
    axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=FAINT)
    axes.yaxis.set_major_formatter("{x:.0f} s")
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8, zorder=0)
    axes.margins(x=0.02, y=0.08)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#8a8a8a")
