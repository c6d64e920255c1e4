"""The demonstration: invented trials, a fortnight in their life, and what this program makes of it. Works offline."""
