"""Condenses GeoNames' lists of cities, countries and regions into the gazetteer that stands beside this file.

    python -m snapshots.places.build cities15000.txt countryInfo.txt admin1CodesASCII.txt

The three files are those of GeoNames (CC BY 4.0). The result depends on nothing else, so that it can be made again.
"""

import lzma
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from snapshots.places.spelling import place_key

ATTRIBUTION = "Facts about cities, regions and countries: GeoNames (https://www.geonames.org), CC BY 4.0, condensed."
LIMIT = 950_000
"""Bytes of the result: the wheel is to stay small."""
SPELT_EVERYWHERE, SPELT_OFTEN = 100_000, 15_000
"""Inhabitants from which on all Latin spellings of a city are kept, and those that begin as its name does."""
LONGEST = 40
"""Letters of a spelling that somebody would type."""


class _City(Struct, frozen=True):
    name: str
    spellings: tuple[str, ...]
    latitude: float
    longitude: float
    country: str
    region: str
    population: int


def condense(cities: Path, countries: Path, regions: Path) -> bytes:
    """The gazetteer's bytes: see `gazetteer` for its form. Raises ValueError where it comes out too large."""
    listed = sorted(_cities(cities), key=lambda city: (city.country, city.region, place_key(city.name), city.latitude))
    names = {row[0]: row[1] for row in _rows(regions)}
    used = list(dict.fromkeys(f"{city.country}.{city.region}" for city in listed))
    index = {code: number for number, code in enumerate(used)}
    columns = [
        ATTRIBUTION,
        "\n".join(f"{iso}\t{iso3}\t{name}" for iso, iso3, name in _triples(countries)),
        "\n".join(f"{code}\t{names.get(code, '')}" for code in used),
        "\n".join(city.name for city in listed),
        "\n".join(str(index[f"{city.country}.{city.region}"]) for city in listed),
        "\n".join(str(round(city.latitude * 1000)) for city in listed),
        "\n".join(str(round(city.longitude * 1000)) for city in listed),
        "\n".join(_rounded(city.population) for city in listed),
        "".join(f"\n{key}\t{','.join(map(str, rows))}" for key, rows in sorted(_other_names(listed).items())) + "\n",
    ]
    packed = lzma.compress("\f".join(columns).encode(), preset=9 | lzma.PRESET_EXTREME)
    if len(packed) > LIMIT:
        raise ValueError(f"{len(packed):,} bytes are more than the {LIMIT:,} that the wheel has room for")
    return packed


def _rounded(population: int) -> str:
    """Two digits say which city is the larger: "15853" → "16000"."""
    return f"{float(f'{population:.1e}'):.0f}"


def _other_names(listed: Sequence[_City]) -> dict[str, list[int]]:
    """The keys of other spellings, and the rows that they may mean."""
    found: dict[str, list[int]] = defaultdict(list)
    for row, city in enumerate(listed):
        own = place_key(city.name)
        for key in dict.fromkeys(_kept(city)):
            if key != own:
                found[key].append(row)
    return found


def _kept(city: _City) -> Iterator[str]:
    for spelling in city.spellings:
        key = place_key(spelling)
        if not 3 < len(key) <= LONGEST or spelling[:1].islower() or not key.replace(" ", "").isascii():
            continue
        near = key[:2] == place_key(city.name)[:2]
        if city.population >= SPELT_EVERYWHERE or (city.population >= SPELT_OFTEN and near):
            yield key


def _cities(path: Path) -> Iterator[_City]:
    for row in _rows(path):
        yield _City(
            name=row[1],
            spellings=(row[2], *row[3].split(",")),
            latitude=float(row[4]),
            longitude=float(row[5]),
            country=row[8],
            region=row[10],
            population=int(row[14] or 0),
        )


def _triples(path: Path) -> Iterable[tuple[str, str, str]]:
    return sorted((row[0], row[1], row[4]) for row in _rows(path))


def _rows(path: Path) -> Iterator[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return (line.split("\t") for line in lines if line and not line.startswith("#"))


if __name__ == "__main__":
    Path(__file__).with_name("gazetteer.xz").write_bytes(condense(*map(Path, sys.argv[1:4])))
