"""How things stand today for what a subscription asks: which sites of the watched trials recruit already."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from notifiers import filters
from notifiers.conditions import Conditions
from notifiers.newest import newest
from notifiers.outbox.rows import Asker, Due, put
from notifiers.subscriptions import Stored, Subscription
from notifiers.tables import subscription_addresses
from notifiers.whereabouts import kilometres, might_fit, spot_of
from snapshots import archive
from snapshots.canonical import enum_key
from snapshots.trial import Site, Trial

RECRUITING = "RECRUITING"
AT_MOST = 100
"""Sites that one message lists."""


class RecruitingSite(Struct, frozen=True):
    """A site that recruits, and its trial's id and title."""

    trial_id: str
    title: str
    site: Site


class Standing(Struct, frozen=True, kw_only=True):
    """Today's state: of how many trials, how many of their sites recruit anywhere, and those that do in the place that
    is asked for (all of them where none is). `place` says which, in words; "" for anywhere. `unplaced` are those that
    may be there too: where their city is, is not known.
    """

    trials: int
    recruiting: int
    sites: tuple[RecruitingSite, ...]
    place: str = ""
    unplaced: tuple[RecruitingSite, ...] = ()


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
    unplaced = tuple(found for found in recruiting if might_fit(conditions, spot_of(found.site)))
    return Standing(trials=len(asked), recruiting=len(recruiting), sites=here, place=place, unplaced=unplaced)


def in_words(state: Standing, at_most: int = 10) -> str:
    """The state in one sentence: "5 sites recruit already, 1 in China: Example Hospital, Beijing"."""
    if not state.recruiting:
        return f"No site recruits yet ({_counted(state.trials, 'trial')})"
    total = f"{_counted(state.recruiting, 'site')} {'recruits' if state.recruiting == 1 else 'recruit'} already"
    if state.place:
        total += f", {len(state.sites) or 'none'} {state.place}"
    names = [_name(found.site) for found in state.sites]
    more = f"; and {len(names) - at_most} more" if len(names) > at_most else ""
    told = f"{total}: {'; '.join(names[:at_most])}{more}" if names else total
    return f"{told}{_unplaced(state)}"


def _unplaced(state: Standing) -> str:
    if not state.unplaced:
        return ""
    names = "; ".join(_name(found.site) for found in state.unplaced[:3])
    return f" (where {_counted(len(state.unplaced), 'more site')} may be, such as {names}, is not known)"


def message_text(state: Standing, conditions: Conditions) -> str:
    """The state as the text of a message: a sentence, then each of the sites, the nearest first, with its trial."""
    head = in_words(state, at_most=0).partition(":")[0]
    near = conditions.near
    listed = sorted(state.sites, key=lambda found: (near and kilometres(near, spot_of(found.site))) or 0.0)
    lines = [f"{_name(found.site)}{_away(conditions, found.site)}. {found.trial_id}: {found.title}" for found in listed]
    left_out = len(lines) - AT_MOST
    more = [f"And {left_out} more; `trialdelta subscription show` counts them."] if left_out > 0 else []
    return "\n\n".join([f"{head}.", *lines[:AT_MOST], *more])


def _away(conditions: Conditions, site: Site) -> str:
    away = kilometres(conditions.near, spot_of(site)) if conditions.near else None
    return f" ({away:,.0f} km away)" if away is not None else ""


def enqueue(connection: Connection, stored: Stored, state: Standing, now: datetime) -> list[str]:
    """Tell every address of a subscription how things stand, as a message of its own, due now; the deliveries' ids.

    What the conditions ask of changes (kinds, severities, new values) plays no part: a state has none.
    """
    name = stored.subscription.name
    notice = message_text(state, stored.subscription.when)
    key = f"standing:{stored.id}"
    link = subscription_addresses
    told = select(link.c.address_id).where(link.c.subscription_id == stored.id, link.c.stopped_at.is_(None))
    due = [
        Due(
            type="standing",
            address_id=address_id,
            due_key=f"{key}:{now.isoformat()}",
            thread=key,
            facts={"title": f"How things stand today: {name}", "notice": notice},
            askers=[Asker(stored.id, name, ())],
            planned_at=now,
        )
        for address_id in connection.execute(told.order_by(link.c.position)).scalars().all()
    ]
    return [delivery_id for one in due if (delivery_id := put(connection, one, now))]


def load(
    connection: Connection,
    subscription: Subscription,
    parse: Mapping[str, Callable[[bytes], Trial]],
    counting: Callable[[Iterable[Trial]], Iterable[Trial]] = iter,
) -> Standing:
    """How things stand for a subscription in what the archive holds; `parse` by registry, as `Registry.parse`.
    `counting` passes the trials on; it may end early.
    """
    return standing(subscription.when, counting(_trials(connection, subscription, parse)))


def _trials(
    connection: Connection, subscription: Subscription, parse: Mapping[str, Callable[[bytes], Trial]]
) -> Iterator[Trial]:
    for registry, version in newest(connection, subscription.watches):
        yield parse[registry](archive.read_version(connection, version))


def _only_place(conditions: Conditions) -> Conditions:
    return Conditions(countries=conditions.countries, sites=conditions.sites, near=conditions.near)


def _sponsor(trial: Trial) -> str | None:
    return trial.lead_sponsor.name if trial.lead_sponsor else None


def _name(site: Site) -> str:
    return ", ".join(part for part in (site.facility, site.city, site.country) if part) or "an unnamed site"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
