"""Repeats in a sequence: which stretches of numbers occur again and again, chosen so that the least remains distinct.

Stretches of doubling length are numbered by what they hold (Karp, Miller and Rosenberg 1972): two of length 2k are
equal if their halves have equal numbers. The distances at which equal stretches follow each other are the candidate
periods of tandem repeats, P P P P; the primitive period shows itself, as the distance to the *nearest* earlier equal
one. What stands apart, P … P … P, is taken longest first. All in O(n log n).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Repeat", "find_repeats"]

_ENOUGH = 5  # prices of a piece that it should weigh
_PERIODS = 6  # candidate periods for each length of stretches


class Repeat(NamedTuple):
    """Equal stretches that do not overlap: `sequence[s : s + length]` for each start s, in order."""

    length: int
    starts: tuple[int, ...]


def find_repeats(
    sequence: Sequence[int], weights: Sequence[float], seams: Sequence[float], price: float
) -> list[Repeat]:
    """Repeats that do not overlap, such that splitting the sequence at their ends is worth while.

    Args:
        sequence: n numbers; equal ones mean equal things.
        weights: what each of them costs if it is in the sequence once more.
        seams: n + 1 numbers: what it costs to split before each position. Only their order matters.
        price: what each piece costs that the sequence is split into, in the unit of the weights.
    """
    search = _Search(np.asarray(sequence, np.int64), np.asarray(weights, float), np.asarray(seams, float), price)
    return search.repeats()


class _Search:
    """The state of a search: what is found, and which positions are still free."""

    def __init__(self, sequence: np.ndarray, weights: np.ndarray, seams: np.ndarray, price: float) -> None:
        self.sequence = sequence
        self.weights = weights
        self.total = np.concatenate([[0.0], np.cumsum(weights)])
        self.seams = seams
        self.price = price
        self.free = np.ones(len(sequence), bool)
        self.found: list[Repeat] = []

    def repeats(self) -> list[Repeat]:
        self.tandems()
        self.scattered()
        return sorted(self.found, key=lambda repeat: repeat.starts)

    def weight(self, start: int, length: int) -> float:
        return float(self.total[start + length] - self.total[start])

    # -- P P P P ---------------------------------------------------------------------------------------------------

    def tandems(self) -> None:
        """Take tandem repeats, those that save most first."""
        runs = list(self._runs())
        runs.sort(key=lambda run: (-self._saving(*run), run))
        for start, end, period in runs:
            for low, high in _stretches(self.free[start:end]):
                if high - low >= 2 * period:
                    self._take_tandem(start + low, start + high, period)

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, period) of the longest stretches in which everything recurs after `period` positions."""
        sequence = self.sequence
        for period in _periods(sequence):
            for low, high in _stretches(sequence[:-period] == sequence[period:]):
                if high - low >= period:
                    yield low, high + period, period

    def _saving(self, start: int, end: int, period: int) -> float:
        return self.weight(start, end - start) - self.weight(start, period)

    def _take_tandem(self, start: int, end: int, period: int) -> None:
        count = (end - start) // period
        weight = self.weight(start, period)
        group = _group(count, weight, self.price)
        pieces = count // group
        if pieces < 2 or (pieces - 1) * group * weight <= (pieces + 1) * self.price:
            return
        length, slack = group * period, end - start - pieces * group * period
        shift = min(range(min(slack, period - 1) + 1), key=lambda s: (float(self.seams[start + s]), s))
        starts = tuple(start + shift + i * length for i in range(pieces))
        self._take(Repeat(length, starts), inside=group == 1)

    def _take(self, repeat: Repeat, inside: bool) -> None:
        """Take a repeat, or instead what repeats inside of it."""
        for start in repeat.starts:
            self.free[start : start + repeat.length] = False
        self.found.extend(self._inner(repeat) if inside else [repeat])

    def _inner(self, repeat: Repeat) -> list[Repeat]:
        """The repeat, or, where that leaves less, the repeats inside of it and what is between them."""
        start, length = repeat.starts[0], repeat.length
        part = slice(start, start + length)
        price = self.price * len(repeat.starts)
        inner = _Search(
            self.sequence[part], self.weights[part], self.seams[start : start + length + 1], price
        ).repeats()
        if not inner:
            return [repeat]
        found = []
        covered = np.zeros(length, bool)
        for block in inner:
            starts = tuple(s + t for s in repeat.starts for t in block.starts)
            found.append(Repeat(block.length, starts))
            for offset in block.starts:
                covered[offset : offset + block.length] = True
        between = [Repeat(high - low, tuple(s + low for s in repeat.starts)) for low, high in _stretches(~covered)]
        return found + between

    # -- P … P … P -------------------------------------------------------------------------------------------------

    def scattered(self) -> None:
        """Take equal stretches wherever they are, the longest first."""
        masked = np.where(self.free, self.sequence, -1 - np.arange(len(self.sequence)))
        for length, numbers in reversed(_numbered(masked)):
            if length * float(self.weights.max(initial=0.0)) > 2 * self.price:
                for places in _groups(numbers):
                    self._take_scattered(places, length)

    def _take_scattered(self, places: np.ndarray, length: int) -> None:
        starts = _apart([int(p) for p in places if self.free[p : p + length].all()], length)
        if len(starts) < 2:
            return
        length, starts = self._extended(np.array(starts), length)
        pieces = len(starts)
        if (pieces - 1) * self.weight(starts[0], length) > 2 * pieces * self.price:
            self._take(Repeat(length, tuple(starts)), inside=True)

    def _extended(self, starts: np.ndarray, length: int) -> tuple[int, list[int]]:
        """Longer equal stretches around equal ones."""
        sequence, free = self.sequence, self.free
        room = min(np.diff(starts, append=len(sequence)))
        while length < room and free[ends := starts + length].all() and (sequence[ends] == sequence[ends[0]]).all():
            length += 1
        while length < room and starts[0] > 0:
            before = starts - 1
            if not (free[before].all() and (sequence[before] == sequence[before[0]]).all()):
                break
            starts, length = before, length + 1
        return length, [int(start) for start in starts]


def _group(count: int, weight: float, price: float) -> int:
    """How many periods to take as one piece: enough for what a piece costs to vanish beside them.

    As far as possible that does not depend on how many periods there are, so that programs of other depths have the
    same pieces.
    """
    best = _ENOUGH * price / max(weight, 1e-9)
    sizes = range(max(1, min(count, round(best / 1.5))), max(1, min(count, round(best * 1.5))) + 1)
    return min(sizes, key=lambda size: (count % size, abs(size - best)))


def _numbered(sequence: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """For lengths 1, 2, 4, …: a number for each stretch of that length, equal where the stretches are."""
    numbers = np.unique(sequence, return_inverse=True)[1].astype(np.int64)
    length, levels = 1, [(1, numbers)]
    while 2 * length <= len(sequence):
        pairs = numbers[:-length] * (int(numbers.max()) + 1) + numbers[length:]
        numbers = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
        if int(numbers.max()) + 1 == len(numbers):  # all different, and so are all longer ones
            break
        length *= 2
        levels.append((length, numbers))
    return levels


def _periods(sequence: np.ndarray) -> list[int]:
    """Candidate periods of tandem repeats: how far equal stretches most often are apart, for stretches of each size."""
    found: set[int] = set()
    for length, numbers in _numbered(sequence):
        order = np.argsort(numbers, kind="stable")
        follows = numbers[order][1:] == numbers[order][:-1]
        distances = np.diff(order)[follows]
        distances = distances[(distances >= length) & (distances <= 4 * length)]
        if len(distances):
            counts = np.bincount(distances)
            found.update(int(d) for d in np.argsort(-counts, kind="stable")[:_PERIODS] if counts[d])
    return sorted(found)


def _stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """(start, end) of the longest stretches of true flags."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(low), int(high)) for low, high in zip(edges[::2], edges[1::2], strict=True)]


def _groups(numbers: np.ndarray) -> list[np.ndarray]:
    """The places of each number that occurs more than once; those that occur most often first."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order])) + 1
    groups = [group for group in np.split(order, bounds) if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), int(group[0])))


def _apart(places: list[int], length: int) -> list[int]:
    """As many of the places, from the left, as stretches of that length fit at without overlap."""
    chosen: list[int] = []
    for place in places:
        if not chosen or place >= chosen[-1] + length:
            chosen.append(place)
    return chosen
