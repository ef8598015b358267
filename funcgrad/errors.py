"""Every exception a user can meet, in one tree.

    FuncgradError
    ├── ShapeError (ValueError)             shapes that do not broadcast, contract or reshape
    │   └── RaggedError                     nested lists that are not rectangular
    ├── DTypeError (TypeError)              a dtype that is not numeric, or not allowed here
    ├── AxisError (numpy.exceptions.AxisError)  an axis that the array does not have
    ├── OutOfBoundsError (IndexError)       an index outside the array
    ├── ImmutableError (TypeError)          assignment into an array
    ├── ArgumentError (ValueError)          an option or argument with an unusable value
    │   └── StaticArgumentError (TypeError) a static argument of `jit` that cannot be a cache key
    ├── LinAlgError (numpy.linalg.LinAlgError)  a matrix that is singular, not square, or otherwise unfit
    ├── TreeError (ValueError, TypeError)   pytrees whose structures do not match
    ├── DifferentiationError (TypeError)    something that cannot be differentiated as asked
    ├── ConcretizationError (TypeError)     a Python value asked of a traced array
    ├── LeakedTracerError (RuntimeError)    a tracer used after its transformation ended
    ├── ControlFlowError (TypeError)        branches, carries or loop bounds that do not fit together
    ├── BranchError (TypeError)             Python `if`s on traced values: too many paths, or an impure function
    ├── CustomRuleError (TypeError)         a custom rule that is missing or returns the wrong thing
    ├── DisagreementError (AssertionError)  derivatives that contradict one another, found by `fg.testing`
    ├── CallbackError (RuntimeError)        a callback that returned the wrong thing, or may not run here
    ├── CheckError (RuntimeError)           a check failed
    │   └── IntegerDivisionError (ZeroDivisionError)  an integer was divided by zero
    ├── DonatedError (RuntimeError)         an array used after it was donated to a compiled call
    ├── KeyReuseError (RuntimeError)        a random key used twice
    ├── DeviceError (ValueError)            an unknown or unusable device
    ├── MissingRuleError (NotImplementedError)  an operation that lacks a rule
    ├── ProgramError (RuntimeError)         a Program that breaks the typing rules (a bug of ours)
    └── EngineError (RuntimeError)          XLA or PJRT refused or failed

Three warnings, each a UserWarning:

    ── CacheWarning                         the cache of compiled programs on disk cannot be used
    ── DonationWarning                      donated memory that no result can use
    ── RetraceWarning                       a compiled function is traced again and again

A message begins with the user's own line, then says what was expected and what came, why, and the line to
write instead. The line is added once, here.
"""

from __future__ import annotations

import numpy as np

from .source import Source, user_source

__all__ = [
    "ArgumentError",
    "AxisError",
    "BranchError",
    "CacheWarning",
    "CallbackError",
    "CheckError",
    "ConcretizationError",
    "ControlFlowError",
    "CustomRuleError",
    "DTypeError",
    "DeviceError",
    "DifferentiationError",
    "DisagreementError",
    "DonatedError",
    "DonationWarning",
    "EngineError",
    "FuncgradError",
    "ImmutableError",
    "IntegerDivisionError",
    "KeyReuseError",
    "LeakedTracerError",
    "LinAlgError",
    "MissingRuleError",
    "OutOfBoundsError",
    "ProgramError",
    "RaggedError",
    "RetraceWarning",
    "ShapeError",
    "StaticArgumentError",
    "TreeError",
]


class FuncgradError(Exception):
    """The root of every error of this library.

    Args:
        message: what was expected and what came, why, and what to write instead.
        source: the user's line to quote; by default the innermost user line on the stack.

    Attributes:
        source: that line, or None.
    """

    def __init__(self, message: str, source: Source | None = None) -> None:
        self.message = message
        self.place_at(source if source is not None else user_source())

    def place_at(self, source: Source | None) -> None:
        """Make this the user's line that the message begins with."""
        self.source = source
        self.args = (self.message if source is None else f"at {source}\n{self.message}",)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args)


def _rebuild(cls: type[FuncgradError], args: tuple[str, ...]) -> FuncgradError:
    error = cls.__new__(cls, *args)
    Exception.__init__(error, *args)
    error.source, error.message = None, args[0]
    return error


class ShapeError(FuncgradError, ValueError):
    """Shapes that do not broadcast, contract, concatenate or reshape."""


class RaggedError(ShapeError):
    """Nested sequences that are not rectangular."""


class DTypeError(FuncgradError, TypeError):
    """A dtype that is not numeric, does not exist here, or is not allowed in this place."""


class AxisError(FuncgradError, np.exceptions.AxisError):
    """An axis that the array does not have, or that is named twice."""

    __str__ = Exception.__str__  # NumPy's own is made of an axis and a number of dimensions


class OutOfBoundsError(FuncgradError, IndexError):
    """An index outside the array; a traced one is found when a result of the compiled call is read."""


class ImmutableError(FuncgradError, TypeError):
    """An attempt to write into an immutable array."""


class ArgumentError(FuncgradError, ValueError):
    """An argument with an unusable value."""


class StaticArgumentError(ArgumentError, TypeError):
    """A static argument of `jit` that cannot be part of a cache key."""


class LinAlgError(FuncgradError, np.linalg.LinAlgError):
    """A matrix that is singular, not square, or not of the kind that a factorization needs, or does not converge."""


class TreeError(FuncgradError, ValueError, TypeError):
    """Pytrees whose structures do not match."""


class DifferentiationError(FuncgradError, TypeError):
    """A function, argument or output that cannot be differentiated as asked."""


class ConcretizationError(FuncgradError, TypeError):
    """A Python value was asked of a traced array whose value is not known yet."""


class LeakedTracerError(FuncgradError, RuntimeError):
    """A tracer was used after the transformation that made it had ended."""


class ControlFlowError(FuncgradError, TypeError):
    """Branches, carries or loop bounds whose structures or types do not fit together."""


class BranchError(FuncgradError, TypeError):
    """Python `if`s on traced values lead to too many paths, or the function is not pure."""


class CustomRuleError(FuncgradError, TypeError):
    """A custom derivative or batching rule is missing, or returns the wrong thing."""


class DisagreementError(FuncgradError, AssertionError):
    """Derivatives contradict one another, or differences; raised by the checks of `fg.testing`."""


class CallbackError(FuncgradError, RuntimeError):
    """A callback returned the wrong thing, or was asked to run where it cannot."""


class CheckError(FuncgradError, RuntimeError):
    """A check failed: one of the user's, or one for NaN and infinities."""


class IntegerDivisionError(CheckError, ZeroDivisionError):
    """An integer was divided by zero."""


class DonatedError(FuncgradError, RuntimeError):
    """An array was used after it had been donated to a compiled call."""


class KeyReuseError(FuncgradError, RuntimeError):
    """A random key was used twice."""


class DeviceError(FuncgradError, ValueError):
    """A device that does not exist or cannot be used here."""


class MissingRuleError(FuncgradError, NotImplementedError):
    """An operation was asked for a rule that it does not have."""


class ProgramError(FuncgradError, RuntimeError):
    """A Program breaks its typing rules; the equations around the fault are quoted."""


class EngineError(FuncgradError, RuntimeError):
    """XLA or PJRT refused or failed; the program, its call site and shapes are named."""


class CacheWarning(UserWarning):
    """The cache of compiled programs on disk cannot be used. Work goes on without it."""


class DonationWarning(UserWarning):
    """A donated argument has the shape and dtype of no result, so that its memory cannot be used again."""


class RetraceWarning(UserWarning):
    """A function under `jit` is traced again and again, because its arguments keep changing in what is not traced."""
