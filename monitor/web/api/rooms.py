"""The doors of the API: all operations, the OpenAPI document, and its documentation to be read."""

from typing import Any

from starlette.responses import Response

from monitor.web.api.documentation import read
from monitor.web.api.openapi import document, operations
from monitor.web.api.operations import PREFIX, doors_of
from monitor.web.doors import Door
from monitor.web.visit import Visit


def openapi(here: Visit) -> Response:
    """The document, with the place at which it is read."""
    return here.json({**document(), "servers": [{"url": here.link("/")}]})


def documentation(here: Visit) -> Response:
    """The same for people."""
    values: dict[str, Any] = read(document())
    return here.page("api.html", **values)


DOORS = (
    Door("/api", access="signed-in", get=documentation),
    Door(f"{PREFIX}/openapi.json", access="signed-in", kind="api", get=openapi),
    *doors_of(operations()),
)
