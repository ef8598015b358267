"""Composable transformations of array functions: differentiate, vectorise, compile; eager on NumPy, compiled by XLA."""
