"""Learn to read real handwritten digits: the 1,797 scans of 8×8 pixels that scikit-learn ships.

    python examples/digits.py          # a few seconds; prints the test accuracy and writes digits.png

The program reads from top to bottom: data, network, training, picture. What to look for on the way:

- the parameters are a pytree (a list of dicts), and so are their gradients and Adam's moments;
- the network, its loss and the random shifts are written for ONE image; `vmap` makes them work on many;
- `value_and_grad` differentiates, and `jit` compiles the whole training step into one XLA program;
- every random choice spends a key of its own, so a run with the same `--seed` gives the same picture;
- `device_put` places each batch where the parameters live.

Press Ctrl-C when you have seen enough: training stops, and the picture shows what was learned so far.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

import funcgrad as fg
import funcgrad.numpy as fnp

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of backend)

Params = list[dict[str, fg.Array]]

LAYERS = (64, 128, 64, 10)
BATCH = 64
LEARNING_RATE = 3e-3


# -- data --------------------------------------------------------------------------------------------------------


class Digits(NamedTuple):
    """Images of shape (n, 8, 8) with values from 0 to 1, and their labels of shape (n,)."""

    images: np.ndarray
    labels: np.ndarray

    def take(self, index: np.ndarray) -> Digits:
        return Digits(self.images[index], self.labels[index])


def load(key: fg.Array) -> tuple[Digits, Digits]:
    """Four fifths of the digits to train on, one fifth to test with, drawn by `key`."""
    found = load_digits()
    digits = Digits((found.images / 16).astype(np.float32), found.target.astype(np.int32))
    order = np.asarray(fg.random.permutation(key, len(digits.labels)))
    split = len(order) * 4 // 5
    return digits.take(order[:split]), digits.take(order[split:])


def batches(digits: Digits, key: fg.Array) -> Iterator[tuple[fg.Array, fg.Array]]:
    """One epoch of full batches in random order, each placed on the device before it is used."""
    order = np.asarray(fg.random.permutation(key, len(digits.labels)))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        images, labels = digits.take(order[start : start + BATCH])
        yield fg.device_put((images, labels))


# -- network -----------------------------------------------------------------------------------------------------


def initial_params(key: fg.Array) -> Params:
    """Random weights scaled by the width of their layer (He et al., 2015), zero biases."""
    keys = fg.random.split(key, len(LAYERS) - 1)
    return [
        {"weight": fg.random.normal(k, (n, m)) * (2 / n) ** 0.5, "bias": fnp.zeros(m)}
        for k, n, m in zip(keys, LAYERS[:-1], LAYERS[1:], strict=True)
    ]


def log_probabilities(params: Params, image: fg.Array) -> fg.Array:
    """What the network thinks of one image: the logarithms of ten probabilities."""
    *hidden, last = params
    x = image.reshape(-1)
    for layer in hidden:
        x = fg.nn.gelu(x @ layer["weight"] + layer["bias"])
    return fg.nn.log_softmax(x @ last["weight"] + last["bias"])


def example_loss(params: Params, image: fg.Array, label: fg.Array) -> fg.Array:
    """Cross entropy of one image."""
    return -log_probabilities(params, image)[label]


def shift(key: fg.Array, image: fg.Array) -> fg.Array:
    """One image moved by up to one pixel in each direction, so that the network learns that places vary."""
    start = fg.random.randint(key, (2,), 0, 3)
    return fg.lax.dynamic_slice(fnp.pad(image, 1), (start[0], start[1]), (8, 8))


def batch_loss(params: Params, images: fg.Array, labels: fg.Array) -> fg.Array:
    return fnp.mean(fg.vmap(example_loss, in_axes=(None, 0, 0))(params, images, labels))


# -- training ----------------------------------------------------------------------------------------------------


class State(NamedTuple):
    """What a training step turns into the next: parameters, and Adam's running moments of their gradients."""

    params: Params
    mean: Params
    square: Params
    steps: fg.Array


def initial_state(key: fg.Array) -> State:
    params = initial_params(key)
    zeros = fg.tree.map(fnp.zeros_like, params)
    return State(params, zeros, zeros, fnp.asarray(0.0))


def adam(state: State, gradient: Params, rate: fg.Array) -> State:
    """One step of Adam (Kingma and Ba, 2015) with its usual constants."""
    steps = state.steps + 1
    mean = fg.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state.mean, gradient)
    square = fg.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, state.square, gradient)

    def moved(p: fg.Array, m: fg.Array, s: fg.Array) -> fg.Array:
        return p - rate * (m / (1 - 0.9**steps)) / (fnp.sqrt(s / (1 - 0.999**steps)) + 1e-8)

    return State(fg.tree.map(moved, state.params, mean, square), mean, square, steps)


@fg.jit
def train_step(
    state: State, images: fg.Array, labels: fg.Array, key: fg.Array, rate: float
) -> tuple[State, fg.Array]:
    """Shift every image by its own random amount, then follow the gradient of their mean loss."""
    shifted = fg.vmap(shift)(fg.random.split(key, BATCH), images)
    loss, gradient = fg.value_and_grad(batch_loss)(state.params, shifted, labels)
    return adam(state, gradient, rate), loss


@fg.jit
def evaluate(params: Params, images: fg.Array, labels: fg.Array) -> tuple[fg.Array, fg.Array]:
    """The mean loss, and the probabilities of shape (n, 10)."""
    probabilities = fnp.exp(fg.vmap(log_probabilities, in_axes=(None, 0))(params, images))
    return batch_loss(params, images, labels), probabilities


@fg.jit
def gradient_norms(params: Params, images: fg.Array, labels: fg.Array) -> fg.Array:
    """How hard every single image pulls on the parameters: the norm of its own gradient."""

    def norm(image: fg.Array, label: fg.Array) -> fg.Array:
        gradient = fg.grad(example_loss)(params, image, label)
        return fnp.sqrt(sum(fnp.sum(leaf**2) for leaf in fg.tree.leaves(gradient)))

    return fg.vmap(norm)(images, labels)


@dataclass
class History:
    """What was measured before training (entry 0) and after each epoch."""

    train_loss: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    def measure(self, params: Params, train: Any, test: Any) -> None:
        train_loss, _ = evaluate(params, *train)
        test_loss, probabilities = evaluate(params, *test)
        self.train_loss.append(float(train_loss))
        self.test_loss.append(float(test_loss))
        self.accuracy.append(float(fnp.mean(fnp.argmax(probabilities, axis=1) == test[1])))


def fit(train: Digits, test: Digits, epochs: int, key: fg.Array) -> tuple[Params, History]:
    """Train for some epochs, or until Ctrl-C; returns the parameters and what was measured on the way."""
    key, first = fg.random.split(key)
    state = initial_state(first)
    history = History()
    placed = fg.device_put((tuple(train), tuple(test)))
    history.measure(state.params, *placed)
    bar = tqdm(range(epochs), desc="training", unit="epoch")
    try:
        for epoch in bar:
            key, order, shifts = fg.random.split(key, 3)
            rate = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * epoch / epochs))  # from full speed gently to rest
            steps = len(train.labels) // BATCH
            for batch, step_key in zip(batches(train, order), fg.random.split(shifts, steps), strict=True):
                state, _ = train_step(state, *batch, step_key, rate)
            history.measure(state.params, *placed)
            bar.set_postfix_str(f"test accuracy {history.accuracy[-1]:.1%}")
    except KeyboardInterrupt:
        bar.close()
        print("stopped by Ctrl-C")
    return state.params, history


# -- picture -----------------------------------------------------------------------------------------------------

INK, MUTED, BLUE, RED, PAPER = "#1f2933", "#7b8794", "#2f6fb0", "#d1495b", "#fbfaf7"
ROWS = 6


def draw_curves(loss_axes: Any, accuracy_axes: Any, history: History) -> None:
    """Loss and error rate after each epoch."""
    epochs = range(len(history.accuracy))
    loss_axes.plot(epochs, history.train_loss, color=BLUE, lw=2, label="train")
    loss_axes.plot(epochs, history.test_loss, color=RED, lw=2, label="test")
    loss_axes.set(title="Loss (cross entropy)", yscale="log")
    loss_axes.legend(frameon=False)
    accuracy_axes.plot(epochs, history.accuracy, color=RED, lw=2)
    accuracy_axes.set(title="Test accuracy", ylim=(min(0.9, history.accuracy[-1] - 0.05), 1.0), xlabel="epoch")
    accuracy_axes.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0, decimals=0))
    accuracy_axes.annotate(
        f"{history.accuracy[-1]:.1%}", (epochs[-1], history.accuracy[-1]), (-4, -16), textcoords="offset points",
        ha="right", color=RED, weight="bold", size=13,
    )


def draw_digit(axes: Any, image: np.ndarray, caption: str, colour: str) -> None:
    axes.imshow(1 - image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.set_xlabel(caption, color=colour, labelpad=2, size=9, weight="bold" if colour is RED else "normal")
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour if colour is RED else "#d9d9d9", linewidth=2.5 if colour is RED else 0.8)
