"""Who says something that is kept: it is told to others by this name."""

from monitor.access import tokens
from monitor.web.visit import Visit


def author(here: Visit) -> str:
    """The token's name; of the installation's own, which tells nobody apart, where it was said."""
    where = "by the API" if here.door.kind == "api" else "on the page"
    return here.visitor.name if here.visitor and here.visitor.name != tokens.OWN else f"somebody {where}"
