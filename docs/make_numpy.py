"""Writes docs/numpy.md: how funcgrad.numpy relates to NumPy, and where every name of NumPy's and of jax.numpy is.

numpy_names.txt lists the public names of numpy, numpy.linalg, numpy.fft and jax.numpy, of all versions that this was
run with, and who has each. `python -m docs.make_numpy` adds those of the installed versions and writes the page.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import funcgrad.numpy as fnp

HERE = Path(__file__).parent
SOURCES = (
    ("numpy", "NumPy", ""),
    ("numpy.linalg", "NumPy", "linalg."),
    ("numpy.fft", "NumPy", "fft."),
    ("jax.numpy", "JAX", ""),
    ("jax.numpy.linalg", "JAX", "linalg."),
    ("jax.numpy.fft", "JAX", "fft."),
)

# Why names are left out; each name stands under one reason.
OMITTED = {
    "arrays hold booleans and numbers: no text, objects, records or dates": """
        busday_count busday_offset busdaycalendar bytes_ char character datetime64 datetime_as_string datetime_data
        flexible is_busday isnat object_ rec recarray record str_ strings timedelta64 void""",
    "no compiler for accelerators has numbers wider than 64 bits": "clongdouble complex256 float128 longdouble",
    "dtypes of less than a byte have no operations yet": """
        float4_e2m1fn float6_e2m3fn float6_e3m2fn int1 int2 int4 uint1 uint2 uint4""",
    "arrays are immutable: it writes into its argument": "copyto",
    "arrays are immutable: whether two share memory cannot be seen": "may_share_memory shares_memory",
    "arrays are immutable and have no visible memory layout; `asarray` does the rest": "require",
    "walks over memory one element after the other; use array operations or `ndenumerate`": """
        flatiter nditer nested_iters""",
    "an iterator; use `broadcast_arrays` or `broadcast_shapes`": "broadcast",
    "a matrix class is not there; arrays of two dimensions and `@` are": "asmatrix bmat matrix",
    "masked arrays are not there; use `where`, `where=` or the `nan…` functions": "ma",
    "the result's dtype would depend on values; convert first: `fnp.sqrt(x.astype(complex))`": "emath",
    "classes of polynomials; `polyfit`, `polyval` and their kin are there": "poly1d polynomial",
    "files of other formats: read them with NumPy, then `fnp.asarray`": """
        fromfile fromregex genfromtxt loadtxt savetxt""",
    "write `fnp.load(file, mmap_mode='r')`": "memmap",
    "random numbers need keys: `fg.random`": "random",
    "floating point follows IEEE without warnings; `fg.config(check_nans=True)` finds NaN": """
        errstate geterr geterrcall seterr seterrcall""",
    "about NumPy's inner buffers": "getbufsize setbufsize",
    "about an installation of NumPy": "get_include info show_config show_runtime test linalg.test fft.test",
    "modules of NumPy's own house": "core ctypeslib dtypes exceptions f2py lib testing typing",
    "tables of NumPy's names for dtypes, most of which are not numeric": "ScalarType sctypeDict typecodes",
    "`sys.byteorder` says it": "little_endian",
    "a warning of NumPy's, `numpy.exceptions.ComplexWarning`; here nothing warns": "ComplexWarning",
    "leaves NumPy; write `vstack`": "row_stack",
    "leaves NumPy; write `dtype.name`": "typename",
    "left NumPy; write `complex128` or `float64`": "complex_ float_",
}

# What is different about names that are there.
DIFFERENT = {
    "the name of a dtype of fixed width on every platform": """
        byte cdouble csingle double half int_ intc intp long longlong short single ubyte uint uintc uintp ulong
        ulonglong ushort""",
    "returns the changed copy; `inplace=True` is an error": "fill_diagonal place put put_along_axis putmask",
    "takes `size=` and `fill_value=`, which fix the shape under `jit`": """
        argwhere compress extract flatnonzero intersect1d nonzero setdiff1d setxor1d union1d unique
        unique_all unique_counts unique_inverse unique_values where""",
    "takes `length=`, which fixes the shape under `jit`": "bincount",
    "`pyfunc` is called once for all elements, and may be differentiated and compiled": "vectorize",
    "`func1d` is called once for all vectors": "apply_along_axis",
    "results have a dtype, and may be differentiated and compiled": "frompyfunc",
    "`isinstance(fnp.add, fnp.ufunc)` holds, although `fnp.add` is a plain function": "ufunc",
    "bytes are read in the default float unless a dtype is given": "frombuffer",
    "reads text only; malformed text is an error": "fromstring",
    "bfloat16 and float8 are kept; nothing is pickled; files are replaced whole": "load save savez savez_compressed",
    "NumPy's own: options hold for both": "get_printoptions printoptions set_printoptions",
    "memory order is not visible": "asfortranarray ascontiguousarray isfortran",
    "needs the values: not under `jit`": "asarray_chkfinite real_if_close",
    "the matrix directives 'r' and 'c' are refused": "c_ r_",
    "elements are arrays of no dimensions": "ndenumerate",
    "integers count as the default float": "common_type",
    "the type of these arrays; make one with `array`": "ndarray",
    "of integers in floating point": "reciprocal",
}

PROSE = """# NumPy

`funcgrad.numpy` has NumPy's functions under NumPy's names, for arrays that are immutable, and for tracers: whatever is
written with them can be differentiated, mapped over an axis and compiled. A program changes one line:

```python
import funcgrad.numpy as np  # in place of: import numpy as np

x = np.linspace(0, 1, 5)
print(np.add.reduce(np.sin(x) ** 2 + np.cos(x) ** 2))
print(np.percentile(np.r_[x, 2.0], 50))
```

```output
5.0
0.625
```

## What is different

- **Defaults.** What is made of Python numbers is float32 or int32; `fg.config(default_float="float64")` and
  `default_int` change that. Arrays of NumPy keep their dtype.
- **Promotion.** An integer array with a floating one gives the floating one's dtype; NumPy would often give float64.
  [Semantics](semantics.md) has the rule.
- **Immutability.** There is no `x[i] = v`; write `x = x.at[i].set(v)`. `out=` stands in signatures at NumPy's place,
  and must be None. Functions that write into their argument return the changed copy, or are not there.
- **Elementwise functions** take operands alone: in place of `where=`, `dtype=` and `casting=` use `np.where` and
  `astype`. They are plain functions with the methods of ufuncs: `reduce`, `accumulate`, `reduceat`, `outer` and `at`,
  which returns its result.
- **Errors** are of the class that NumPy raises, and say what came and what to write instead. An index out of bounds, a
  division of integers by zero, a negative power of an integer and a singular matrix are errors in compiled code too,
  raised when a result is read. A Python int that fills a gap (`fill_value=`, `constant_values=`, `initial=`) must fit
  the array's dtype.
- **Shapes that depend on data** (`nonzero`, `unique`, masks) work eagerly. Under `jit` such functions take `size=`.
- **Results are arrays**, of no dimensions where NumPy gives a scalar. `float(x)` and `x.item()` give Python numbers.
- **Floating-point warnings** do not exist: 1.0 / 0.0 is infinity. `fg.config(check_nans=True)` finds NaN.

NumPy's own functions, called with these arrays, run the functions here: `numpy.add.reduce(x)` is `fnp.add.reduce(x)`.
"""


def names() -> dict[str, list[str]]:
    """Who has each name, as numpy_names.txt has it."""
    rows = [line.split() for line in (HERE / "numpy_names.txt").read_text().splitlines()]
    return {name: libraries for name, *libraries in rows}


def installed() -> dict[str, set[str]]:
    """Who of the installed versions has each name."""
    found: dict[str, set[str]] = {}
    for module, library, prefix in SOURCES:
        for name in dir(importlib.import_module(module)):
            if not name.startswith("_"):
                found.setdefault(prefix + name, set()).add(library)
    return found


def exists(name: str) -> bool:
    """Whether `funcgrad.numpy` has a name, such as "add" or "linalg.solve"."""
    value: object = fnp
    for part in name.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def by_name(table: dict[str, str]) -> dict[str, str]:
    """A table of names under remarks, turned around."""
    return {name: remark for remark, listed in table.items() for name in listed.split()}


def unexplained() -> list[str]:
    """Names that are neither there nor left out for a reason."""
    omitted = by_name(OMITTED)
    return [name for name in sorted({*names(), *installed()}) if not exists(name) and name not in omitted]


def page() -> str:
    """The page's Markdown."""
    omitted, different = by_name(OMITTED), by_name(DIFFERENT)
    sections = []
    there = 0
    for title, prefix in (("funcgrad.numpy", ""), ("funcgrad.numpy.linalg", "linalg."), ("funcgrad.numpy.fft", "fft.")):
        rows = []
        for name, libraries in names().items():
            folder, _, _ = name.rpartition(".")
            if folder != prefix[:-1]:
                continue
            there += exists(name)
            remark = different.get(name) if exists(name) else omitted.get(name, "not yet")
            here = ": ".join(filter(None, ("yes" if exists(name) else "no", remark)))
            rows.append(f"| `{name.removeprefix(prefix)}` | {', '.join(libraries)} | {here} |")
        sections.append(f"### {title}\n\n| name | of | here |\n|---|---|---|\n" + "\n".join(rows))
    count = len(names())
    table = "\n\n".join(sections)
    return f"""{PROSE}
## Every name

The {count} public names of `numpy`, `numpy.linalg`, `numpy.fft` and `jax.numpy`: **{there} are here**, and
{count - there} are left out for a reason. This page is written by `docs/make_numpy.py`; a test keeps it true.

{table}
"""


def main() -> None:
    """Add the names of the installed versions to the list, and write the page."""
    known = {name: set(libraries) for name, libraries in names().items()}
    for name, libraries in installed().items():
        known.setdefault(name, set()).update(libraries)
    order = sorted(known, key=lambda name: (name.lower(), name))
    lines = [f"{name} {' '.join(sorted(known[name], reverse=True))}" for name in order]
    (HERE / "numpy_names.txt").write_text("\n".join(lines) + "\n")
    (HERE / "numpy.md").write_text(page())


if __name__ == "__main__":
    main()
