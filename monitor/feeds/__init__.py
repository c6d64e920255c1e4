"""Feeds and calendars: what changed, and what is expected, for programs that people read with."""
