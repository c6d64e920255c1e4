"""Cities that no list of places knows, found among the sites of the stored trials: as the registry spells them."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection

from notifiers.backtest import Parse
from notifiers.newest import newest
from snapshots import archive
from snapshots.places import City, find_place, place_key
from snapshots.trial import Site

_COMBINING = re.compile("[\u0300-\u036f]")


def finder(connection: Connection, parse: Parse) -> Callable[[str], City]:
    """`places.find_place` that also knows the cities of the watched records' sites, where the gazetteer knows none."""
    return partial(find_place, others=lambda name: _cities(connection, name, parse))


def _cities(connection: Connection, name: str, parse: Parse) -> Iterator[City]:
    key = place_key(name)
    if not key:
        return
    longest = max(key.split(), key=len)
    for registry, raw in _newest(connection):
        if longest not in _plain(raw):
            continue
        for site in parse[registry](raw).sites:
            if site.latitude is not None and site.longitude is not None and place_key(site.city or "") == key:
                yield city_of(site)


def _newest(connection: Connection) -> Iterator[tuple[str, bytes]]:
    for registry, number in newest(connection):
        yield registry, archive.read_version(connection, number)


def _plain(raw: bytes) -> str:
    """The record's text without case and accents: what does not name the city need not be parsed."""
    return _COMBINING.sub("", unicodedata.normalize("NFKD", raw.decode(errors="replace").casefold()))


def city_of(site: Site) -> City:
    """The city of a site, as far as a record says where that is; its coordinates are the site's."""
    return City(
        name=site.city or "",
        region=site.state or "",
        region_code="",
        country=site.country or "",
        country_code="",
        country_code3="",
        latitude=site.latitude or 0.0,
        longitude=site.longitude or 0.0,
        population=0,
    )
