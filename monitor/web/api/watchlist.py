"""What is watched: listed, added, imported, changed, put to rest, removed; and what a search would find."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import Connection
from starlette.responses import Response

from monitor import asking_first, spreadsheet, watch_file
from monitor.shown.watches import watches_json
from monitor.web import cursor, watch_table
from monitor.web.api import shapes
from monitor.web.api.asking import RowNumber, after, not_there, page_of
from monitor.web.api.operations import Call, Operation, Param, Word, cursor_params, moment
from monitor.web.authors import author
from monitor.web.problems import Problem
from monitor.wiring import REGISTRY
from notifiers import names, outbox, watch_pages, watches
from notifiers.conditions import InvalidValue
from notifiers.silences import Silence
from notifiers.watch_pages import Place, Wanted
from notifiers.watches import EVERYTHING, Watch, Wish
from snapshots.registries.ctgov.client import SEARCH_PARAMETERS
from snapshots.registries.ctgov.ids import normalise, pasted
from snapshots.registry import RegistryError
from snapshots.sentences import counted

Json = Any
_GROUP = "Watches"
COUNTED = 1000
"""Hits of a search that are counted; more need too many questions to the registry."""


def _listing(call: Call) -> Json:
    limit = call.asked["limit"]
    begin = after(call, RowNumber, str, RowNumber)
    place, wanted = Place(*begin) if begin else None, _wanted(call)
    with call.here.database.read() as connection:
        found, following = watch_pages.page(connection, REGISTRY, wanted, place, limit, call.here.now)
        items = _shown(connection, found, call)
    return {"items": items, "next": _cursor(following) if following else None}


def _wanted(call: Call) -> Wanted:
    return watch_table.wanted(*(call.asked[name] or "" for name in ("group", "state", "words")))


def _table(call: Call) -> Response:
    return watch_table.file(call.here, _wanted(call))


def _cursor(place: Place) -> str:
    return cursor.encode(place.is_search, place.name, place.id)


def _shown(connection: Connection, found: Sequence[Watch], call: Call) -> list[Json]:
    return watches_json(connection, REGISTRY, found, call.here.now)


def _show(call: Call) -> Json:
    with call.here.database.read() as connection:
        return _shown(connection, [_found(connection, call.asked["name"])], call)[0]


def _found(connection: Connection, name: str) -> Watch:
    found = watch_pages.named(connection, REGISTRY, _meant(name)) or watch_pages.named(connection, REGISTRY, name)
    if found is None:
        raise not_there("watch", name, "watches")
    return found


def _meant(name: str) -> str:
    """The id that a text means, else the text: the name of a watch."""
    try:
        return normalise(name)
    except ValueError:
        return name


def _add(call: Call) -> Json:
    given: shapes.NewWatches = call.sent
    if [bool(given.ids), bool(given.search), given.all].count(True) != 1:
        raise Problem(422, "Give ids, or a search with a name, or all")
    if given.name and len(given.ids) > 1:
        raise Problem(422, "A name is for one record or one search")
    said = Wish(registry=REGISTRY, name=given.name, group=given.group, note=given.note)
    if given.search:
        return _kept(call, [replace(said, search=_checked(given.search, given.name))])
    if given.all:
        return _kept(call, [replace(said, search={}, name=given.name or EVERYTHING)])
    return _kept(call, [replace(said, record_id=each) for each in _ids(given.ids)])


def _checked(search: dict[str, str], name: str | None = "a name") -> dict[str, str]:
    """The search. Raises Problem (422) for one that the registry does not take."""
    unknown = next((key for key in search if key not in SEARCH_PARAMETERS), None)
    if unknown is not None:
        raise Problem(422, f"{unknown[:60]!r} is no search parameter", f"They are: {', '.join(SEARCH_PARAMETERS)}.")
    if not search or not name:
        raise Problem(422, "A search needs a name and a parameter")
    return search


def _ids(texts: Sequence[str]) -> list[str]:
    try:
        return list(dict.fromkeys(normalise(text) for text in texts))
    except ValueError as error:
        raise Problem(422, str(error)) from None


def _import(call: Call) -> Json:
    given: shapes.WatchFile = call.sent
    try:
        lines, wrong = watch_file.lines_of(list(spreadsheet.rows(given.text)))
    except ValueError as error:
        raise Problem(422, str(error)) from None
    if wrong:
        number, why = wrong[0]
        raise Problem(422, f"Line {number}: {why}", f"{counted(len(wrong), 'line')} cannot be read; nothing is added.")
    if not lines:
        raise Problem(422, "The text holds no id", "One a line, or a CSV whose heading names the column id.")
    with call.here.database.write() as connection:
        kept = watch_file.keep(connection, watch_file.wishes_of(lines, given.group), call.here.now, renew=given.renew)
    return {"added": kept.added, "already": kept.already, "changed": kept.changed}


def _kept(call: Call, wishes: Sequence[Wish]) -> Json:
    with call.here.database.write() as connection:
        for wish in wishes:
            _check_name(connection, wish)
        is_new = [watches.add(connection, wish, call.here.now) for wish in wishes]
    called = [(wish.record_id or wish.name, new) for wish, new in zip(wishes, is_new, strict=True)]
    return {"added": [each for each, new in called if new], "already": [each for each, new in called if not new]}


def _check_name(connection: Connection, wish: Wish) -> None:
    """Raises Problem (409) where another watch has the name already, (422) for one that cannot be meant."""
    known = watch_pages.named(connection, REGISTRY, wish.name) if wish.name else None
    if known is not None and (known.record_id != wish.record_id or known.search != wish.search):
        raise Problem(409, f"{wish.name!r} is the name of {known.called} already")
    try:
        names.check_watch(wish, {known.name} if known else ())
    except InvalidValue as error:
        raise Problem(422, str(error)) from None


def _change(call: Call) -> Json:
    given: shapes.WatchWords = call.sent
    with call.here.database.write() as connection:
        found = _found(connection, call.asked["name"])
        wish = Wish(
            registry=found.registry, record_id=found.record_id, search=found.search, name=found.name,
            group=found.group if given.group is UNSET else given.group,
            note=found.note if given.note is UNSET else given.note,
            paused=found.paused, snooze_until=found.snooze_until, snooze_until_critical=found.snooze_until_critical,
            silenced_by=found.silenced_by, silence_reason=found.silence_reason,
        )  # fmt: skip
        watches.change(connection, wish, call.here.now)
    return _show(call)


def _remove(call: Call) -> None:
    with call.here.database.write() as connection:
        watches.remove(connection, REGISTRY, [_found(connection, call.asked["name"])])


def _rest(do: Callable[[Connection, Watch, Call], None]) -> Callable[[Call], Json]:
    def handler(call: Call) -> Json:
        with call.here.database.write() as connection:
            do(connection, _found(connection, call.asked["name"]), call)
        return _show(call)

    return handler


def _pause(connection: Connection, watch: Watch, call: Call) -> None:
    by = call.sent.by or author(call.here)
    watches.pause(connection, REGISTRY, [watch], call.here.now, by=by, reason=call.sent.reason)


def _resume(connection: Connection, watch: Watch, call: Call) -> None:
    watches.snooze(connection, REGISTRY, [watch], Silence(), call.here.now)
    watches.pause(connection, REGISTRY, [watch], call.here.now, paused=False)


def _snooze(connection: Connection, watch: Watch, call: Call) -> None:
    watches.snooze(connection, REGISTRY, [watch], silence(call), call.here.now)
    outbox.call_back(connection, REGISTRY, [watch], call.here.now)


def silence(call: Call) -> Silence:
    """The snooze that was sent. Raises Problem (422) for one without an end, or one that is past."""
    given: shapes.Snoozing = call.sent
    until = moment(given.until, "until") if given.until else None
    if until is None and not given.until_critical:
        raise Problem(422, "Say until when", "until, until_critical, or both.")
    if until is not None and until <= call.here.now:
        raise Problem(422, "until is past")
    return Silence(
        until=until, until_critical=given.until_critical, by=given.by or author(call.here), reason=given.reason
    )


def _ask_first(call: Call) -> Json:
    found = pasted(call.sent.text)
    most = asking_first.IDS_AT_ONCE
    if len(found.ids) > most:
        raise Problem(422, f"The text holds {len(found.ids):,} ids", f"At most {most:,} are looked up at once.")
    here = call.here
    known = asking_first.look_up(here.settings, here.database, found.ids) if found.ids else []
    return {"items": known, "mistyped": found.mistyped, "elsewhere": found.elsewhere}


def _preview(call: Call) -> Json:
    search = _checked(call.sent.search)
    try:
        with asking_first.patient_registry(call.here.settings, call.here.database) as registry:
            found = list(islice(registry.search(search), COUNTED + 1))
            total = len(found) if len(found) <= COUNTED else registry.count(search)
    except RegistryError as error:
        raise Problem(502, "The registry did not answer the search", str(error)) from None
    return {"hits": min(len(found), COUNTED), "is_all": len(found) <= COUNTED, "total": total, "first": found[:10]}


FILTERS = (
    Param(name="group", type=Word | None, words="Only this group; “-” is what is in none."),
    Param(name="state", type=shapes.WatchState | None, words="Only in this state; what is in trouble is in no other."),
    Param(name="words", type=shapes.Name | None, words="Only with all these words in id, title, name or note."),
)
NAME = Param(name="name", type=str, words="The record's id, or the name of the watch.")


def _acting(verb: str, name: str, words: str, do: Any, body: Any) -> Operation:
    return Operation(
        method="POST", path=f"/watches/{{name}}/{verb}", name=name, group=_GROUP, words=words, handler=_rest(do),
        in_path=(NAME,), body=body, answer=shapes.Watch, problems=(404,),
    )  # fmt: skip


OPERATIONS = (
    Operation(
        method="GET", path="/watches", name="listWatches", group=_GROUP, handler=_listing,
        words="What is watched, records by id and then searches by name, and how each stands.",
        params=(*FILTERS, *cursor_params()), answer=page_of(shapes.Watch),
    ),
    Operation(
        method="GET", path="/exports/watches", name="exportWatches", group=_GROUP, handler=_table, params=FILTERS,
        words="The watchlist as CSV, as the page exports it; an import reads it back.", media="text/csv",
    ),
    Operation(
        method="POST", path="/watches", name="addWatches", group=_GROUP, handler=_add, body=shapes.NewWatches,
        words="Watch records, or a saved search. The first look is the baseline: nobody is alerted by it.",
        answer=shapes.Added, problems=(409,),
    ),
    Operation(
        method="POST", path="/imports/watches", name="importWatches", group=_GROUP, handler=_import,
        words="Watch the records whose ids stand in a text, each in its group; nothing where any line has no id.",
        body=shapes.WatchFile, answer=shapes.Imported, body_limit=watch_file.FILE_LIMIT,
    ),
    Operation(
        method="GET", path="/watches/{name}", name="showWatch", group=_GROUP, words="One watch.", handler=_show,
        in_path=(NAME,), answer=shapes.Watch, problems=(404,),
    ),
    Operation(
        method="PATCH", path="/watches/{name}", name="changeWatch", group=_GROUP, words="Change its group or note.",
        handler=_change, in_path=(NAME,), body=shapes.WatchWords, answer=shapes.Watch, problems=(404,),
    ),
    Operation(
        method="DELETE", path="/watches/{name}", name="removeWatch", group=_GROUP, handler=_remove, in_path=(NAME,),
        words="Watch it no more; its history stays.", status=204, problems=(404,),
    ),
    _acting("pause", "pauseWatch", "Do not ask for it until it is resumed.", _pause, shapes.Silencing),
    _acting("resume", "resumeWatch", "End a pause or a snooze.", _resume, None),
    _acting("snooze", "snoozeWatch", "Send nothing about it until then; it is told after.", _snooze, shapes.Snoozing),
    Operation(
        method="POST", path="/previews/watches", name="previewWatches", group=_GROUP, handler=_ask_first,
        words="What is known of the ids in a text, before they are watched; nothing is kept.",
        more="The registry is asked for up to 100 that are not stored, for some seconds: `source` says which were not.",
        body=shapes.Pasted, answer=shapes.SaidFirst, readers_may=True, asks_others=True,
    ),
    Operation(
        method="POST", path="/previews/search", name="previewSearch", group=_GROUP, handler=_preview,
        words="How many records a search finds now; nothing is kept.", body=shapes.Query, answer=shapes.Hits,
        problems=(502,), readers_may=True, asks_others=True,
    ),
)  # fmt: skip
