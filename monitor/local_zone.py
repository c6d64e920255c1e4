"""Which time zone the clock of this machine shows, by its IANA name."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LINK = Path("/etc/localtime")
"""Where systems keep their zone: a link into their folder of zones."""


def local_zone(link: Path = LINK) -> str:
    """The zone that TZ names, else the system's; "UTC" where neither is known by a name."""
    target = link.resolve().as_posix() if link.is_symlink() else ""
    for name in (os.environ.get("TZ", "").removeprefix(":"), target.partition("zoneinfo/")[2]):
        if name and _is_zone(name):
            return name
    return "UTC"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
