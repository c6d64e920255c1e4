"""What a registry said, when, and how that differs from before."""
