"""How far a trial's results are: posted, in review, delayed, or not there; and what was posted, in short."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.web.trial import parts as p
from monitor.web.trial.parts import Part, Section
from snapshots.sentences import capitalised, counted, date_words, enum_words
from snapshots.trial import Trial

Json = Any

_EVENTS = {
    "RELEASE": "submitted for review",
    "RESET": "returned to the sponsor with comments",
    "UNRELEASE": "submission cancelled",
}


def results_section(trial: Trial, about: str) -> Section:
    """The section that says how far the results are."""
    state = Part(shape="text", name="", lines=(_state(trial),), path=trial.path("has_results"))
    parts = (state, *_delays(trial), *_events(trial), *_notices(trial), *_posted(trial))
    return Section(id="results", title="Study results", help=about, parts=parts)


def _state(trial: Trial) -> str:
    dates = trial.bookkeeping_dates
    if trial.has_results:
        posted = dates.get("resultsFirstPostDateStruct")
        return f"Results are posted{f', first on {date_words(posted)}' if posted else ''}."
    submitted = [event for event in trial.submission_events if event.type == "RELEASE"]
    if submitted:
        on = f" on {date_words(submitted[-1].date)}" if submitted[-1].date else ""
        return f"Results were submitted{on} and are not posted yet: the registry reviews them first."
    if trial.delay_certificate_dates:
        return "No results are posted; the sponsor has certified that they may come later."
    return "No results are posted: no outcomes, no flow of participants, no adverse events so far."


def _delays(trial: Trial) -> Iterator[Part]:
    path = trial.path("delay_certificate_dates")
    for key, value in trial.delay_certificate_dates.items():
        name = "Certificate of delay submitted" if key == "dispFirstSubmitDate" else "Certificate of delay posted"
        yield Part(shape="fact", name=name, lines=(date_words(value),), path=f"{path}.{key}")


def _events(trial: Trial) -> Iterator[Part]:
    path = trial.path("submission_events")
    for event in trial.submission_events:
        words = _EVENTS.get(event.type, enum_words(event.type))
        on = date_words(event.date) if event.date else "on a day that the registry does not tell"
        yield Part(shape="entry", name=words, lines=(f"{capitalised(words)}: {on}",), path=path, key=words)


def _notices(trial: Trial) -> Iterator[Part]:
    path = trial.path("fda_notices")
    for notice in trial.fda_notices:
        facts = tuple((p.spaced(key), date_words(value)) for key, value in notice.dates.items()) + p.others(notice.rest)
        name = f"Notice of the U.S. FDA: {enum_words(notice.type)}"
        yield Part(shape="item", name=name, facts=facts, lines=p.paragraphs(notice.description), path=path)


def _posted(trial: Trial) -> Iterator[Part]:
    """What was posted, in numbers and titles: the tables themselves are read at the registry."""
    path = trial.path("results")
    measures = _list(trial.results, "outcomeMeasuresModule", "outcomeMeasures")
    events = trial.results.get("adverseEventsModule")
    groups = _list(trial.results, "participantFlowModule", "groups")
    if groups:
        yield _fact("Groups of participants", ", ".join(str(each.get("title", "–")) for each in groups), path)
    if isinstance(events, Mapping):
        serious = counted(len(_list(trial.results, "adverseEventsModule", "seriousEvents")), "serious adverse event")
        yield _fact("Adverse events", f"{serious} listed by name", path)
    for measure in measures:
        facts = p.facts(("Level", p.words(measure.get("type"))), ("Time frame", _text(measure.get("timeFrame"))))
        name = f"Reported: {_text(measure.get('title')) or 'an outcome without a title'}"
        yield Part(shape="item", name=name, facts=facts, lines=(), path=path, key=_text(measure.get("title")))


def _fact(name: str, value: str, path: str) -> Part:
    return Part(shape="fact", name=name, lines=(value,), path=path)


def _list(results: Mapping[str, Json], module: str, key: str) -> list[Mapping[str, Json]]:
    held = results.get(module)
    found = held.get(key) if isinstance(held, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
