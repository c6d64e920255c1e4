"""What happened to the study's results, their way through quality control, its documents and FDA notices?"""

from collections.abc import Iterator, Sequence

import msgspec

from snapshots.canonical import enum_key, interval, label_key, name_key, same_text, value_key
from snapshots.changes import Change
from snapshots.matching import ByKey, Matched, match
from snapshots.rules.build import Json, change, leftovers
from snapshots.rules.reported import what_differs
from snapshots.sentences import clipped, date_words, enum_words, quoted
from snapshots.trial import Document, FdaNotice, SubmissionEvent, Trial

COVERS = frozenset(
    {
        "has_results",
        "results",
        "delay_certificate_dates",
        "submission_events",
        "fda_notices",
        "fda_violation",
        "documents",
    }
)

_encode = msgspec.json.Encoder(order="deterministic").encode


def changes(old: Trial, new: Trial) -> list[Change]:
    """What the results, their submission, the documents and the FDA's notices tell, in this order."""
    return [
        *_results(old, new),
        *_submissions(old, new),
        *_delay_certificate(old, new),
        *_documents(old, new),
        *_fda_notices(old, new),
    ]


# --- results ----------------------------------------------------------------------------------------------------------


def _results(old: Trial, new: Trial) -> list[Change]:
    before, after = bool(old.has_results), bool(new.has_results)
    path = new.path("has_results")
    if not before and not after:
        return leftovers(old.results, new.results, new.path("results"))
    if before and after:
        return _updated(old, new)
    if after:
        return [change("results.posted", summary="Results are posted now", before=False, after=True, path=path)]
    return [change("results.removed", summary="Results are no longer posted", before=True, after=False, path=path)]


def _updated(old: Trial, new: Trial) -> list[Change]:
    """One entry for the section: what of its parts says something else in a sentence each, never its thousand numbers.

    `after` holds the registry's names of the parts, the sentences, and the titles of the outcome measures concerned.
    """
    found = None if old.results == new.results else what_differs(old.results, new.results)
    if found is None:
        return []
    measures = {"outcome_measures": dict(found.measures)} if found.measures else {}
    path = new.path("results")
    return [
        change(
            "results.updated",
            summary=f"Posted results were updated. {'. '.join(found.sentences)}",
            after={"parts": list(found.parts), **measures, "told": list(found.sentences)},
            path=f"{path}.{found.parts[0]}" if len(found.parts) == 1 else path,
        )
    ]


# --- submission -------------------------------------------------------------------------------------------------------

_EVENTS = {
    "RELEASE": ("results.submitted", "Results were submitted to the registry's quality control"),
    "RESET": ("results.returned", "The registry returned the results to the sponsor"),
    "UNRELEASE": ("results.submission_cancelled", "The sponsor cancelled the submission of results"),
}


def _submissions(old: Trial, new: Trial) -> list[Change]:
    """Each event that is new, by type and date, wherever it stands; not compared where one source never has them."""
    if "submission_events" in old.unknown | new.unknown or old.submission_events == new.submission_events:
        return []
    known, now = set(old.submission_events), set(new.submission_events)
    come = [event for event in new.submission_events if event not in known]
    # posting ends the tracking; another event of the type is the correction of its date
    explained = {event.type for event in come} if not new.has_results else {event.type for event in known}
    gone = [event for event in old.submission_events if event not in now and event.type not in explained]
    path = new.path("submission_events")
    return [*(_event_come(event, path) for event in come), *(_event_gone(event, path) for event in gone)]


def _event_come(event: SubmissionEvent, path: str) -> Change:
    kind, words = _EVENTS.get(event.type, ("record.changed", f"The results' submission has a new event, {event.type}"))
    return change(kind, summary=f"{words} {_on(event)}", after=event.date, path=path)


def _event_gone(event: SubmissionEvent, path: str) -> Change:
    words = f"The event {enum_words(event.type)} {_on(event)} is no longer listed in the results' submission"
    return change("record.changed", summary=words, before={"type": event.type, "date": event.date}, path=path)


def _on(event: SubmissionEvent) -> str:
    return f"on {date_words(event.date)}" if event.date else "on a date not known"


_CERTIFIED, _CERTIFICATE_POSTED = "dispFirstSubmitDate", "dispFirstPostDateStruct"


def _delay_certificate(old: Trial, new: Trial) -> list[Change]:
    """A certificate of delay appears once, by either of its dates; its posting date alone is bookkeeping."""
    before, after = old.delay_certificate_dates, new.delay_certificate_dates
    dates = [dates.get(_CERTIFIED) or dates.get(_CERTIFICATE_POSTED) for dates in (before, after)]
    path = f"{new.path('delay_certificate_dates')}.{_CERTIFIED if after.get(_CERTIFIED) else _CERTIFICATE_POSTED}"
    if not before and after:
        summary = f"A certificate of delay for the results was submitted on {date_words(dates[1])}"
        return [change("results.delay_certified", summary=summary, after=dates[1], path=path)]
    if before.get(_CERTIFIED) == after.get(_CERTIFIED) and (after or not before):
        return []
    words = f"from {date_words(dates[0])} to {date_words(dates[1])}"
    summary = f"The date of the certificate of delay for the results changed {words}"
    return [change("record.changed", summary=summary, before=dates[0], after=dates[1], path=path)]


# --- documents --------------------------------------------------------------------------------------------------------


def match_documents(old: Sequence[Document], new: Sequence[Document]) -> Matched[Document]:
    """Documents by file name, then by type and date, then by label."""
    return match(old, new, _DOCUMENT_PASSES)


def _filename(document: Document) -> str | None:
    return (document.filename or "").casefold() or None


def _label(document: Document) -> str | None:
    return label_key(document.label) or None


def _type_and_date(document: Document) -> tuple[str, str] | None:
    return (enum_key(document.type) or "", document.date) if document.date else None


_DOCUMENT_PASSES = (
    ByKey(key=_filename, prefer=(_label, _type_and_date)),
    ByKey(key=_type_and_date, prefer=(_label,)),
    ByKey(key=_label, prefer=(_type_and_date,)),
)


def _documents(old: Trial, new: Trial) -> list[Change]:
    if old.documents == new.documents:
        return []
    matched = match_documents(old.documents, new.documents)
    return [
        *(_posted(document, new) for document in matched.added),
        *(told for before, after in matched.pairs for told in _replaced(before, after, new)),
        *(_removed(document, old) for document in matched.removed),
    ]


def _document_name(document: Document) -> str:
    return document.label or document.filename or enum_words(document.type)


def _document_words(document: Document) -> str:
    return f"{clipped(_document_name(document))}{f' of {date_words(document.date)}' if document.date else ''}"


def _about(document: Document) -> dict[str, Json]:
    return {"type": "document", "name": _document_name(document), "filename": document.filename}


def _posted(document: Document, new: Trial) -> Change:
    return change(
        "document.posted",
        summary=f"Document posted: {_document_words(document)}",
        subject=_about(document),
        after=_document_name(document),
        path=new.path("documents", document.position),
    )


def _removed(document: Document, old: Trial) -> Change:
    return change(
        "document.removed",
        summary=f"Document removed: {_document_words(document)}",
        subject=_about(document),
        before=_document_name(document),
        path=old.path("documents", document.position),
    )


def _replaced(before: Document, after: Document, new: Trial) -> list[Change]:
    path = new.path("documents", after.position)
    told = leftovers(before.rest, after.rest, path)
    if _document_key(before) == _document_key(after):
        return told
    replaced = change(
        "document.replaced",
        summary=f"Document replaced: {_document_words(after)} (was: {_document_words(before)})",
        subject=_about(after),
        before=_document_json(before),
        after=_document_json(after),
        path=path,
    )
    return [replaced, *told]


def _document_key(document: Document) -> tuple[Json, ...]:
    dates = (interval(document.date) or document.date, document.upload_date)
    return (_filename(document), _label(document), enum_key(document.type), *dates, value_key(document.size))


def _document_json(document: Document) -> dict[str, Json]:
    return {
        "filename": document.filename,
        "label": document.label,
        "type": document.type,
        "date": document.date,
        "upload_date": document.upload_date,
        "size": document.size,
    }


# --- FDA --------------------------------------------------------------------------------------------------------------

_NOTICE_PASSES = (
    ByKey[FdaNotice](key=lambda notice: _encode(_notice_json(notice))),
    ByKey[FdaNotice](
        key=lambda notice: enum_key(notice.type),
        prefer=(lambda notice: notice.dates.get("issuedDate"), lambda notice: notice.dates.get("creationDate")),
    ),
)


def _fda_notices(old: Trial, new: Trial) -> list[Change]:
    """One entry a notice; the record's own mark of a violation speaks where no notice does."""
    told = list(_notices(old, new)) if "fda_notices" not in old.unknown | new.unknown else []
    if told or bool(old.fda_violation) == bool(new.fda_violation):
        return told
    summary = (
        f"The record {'now carries' if new.fda_violation else 'no longer carries'} the mark of an FDAAA 801 violation"
    )
    return [_fda_change(summary, bool(old.fda_violation), bool(new.fda_violation), new.path("fda_violation"))]


def _notices(old: Trial, new: Trial) -> Iterator[Change]:
    matched = match(old.fda_notices, new.fda_notices, _NOTICE_PASSES)
    for notice in matched.added:
        path = new.path("fda_notices", notice.position)
        yield _fda_change(f"New FDA notice: {_notice_words(notice)}", None, _notice_json(notice), path)
    for before, after in matched.pairs:
        path = new.path("fda_notices", after.position)
        if not _same_notice(before, after):
            words = f"FDA notice changed: {_notice_words(after)} (was: {_notice_words(before)})"
            yield _fda_change(words, _notice_json(before), _notice_json(after), path)
        yield from leftovers(before.rest, after.rest, path)
    for notice in matched.removed:
        path = old.path("fda_notices", notice.position)
        yield _fda_change(f"FDA notice no longer listed: {_notice_words(notice)}", _notice_json(notice), None, path)


def _same_notice(before: FdaNotice, after: FdaNotice) -> bool:
    same_type = name_key(before.type) == name_key(after.type)
    return same_type and same_text(before.description, after.description) and before.dates == after.dates


def _notice_words(notice: FdaNotice) -> str:
    issued = notice.dates.get("issuedDate") or notice.dates.get("postedDate") or notice.dates.get("creationDate")
    words = enum_words(notice.type) if notice.type else "of a type not told"
    return f"{words}{f', {date_words(issued)}' if issued else ''}{_described(notice)}"


def _described(notice: FdaNotice) -> str:
    return f", {quoted(notice.description)}" if notice.description else ""


def _notice_json(notice: FdaNotice) -> dict[str, Json]:
    return {"type": notice.type, "description": notice.description, **notice.dates}


def _fda_change(summary: str, before: Json, after: Json, path: str) -> Change:
    return change("fda_notice.changed", summary=summary, before=before, after=after, path=path)
