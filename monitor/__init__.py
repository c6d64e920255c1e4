"""When to look, the wiring, and the faces: command line, daemon, demo."""
