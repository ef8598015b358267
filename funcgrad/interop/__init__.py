"""Other libraries taught to work with arrays of this one: each when its module here is imported, and not before."""
