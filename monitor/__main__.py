"""`python -m monitor`: the same as the command `trialdelta`."""

from monitor.cli import main

main()
