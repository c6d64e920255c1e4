"""Who is who among the sites of two versions: the same row, the same place under another name, or somewhere else."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property, partial

from snapshots.canonical import country_key, enum_key, name_key
from snapshots.matching.engine import ByKey, ByLikeness, Matched, Pass, match
from snapshots.matching.people import contacts_key, rest_key
from snapshots.matching.site_names import containing_pairs, holds_its_city, is_placeholder, own_name, site_number
from snapshots.trial import Site


def match_sites(old: Sequence[Site], new: Sequence[Site]) -> Matched[Site]:
    """Sites one to one. Rows that read alike are a multiset: k rows "Research Site" in one city are k sites.

    A name alone tells that a site moved to another city only where it can be one site's name. It cannot where it stands
    in several cities of one version (the name of a chain), or where both names hold their own city ("Mercy Clinic
    Eastham", "Mercy Clinic Westham"): one branch that goes and another one that comes are two sites. Read as one that
    moved, a hospital that is new and recruits would be told as a new address, and who waits for it would not hear.
    """
    chains = _Chains(old, new)
    matched = match([_Row(site, chains) for site in old], [_Row(site, chains) for site in new], _PASSES)
    return Matched(
        tuple((before.site, after.site) for before, after in matched.pairs),
        tuple(row.site for row in matched.removed),
        tuple(row.site for row in matched.added),
    )


def site_key(site: Site) -> tuple[str, str, str, str, str]:
    """Under what a site is listed: facility, city, state, zip, country. Several rows may have the same."""
    return (
        name_key(site.facility),
        name_key(site.city),
        name_key(site.state),
        name_key(site.zip),
        country_key(site.country),
    )


class _Chains:
    """Which own names stand in several cities of one country in one version."""

    def __init__(self, old: Sequence[Site], new: Sequence[Site]) -> None:
        self._versions = (old, new)

    @cached_property
    def names(self) -> frozenset[tuple[str, str]]:
        """(country, own name) of each."""
        return frozenset(chain for version in self._versions for chain in _in_several_cities(version))


def _in_several_cities(sites: Sequence[Site]) -> Iterator[tuple[str, str]]:
    cities: dict[tuple[str, str], set[str]] = defaultdict(set)
    for site in sites:
        if not is_placeholder(site.facility):
            name = own_name(site.facility, site.city)
            cities[country_key(site.country), name].add(name_key(site.city))
    return (chain for chain, where in cities.items() if len(where - {""}) > 1)


class _Row:
    """A site and its keys, each computed when it is first asked for: most sites match before most keys are needed."""

    def __init__(self, site: Site, chains: _Chains) -> None:
        self.site = site
        self._chains = chains

    @cached_property
    def key(self) -> tuple[str, str, str, str, str]:
        return site_key(self.site)

    @property
    def name(self) -> str:
        return self.key[0]

    @property
    def city(self) -> str:
        return self.key[1]

    @property
    def state(self) -> str:
        return self.key[2]

    @property
    def zip(self) -> str:
        return self.key[3]

    @property
    def country(self) -> str:
        return self.key[4]

    @cached_property
    def status(self) -> str | None:
        return enum_key(self.site.status)

    @cached_property
    def contacts(self) -> Hashable:
        return contacts_key(self.site.contacts)

    @cached_property
    def rest(self) -> Hashable:
        return rest_key(self.site), *sorted(filter(None, map(rest_key, self.site.contacts)))

    @cached_property
    def number(self) -> str | None:
        return site_number(self.site.facility)

    @cached_property
    def placeholder(self) -> bool:
        return is_placeholder(self.site.facility)

    @cached_property
    def own_name(self) -> str:
        return "" if self.placeholder else own_name(self.site.facility, self.site.city)

    @property
    def of_a_chain(self) -> bool:
        return (self.country, self.own_name) in self._chains.names

    @cached_property
    def holds_its_city(self) -> bool:
        return holds_its_city(self.site.facility, self.site.city)


def _as_written(row: _Row) -> Hashable:
    site = row.site
    return (site.facility, site.status, site.city, site.state, site.zip, site.country)


def _equal_besides(old: _Row, new: _Row) -> bool:
    return old.site.contacts == new.site.contacts and old.site.rest == new.site.rest


def _key(row: _Row) -> Hashable:
    return row.key


def _status(row: _Row) -> Hashable:
    return row.status


def _contacts(row: _Row) -> Hashable:
    return row.contacts


def _rest(row: _Row) -> Hashable:
    return row.rest


def _name(row: _Row) -> Hashable:
    return row.name


def _city(row: _Row) -> Hashable:
    return row.city


def _state(row: _Row) -> Hashable | None:
    return row.state or None


def _zip(row: _Row) -> Hashable | None:
    return row.zip or None


def _country_of_no_chain(row: _Row) -> Hashable | None:
    return row.country if row.country and not row.of_a_chain else None


def _not_two_branches(old: _Row, new: _Row) -> bool:
    return old.city == new.city or not (old.holds_its_city and new.holds_its_city)


def _country_and_city(row: _Row) -> Hashable | None:
    return (row.country, row.city) if row.city else None


def _country_city_and_zip(row: _Row) -> Hashable | None:
    return (row.country, row.city, row.zip) if row.city and row.zip else None


def _country_and_number(row: _Row) -> Hashable | None:
    return (row.country, row.number) if row.number else None


def _country_zip_and_name(row: _Row) -> Hashable | None:
    return (row.country, row.zip, row.name) if row.zip else None


def _country_city_state_and_name(row: _Row) -> Hashable | None:
    return (row.country, row.city, row.state, row.name) if row.city else None


def _country_city_zip_and_name(row: _Row) -> Hashable | None:
    return (row.country, row.city, row.zip, row.name) if row.city else None


def _country_city_and_name(row: _Row) -> Hashable | None:
    return (row.country, row.city, row.name) if row.city else None


def _only_one_gives_a_country(old: _Row, new: _Row) -> bool:
    return bool(old.country) != bool(new.country)


def _city_and_name(row: _Row) -> Hashable | None:
    return (row.city, row.name) if row.city and row.name else None


def _number(row: _Row) -> Hashable | None:
    return row.number


def _a_placeholder_is_involved(old: _Row, new: _Row) -> bool:
    return old.placeholder or new.placeholder


def _state_or_zip(row: _Row) -> Hashable | None:
    return (row.state, row.zip) if row.state or row.zip else None


_Key = Callable[[_Row], Hashable | None]
_Fits = Callable[[_Row, _Row], bool]
_LIKENESS = (_status, _contacts, _rest)


def _alike_in(place: _Key, fits: _Fits | None = None) -> Iterator[Pass[_Row]]:
    """The passes for alike names, the more alike first, among the rows of one `place` (a key)."""

    def same_name(row: _Row) -> Hashable | None:
        where = place(row)
        return None if where is None or row.placeholder else (where, row.name)

    def same_own_name(row: _Row) -> Hashable | None:
        where = place(row)
        return (where, row.own_name) if where is not None and row.own_name else None

    yield ByKey(key=same_name, prefer=(_state, *_LIKENESS), exclusive=_number, fits=fits)
    yield ByKey(key=same_own_name, prefer=(_name, _state, *_LIKENESS), exclusive=_number, fits=fits)
    yield ByLikeness(likeness=partial(_share_in_common, fits), candidates=partial(_containing, place))


def _share_in_common(fits: _Fits | None, old: _Row, new: _Row) -> tuple[float, bool, bool] | None:
    """How much of the longer own name is the shorter one; None for two different site numbers."""
    if (old.number and new.number and old.number != new.number) or (fits and not fits(old, new)):
        return None
    lengths = sorted((len(old.own_name), len(new.own_name)))
    return lengths[0] / lengths[1], old.status == new.status, old.contacts == new.contacts


def _containing(place: _Key, old: Sequence[_Row], new: Sequence[_Row]) -> Iterator[tuple[int, int]]:
    """Pairs of indexes of rows in one place of which one's own name stands in the other's."""
    new_places = _by_place(place, new)
    for where, some_old in _by_place(place, old).items():
        some_new = new_places.get(where, [])
        names = [old[i].own_name for i in some_old], [new[j].own_name for j in some_new]
        for i, j in containing_pairs(*names):
            yield some_old[i], some_new[j]


def _by_place(place: _Key, rows: Sequence[_Row]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        where = place(row)
        if where is not None and row.own_name:
            found[where].append(index)
    return found


_PASSES: tuple[Pass[_Row], ...] = (
    # what stands there letter for letter needs no keys: nearly all rows of nearly all records
    ByKey(key=_as_written, only=True, fits=_equal_besides),
    ByKey(key=_key, prefer=_LIKENESS),
    ByKey(key=_country_and_number, prefer=(_name, _city, *_LIKENESS)),
    ByKey(key=_country_zip_and_name, prefer=(_city, *_LIKENESS), exclusive=_number),
    *_alike_in(_country_city_and_zip),
    ByKey(key=_country_city_and_zip, only=True, exclusive=_number),
    *_alike_in(_country_and_city),
    ByKey(key=_country_and_city, only=True, exclusive=_number, fits=_a_placeholder_is_involved),
    # several placeholders of one city whose state or zip was filled in: nothing speaks against one site
    ByKey(key=_country_city_state_and_name, prefer=_LIKENESS, exclusive=_zip),
    ByKey(key=_country_city_zip_and_name, prefer=_LIKENESS, exclusive=_state),
    ByKey(key=_country_city_and_name, prefer=_LIKENESS, exclusive=_state_or_zip),
    # a country that was not given and is filled in
    ByKey(key=_city_and_name, prefer=_LIKENESS, exclusive=_zip, fits=_only_one_gives_a_country),
    *_alike_in(_country_of_no_chain, fits=_not_two_branches),
)
