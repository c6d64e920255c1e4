"""Cities with over 15,000 inhabitants, their spellings and where they are: the file that `build` condensed, in memory.

The file is LZMA over columns that form feeds part: the attribution; countries (ISO codes and name); regions (GeoNames'
code and name); then of every city its name, the number of its region, its latitude and longitude in thousandths of a
degree and its inhabitants to two digits; last the keys of other spellings with the rows of the cities they may mean.
"""

import lzma
from collections import defaultdict
from functools import cached_property, lru_cache
from importlib.resources import files

from msgspec import Struct

from snapshots.places.spelling import place_key

# what an ASCII name's key is made by: 34,000 names through Unicode's tables would take longer than all the rest
_PLAIN = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}


class City(Struct, frozen=True):
    """A city: its name, region and country in words, their codes (GeoNames' of the region, "US.IL"; ISO 3166 of the
    country), where it is in degrees (WGS 84, to 0.001), and its inhabitants to two digits (0: not known).
    """

    name: str
    region: str
    region_code: str
    country: str
    country_code: str
    country_code3: str
    latitude: float
    longitude: float
    population: int

    @property
    def label(self) -> str:
        """The city as it is told from others of its name: "Springfield, Illinois, United States"."""
        region = "" if place_key(self.region) == place_key(self.name) else self.region
        return ", ".join(filter(None, (self.name, region, self.country)))


class Gazetteer:
    """All cities, found by the key of any of their spellings."""

    def __init__(self, packed: bytes) -> None:
        columns = lzma.decompress(packed).decode().split("\f")
        self.attribution = columns[0]
        self._countries = {row[0]: row for row in (line.split("\t") for line in columns[1].split("\n"))}
        self._regions = [line.split("\t") for line in columns[2].split("\n")]
        self._names, self._region, self._latitude, self._longitude, self._population = (
            column.split("\n") for column in columns[3:8]
        )
        self._others = columns[8]

    def __len__(self) -> int:
        return len(self._names)

    @property
    def countries(self) -> list[str]:
        """The names of all countries."""
        return [row[2] for row in self._countries.values()]

    def named(self, name: str) -> list[City]:
        """The cities that are spelt so, the most inhabitants first.

        Where cities bear the name itself, one for which it is another spelling counts only if it is larger than they.
        """
        key = place_key(name)
        own = [self._city(row) for row in self._own.get(key, ())]
        largest = max((city.population for city in own), default=-1)
        others = (self._city(row) for row in {*self._other(key)}.difference(self._own.get(key, ())))
        found = [*own, *(city for city in others if city.population > largest)]
        return sorted(found, key=lambda city: (-city.population, city.label))

    @cached_property
    def keys(self) -> list[str]:
        """The keys of all names, as the cities' own country or the English language has them."""
        return list(self._own)

    @cached_property
    def _own(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(self._names):
            rows[" ".join(name.translate(_PLAIN).split()) if name.isascii() else place_key(name)].append(row)
        return dict(rows)

    def _other(self, key: str) -> list[int]:
        at = self._others.find(f"\n{key}\t") if key else -1
        if at < 0:
            return []
        begin = at + len(key) + 2
        return [int(row) for row in self._others[begin : self._others.index("\n", begin)].split(",")]

    def _city(self, row: int) -> City:
        code, region = self._regions[int(self._region[row])]
        iso = code.partition(".")[0]
        _, iso3, country = self._countries[iso]
        return City(
            name=self._names[row],
            region=region,
            region_code=code,
            country=country,
            country_code=iso,
            country_code3=iso3,
            latitude=int(self._latitude[row]) / 1000,
            longitude=int(self._longitude[row]) / 1000,
            population=int(self._population[row]),
        )


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The gazetteer of this program, read at its first use (about 0.07 s)."""
    return Gazetteer(files("snapshots.places").joinpath("gazetteer.xz").read_bytes())
