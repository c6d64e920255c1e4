"""For machines: does the process live, can it work, and the numbers that a monitoring system collects."""

from starlette.responses import PlainTextResponse, Response

from monitor import schema
from monitor.web.doors import Door
from monitor.web.problems import Problem
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY


def lives(here: Visit) -> Response:  # noqa: ARG001 - a handler's signature
    """The process lives."""
    return PlainTextResponse("ok\n")


def ready(here: Visit) -> Response:
    """It can work: the database answers, and its tables are this version's, or a later one only added to them."""
    if not schema.is_usable(here.database):
        raise Problem(503, "The database's tables are of another version", "Run `trialdelta db upgrade`.")
    return PlainTextResponse("ok\n")


def metrics(here: Visit) -> Response:
    """The numbers, read from the tables now."""
    from prometheus_client import CONTENT_TYPE_LATEST

    from monitor.metrics import exposition

    with here.database.read() as connection:
        body = exposition(connection, REGISTRY, here.now, here.site.tally)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})


DOORS = (
    Door("/healthz", access="open", get=lives, kind="api", any_host=True),
    Door("/readyz", access="open", get=ready, kind="api", any_host=True),
    Door("/metrics", access="signed-in", get=metrics, kind="api"),
)
