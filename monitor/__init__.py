"""When to look, the wiring, and the faces: command line, daemon, demo."""

__version__ = "0.3.0"
"""Equal to the version in pyproject.toml, which a test sees to: reading it from there would slow every start."""
