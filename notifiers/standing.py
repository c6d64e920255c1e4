"""How things stand today for what a subscription asks: which sites of the watched trials recruit already."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from sqlalchemy import Connection

from notifiers import filters, subscriptions, watches
from notifiers.conditions import Conditions
from notifiers.subscriptions import Subscription
from snapshots import archive
from snapshots.canonical import enum_key
from snapshots.trial import Site, Trial

RECRUITING = "RECRUITING"


class RecruitingSite(Struct, frozen=True):
    """A site that recruits, and its trial's id and title."""

    trial_id: str
    title: str
    site: Site


class Standing(Struct, frozen=True, kw_only=True):
    """Today's state: of how many trials, how many of their sites recruit anywhere, and those that do in the place that
    is asked for (all of them where none is). `place` says which, in words; "" for anywhere.
    """

    trials: int
    recruiting: int
    sites: tuple[RecruitingSite, ...]
    place: str = ""


def standing(conditions: Conditions, trials: Iterable[Trial]) -> Standing:
    """How things stand in `trials` for these conditions. Trials of another sponsor than asked for are left out."""
    asked = [trial for trial in trials if filters.wants_sponsor(conditions, [_sponsor(trial)])]
    recruiting = [
        RecruitingSite(trial.id, trial.title, site)
        for trial in asked
        for site in trial.sites
        if enum_key(site.status) == RECRUITING
    ]
    here = tuple(found for found in recruiting if filters.wants_site(conditions, found.site))
    place = filters.in_words(_only_place(conditions))
    return Standing(trials=len(asked), recruiting=len(recruiting), sites=here, place=place)


def in_words(state: Standing, at_most: int = 10) -> str:
    """The state in one sentence: "5 sites recruit already, 1 in China: Example Hospital, Beijing"."""
    if not state.recruiting:
        return f"No site recruits yet ({_counted(state.trials, 'trial')})"
    total = f"{_counted(state.recruiting, 'site')} {'recruits' if state.recruiting == 1 else 'recruit'} already"
    if state.place:
        total += f", {len(state.sites) or 'none'} {state.place}"
    names = [_name(found.site) for found in state.sites]
    more = f"; and {len(names) - at_most} more" if len(names) > at_most else ""
    return f"{total}: {'; '.join(names[:at_most])}{more}" if names else total


def load(connection: Connection, subscription: Subscription, parse: Mapping[str, Callable[[bytes], Trial]]) -> Standing:
    """How things stand for a subscription in what the archive holds; `parse` by registry, as `Registry.parse`."""
    return standing(subscription.when, _trials(connection, subscription, parse))


def _trials(
    connection: Connection, subscription: Subscription, parse: Mapping[str, Callable[[bytes], Trial]]
) -> Iterator[Trial]:
    by_registry: dict[str, list[str]] = {}
    for record in watches.records(connection):
        if subscriptions.selects(subscription.watches, [record.record_id], record.groups, record.searches):
            by_registry.setdefault(record.registry, []).append(record.record_id)
    for registry, ids in by_registry.items():
        # two watched ids may be one record since a merge
        versions = {head.version for head in archive.heads(connection, registry, ids).values()}
        for version in sorted(number for number in versions if number is not None):
            yield parse[registry](archive.read_version(connection, version))


def _only_place(conditions: Conditions) -> Conditions:
    return Conditions(countries=conditions.countries, sites=conditions.sites, near=conditions.near)


def _sponsor(trial: Trial) -> str | None:
    return trial.lead_sponsor.name if trial.lead_sponsor else None


def _name(site: Site) -> str:
    return ", ".join(part for part in (site.facility, site.city, site.country) if part) or "an unnamed site"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
