"""The calculus: dtypes, types, the current interpreter, the operation contract and Programs.

Promise: nothing here knows an operation or a device; everything above is written in these words.
"""
