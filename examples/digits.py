"""Learn to read real handwritten digits: the 1,797 scans of 8×8 pixels that scikit-learn ships.

Read it from top to bottom: data, network, training, picture. What to look for:

- The parameters are a pytree (a list of dicts), and so are their gradients and Adam's moments.
- The network, its loss and the random shifts are written for ONE image; `vmap` makes them work on many.
- `value_and_grad` differentiates; `jit` compiles the whole training step into one XLA program.
- Every random choice spends a key of its own, so the same `--seed` gives the same picture.
- `device_put` places each batch on the device before the step that uses it.

Ctrl-C stops the training early; the picture then shows what was learned so far.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter
from sklearn.datasets import load_digits
from tqdm import tqdm

import funcgrad as fg
import funcgrad.numpy as fnp

matplotlib.use("Agg")  # draws into files, needs no screen

Params = list[dict[str, fg.Array]]

LAYERS, BATCH, LEARNING_RATE = (64, 256, 256, 10), 64, 3e-3
INK, FAINT, BLUE, RED = "#1f2933", "#d5d9de", "#2f6fb0", "#d1353f"


class Digits(NamedTuple):
    """Images of shape (n, 8, 8) with values from 0 to 1, and their labels of shape (n,)."""

    images: Any
    labels: Any

    def take(self, index: np.ndarray) -> Digits:
        return Digits(self.images[index], self.labels[index])


def load(key: fg.Array) -> tuple[Digits, Digits]:
    """Four fifths of the digits to train on and one fifth to test with, drawn by `key`."""
    pixels, labels = load_digits(return_X_y=True)
    digits = Digits((pixels / 16).astype(np.float32).reshape(-1, 8, 8), labels.astype(np.int32))
    order = np.asarray(fg.random.permutation(key, len(digits.labels)))
    split = len(order) * 4 // 5
    return digits.take(order[:split]), digits.take(order[split:])


def batches(digits: Digits, key: fg.Array) -> Iterator[Digits]:
    """One epoch of full batches in random order."""
    order = np.asarray(fg.random.permutation(key, len(digits.labels)))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        yield fg.device_put(digits.take(order[start : start + BATCH]))


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


def batch_loss(params: Params, batch: Digits) -> fg.Array:
    """Mean cross entropy of many."""
    return fnp.mean(fg.vmap(example_loss, in_axes=(None, 0, 0))(params, batch.images, batch.labels))


def shift(key: fg.Array, image: fg.Array) -> fg.Array:
    """One image moved by a random part of a pixel in each direction: a digit that the network has not seen before."""
    offsets = fg.random.uniform(key, (2, 1, 1), minval=-0.75, maxval=0.75)
    pixels = fnp.arange(8.0)
    distances = pixels[:, None] + offsets - pixels
    rows, columns = fnp.maximum(0.0, 1.0 - fnp.abs(distances))  # linear interpolation, as two 8×8 matrices
    return rows @ image @ columns.T


class State(NamedTuple):
    """What one training step turns into the next."""

    params: Params
    mean: Params  # Adam's running mean of the gradients
    square: Params  # and of their squares
    steps: fg.Array


def adam(state: State, gradient: Params, rate: float) -> State:
    """One step of Adam (Kingma and Ba, 2015) with its usual constants."""
    steps = state.steps + 1
    mean = fg.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state.mean, gradient)
    square = fg.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, state.square, gradient)

    def moved(p: fg.Array, m: fg.Array, s: fg.Array) -> fg.Array:
        return p - rate * (m / (1 - 0.9**steps)) / (fnp.sqrt(s / (1 - 0.999**steps)) + 1e-8)

    return State(fg.tree.map(moved, state.params, mean, square), mean, square, steps)


@fg.jit
def train_step(state: State, batch: Digits, key: fg.Array, rate: float) -> tuple[State, fg.Array]:
    """Shift every image by its own random amount, then follow the gradient of their mean loss."""
    shifted = batch._replace(images=fg.vmap(shift)(fg.random.split(key, BATCH), batch.images))
    loss, gradient = fg.value_and_grad(batch_loss)(state.params, shifted)
    return adam(state, gradient, rate), loss


@fg.jit
def evaluate(params: Params, digits: Digits) -> tuple[fg.Array, fg.Array]:
    """The mean loss, and the probabilities of shape (n, 10)."""
    return batch_loss(params, digits), fnp.exp(fg.vmap(log_probabilities, in_axes=(None, 0))(params, digits.images))


def gradient_norm(params: Params, image: fg.Array, label: fg.Array) -> fg.Array:
    """How hard one image pulls on the parameters: the norm of the gradient of its loss alone."""
    gradient = fg.grad(example_loss)(params, image, label)
    return fnp.sqrt(sum(fnp.sum(leaf**2) for leaf in fg.tree.leaves(gradient)))


class Measurement(NamedTuple):
    train_loss: float
    test_loss: float
    accuracy: float


def measure(params: Params, train: Digits, test: Digits) -> Measurement:
    """Losses, and the fraction of test digits that are read correctly."""
    train_loss, _ = evaluate(params, train)
    test_loss, probabilities = evaluate(params, test)
    right = fnp.argmax(probabilities, axis=1) == test.labels
    return Measurement(float(train_loss), float(test_loss), float(fnp.mean(right)))


def fit(train: Digits, test: Digits, epochs: int, key: fg.Array) -> tuple[Params, list[Measurement]]:
    """Train for some epochs or until Ctrl-C; the parameters, and measurements before and after each epoch."""
    key, first = fg.random.split(key)
    params = initial_params(first)
    zeros = fg.tree.map(fnp.zeros_like, params)
    state = State(params, zeros, zeros, fnp.asarray(0.0))
    placed = fg.device_put((train, test))
    history = [measure(params, *placed)]
    bar = tqdm(range(epochs), desc="training", unit="epoch")
    try:
        for epoch in bar:
            key, order_key, shift_key = fg.random.split(key, 3)
            rate = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * epoch / epochs))  # gently from full speed to rest
            for batch in batches(train, order_key):
                shift_key, step_key = fg.random.split(shift_key)
                state, loss = train_step(state, batch, step_key, rate)
            history.append(measure(state.params, *placed))
            bar.set_postfix_str(f"loss {float(loss):.3f}, test accuracy {history[-1].accuracy:.1%}")
    except KeyboardInterrupt:
        bar.close()
        print("stopped by Ctrl-C")
        history.append(measure(state.params, *placed))
    return state.params, history


def draw_curves(figure: Any, history: Sequence[Measurement]) -> None:
    """Losses and accuracy over the epochs."""
    losses, accuracy = figure.subplots(2, 1, sharex=True)
    losses.plot([m.train_loss for m in history], color=BLUE, lw=2, label="training digits")
    losses.plot([m.test_loss for m in history], color=RED, lw=2, label="test digits")
    losses.set(title="loss (cross entropy)", yscale="log")
    losses.legend(frameon=False)
    accuracy.plot([m.accuracy for m in history], color=RED, lw=2)
    accuracy.set(title="accuracy on test digits", xlabel="epoch", ylim=(min(0.9, history[-1].accuracy - 0.05), 1.003))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axes in (losses, accuracy):
        axes.grid(color=FAINT, lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)


def draw_digits(figure: Any, title: str, rows: Sequence[Sequence[tuple[np.ndarray, str, bool]]]) -> None:
    """A grid of images with captions; the wrong ones in red."""
    figure.suptitle(title, size=12)
    grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for axes, (image, caption, wrong) in zip(grid.flat, (cell for row in rows for cell in row), strict=True):
        axes.imshow(1 - image, cmap="gray", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(caption, color=RED if wrong else INK, weight="bold" if wrong else "normal", labelpad=3, size=9)
        axes.spines[:].set(color=RED if wrong else FAINT, lw=3 if wrong else 0.8)


def draw(path: Path, train: Digits, test: Digits, params: Params, history: Sequence[Measurement]) -> None:
    """Write the picture: curves, the test digits of each kind that were hardest to read, the hardest to learn from."""
    probabilities = np.asarray(evaluate(params, fg.device_put(test))[1])
    norms = np.asarray(fg.jit(fg.vmap(gradient_norm, in_axes=(None, 0, 0)))(params, *fg.device_put(train)))
    answers = probabilities.argmax(axis=1)
    belief = probabilities[np.arange(len(answers)), test.labels]  # in the true label
    hardest = [sorted(np.flatnonzero(test.labels == digit), key=belief.__getitem__)[:6] for digit in range(10)]
    read = [
        [(test.images[i], f"{answers[i]} · {probabilities[i].max():.0%}", answers[i] != test.labels[i]) for i in row]
        for row in zip(*hardest, strict=True)
    ]
    learn = [[(train.images[i], f"{train.labels[i]} · {norms[i]:.2g}", False) for i in np.argsort(-norms)[:10]]]
    figure = plt.figure(figsize=(15, 9), layout="constrained")
    figure.suptitle(f"funcgrad reads {history[-1].accuracy:.1%} of {len(answers)} unseen digits\n", size=18, color=INK)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7), wspace=0.03)
    above, below = right.subfigures(2, 1, height_ratios=(6, 1.35), hspace=0.03)
    draw_curves(left, history)
    draw_digits(above, "test digits 0 to 9, the least certain first: answer · its probability; wrong in red", read)
    draw_digits(below, "training digits with most left to teach: label · norm of the gradient of its loss", learn)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> list[Measurement]:
    """Train, report, draw; returns what was measured."""
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits with funcgrad.")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training digits (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="of the split, the first weights and the shifts")
    parser.add_argument("--out", type=Path, default=Path("digits.png"), help="where the picture goes")
    parser.add_argument("--quick", action="store_true", help="a few epochs only, to see that everything works")
    options = parser.parse_args(arguments)
    split_key, training_key = fg.random.split(fg.random.key(options.seed))
    train, test = load(split_key)
    params, history = fit(train, test, 5 if options.quick else options.epochs, training_key)
    print(f"test accuracy {history[-1].accuracy:.1%}")
    draw(options.out, train, test, params, history)
    print(f"wrote {options.out}")
    return history


if __name__ == "__main__":
    main()
