"""The command line: `trialdelta`. Thin: it parses, calls, prints; one file per command or group of commands.

Modules here import only what parsing needs; what a command needs is imported inside it, so that `--version` and
`--help` are quick.
"""

from monitor.cli.program import main, trialdelta

__all__ = ["main", "trialdelta"]
