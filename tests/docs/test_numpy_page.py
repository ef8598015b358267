"""The page on NumPy is true: it is as generated, and every name is either there or left out for a reason."""

from __future__ import annotations

import inspect
from collections import Counter

import funcgrad.numpy as fnp
from docs import make_numpy


def test_the_page_is_as_generated() -> None:
    written = (make_numpy.HERE / "numpy.md").read_text()
    assert written == make_numpy.page(), "run `python -m docs.make_numpy`"


def test_every_name_is_there_or_left_out_for_a_reason() -> None:
    assert make_numpy.unexplained() == []


def test_the_list_has_the_names_of_the_installed_versions() -> None:
    assert not make_numpy.installed().keys() - make_numpy.names().keys(), "run `python -m docs.make_numpy`"


def test_remarks_are_of_names_that_they_fit() -> None:
    omitted, different = make_numpy.by_name(make_numpy.OMITTED), make_numpy.by_name(make_numpy.DIFFERENT)
    assert not [name for name in omitted if make_numpy.exists(name)], "left out, but there"
    assert not [name for name in different if not make_numpy.exists(name)], "different, but not there"
    for table in (make_numpy.OMITTED, make_numpy.DIFFERENT):
        listed = Counter(name for names in table.values() for name in names.split())
        assert not [name for name, count in listed.items() if count > 1 or name not in make_numpy.names()]


def test_functions_whose_shape_can_be_fixed_are_named() -> None:
    different = make_numpy.by_name(make_numpy.DIFFERENT)
    functions = {name: f for name in make_numpy.names() if inspect.isfunction(f := getattr(fnp, name, None))}
    for parameter in ("size", "inplace"):
        having = {name for name, f in functions.items() if parameter in inspect.signature(f).parameters}
        named = {name for name, remark in different.items() if f"`{parameter}=" in remark}
        assert having - {"mask_indices"} == named, parameter
