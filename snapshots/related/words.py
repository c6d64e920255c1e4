"""By which words is a trial compared with others? Pure: title, conditions, interventions and lead sponsor."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from snapshots.canonical import enum_key, name_key
from snapshots.trial import Trial

TITLE, CONDITIONS, INTERVENTIONS, SPONSOR = 2.0, 5.0, 4.0, 0.5
"""What a word counts by where it stands: who looks for a like trial looks for the disease, then for what is tried."""
MOST_WORDS = 32

_COMMON = (
    "a adult adults after all an and are as at be before between by clinical compared comparing controlled "
    "disease diseases disorder disorders double during effect effects efficacy evaluate evaluation for from group "
    "healthy i ii iii in into is iv label long multicenter of on open or patients participants phase pilot "
    "placebo plus prospective randomised randomized safety single standard study subjects term than that the "
    "therapy to treated treatment trial tolerability using versus vs with without"
)
"""Words that stand in the titles of trials of anything."""
_PLAIN = frozenset(_COMMON.split())


class Wording(Struct, frozen=True, kw_only=True):
    """What a trial is compared by, as the registry wrote it."""

    title: str
    conditions: str
    interventions: str
    sponsor: str
    status: str | None
    phases: str


class Listed(Struct, frozen=True, kw_only=True):
    """A trial as the registry listed it."""

    id: str
    title: str
    status: str | None = None
    phases: tuple[str, ...] = ()


def wording(trial: Trial) -> Wording:
    """The words of a trial."""
    other_names = (name for each in trial.interventions for name in (each.name, *each.other_names))
    return Wording(
        title=" ".join(filter(None, (trial.title, trial.acronym))),
        conditions=", ".join((*trial.conditions, *trial.keywords)),
        interventions=", ".join(filter(None, other_names)),
        sponsor=(trial.lead_sponsor.name if trial.lead_sponsor else None) or "",
        status=enum_key(trial.overall_status),
        phases=" ".join(trial.phases),
    )


def telling(said: Wording) -> tuple[str, ...]:
    """The words to look for, those of the conditions first: letters and digits only, each once."""
    found: dict[str, None] = {}
    for text in (said.conditions, said.interventions, said.title):
        found |= dict.fromkeys(word for word in _words(text) if word not in _PLAIN and len(word) > 2)
    return tuple(found)[:MOST_WORDS]


def sponsor_words(said: Wording) -> tuple[str, ...]:
    """The sponsor's name word by word, to be looked for as a whole."""
    return tuple(_words(said.sponsor))


def score(asked: Wording, found: Wording) -> float:
    """How like two trials are by the share of words that they have in common, weighted by where they stand. 0: not."""
    wanted = set(telling(asked))
    fields = ((found.title, TITLE), (found.conditions, CONDITIONS), (found.interventions, INTERVENTIONS))
    shared = sum(weight * _share(wanted, _words(text)) for text, weight in fields)
    same_sponsor = bool(asked.sponsor) and name_key(asked.sponsor) == name_key(found.sponsor)
    return shared + (SPONSOR if same_sponsor else 0.0)


def ranked(asked: Wording, found: Iterable[tuple[str, Wording]]) -> list[str]:
    """The ids of these trials, the likest first; those that share nothing with it last."""
    return [name for name, said in sorted(found, key=lambda each: -score(asked, each[1]))]


def _share(wanted: set[str], said: Iterable[str]) -> float:
    telling_words = {word for word in said if word not in _PLAIN and len(word) > 2}
    return len(wanted & telling_words) / max(1, len(telling_words))


def _words(text: str) -> Sequence[str]:
    return re.findall(r"[^\W_]+", text.casefold())
