"""Libraries that nobody here wrote, on our arrays and tracers, unchanged."""
