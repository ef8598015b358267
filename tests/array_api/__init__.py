"""The test suite of the Array API standard, run against this library: `make array-api SUITE=path/to/checkout`."""
