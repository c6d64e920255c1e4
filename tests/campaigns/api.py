"""Every operation of the API, asked what hypothesis makes of the OpenAPI document, on a server over a real database."""

import time
from typing import Any

from monitor.demo.standin import StandIn
from snapshots.database import Database
from tests.campaigns.results import Result
from tests.monitor.stage import Stage
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, serving
from tests.monitor.web.conforming import ask_everything
from tests.monitor.web.lived_in import FIRST, HOSTILE, live
from tests.registries import nct, study


def run(url: str, examples: int) -> Result:
    """Ask each operation about so many times."""
    began = time.monotonic()
    database = Database(url)
    failures: list[str] = []
    asked: dict[str, int] = {}
    with StandIn() as standin:
        live(Stage(database, standin))
        standin.publish("2026-03-05", {nct(7): study(nct(7))})
        with serving(database, ctgov_url=standin.url, request_interval=0) as site:
            try:
                asked = ask_everything(site.url, OWN_TOKEN, names_of(site), examples)
            except (Exception, BaseExceptionGroup) as error:
                failures.append(f"{type(error).__name__}: {str(error)[:2000]}")
    database.dispose()
    return Result(
        name="the API against its document",
        database="SQLite" if database.is_sqlite else "PostgreSQL",
        claim="no operation of the API fails, and none answers what its OpenAPI document does not say",
        counts={"operations": len(asked), "requests": sum(asked.values())},
        failures=failures,
        seconds=time.monotonic() - began,
    )


def names_of(site: SiteUnderTest) -> dict[str, list[Any]]:
    """Names that are there, by the path that they stand in."""
    told = site.client(OWN_TOKEN).get("/api/v1/deliveries").json()["items"]
    return {
        "/api/v1/records": [FIRST, HOSTILE],
        "/api/v1/watches": [FIRST, "fever"],
        "/api/v1/subscriptions": ["all", "sites"],
        "/api/v1/deliveries": [each["id"] for each in told],
        "/api/v1/": ["1", "2"],
    }
