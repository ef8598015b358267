"""From a Program to running code: simplify, lower, compile, remember; and the bottom interpreter.

Promise: operations are reached only through their methods.
"""
