"""Adding to the watchlist: ids in any form, each shown with what the registry says of it; and whole files."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from monitor import asking_first, spreadsheet, watch_file
from monitor.asking_first import Said
from monitor.lengths import too_long
from monitor.web.doors import Door
from monitor.web.forms import Lines
from monitor.web.pages.watchlist import WORDS
from monitor.web.visit import Visit
from monitor.wiring import REGISTRY
from notifiers import watches
from notifiers.watches import Wish
from snapshots.registries.ctgov.ids import Pasted, pasted
from snapshots.sentences import counted

Json = Any

SHOWN_WRONG = 10


def form(here: Visit) -> Response:
    """An empty form; what the address says (`ids`, `group`) is filled in."""
    said = {"ids": here.query.get("ids", "")[:4000], "group": here.query.get("group", "")[:200]}
    return _form(here, said)


def add(here: Visit) -> Response:
    """Shows what the registry says of the ids, or watches them."""
    said = {name: here.form.text(name) for name in ("ids", "group", "note")}
    found = pasted(said["ids"])
    wrong = too_long(said) | _wrong_ids(found, said["ids"])
    if wrong:
        return _form(here, said, found, wrong=wrong)
    if here.form.text("wish") != "watch":
        return _form(here, said, found, asking_first.look_up(here.settings, here.database, found.ids))
    group, note = said["group"] or None, said["note"] or None
    wishes = [Wish(registry=REGISTRY, record_id=each, group=group, note=note) for each in found.ids]
    return _watched(here, wishes)


def import_form(here: Visit) -> Response:
    """Asks for a file."""
    return _import_form(here)


def import_file(here: Visit) -> Response:
    """Watches what a file names: all of it or nothing."""
    wrong_fields = too_long(here.form.values())
    if wrong_fields:
        return _import_form(here, wrong_fields)
    upload = here.form.file("file")
    if upload is None:
        return _refused(here, "Choose a file first.")
    try:
        lines, wrong = watch_file.lines_of(list(spreadsheet.read(upload.content)))
    except ValueError as error:
        return _refused(here, f"{upload.name}: {error}.")
    if wrong or not lines:
        words = f"{counted(len(wrong), 'line')} cannot be read; nothing was added." if wrong else "It holds no id."
        return _refused(here, f"{upload.name}: {words}", wrong[:SHOWN_WRONG])
    wishes = watch_file.wishes_of(lines, here.form.text("group"))
    return _watched(here, wishes, renew=here.form.flag("renew"))


def _form(
    here: Visit,
    said: Mapping[str, str],
    found: Pasted | None = None,
    known: Sequence[Said] = (),
    *,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    with here.database.read() as connection:
        groups = watches.groups(connection)
    new = [one for one in known if not one.is_watched and one.source != "absent"]
    return here.page(
        "watchlist_add.html",
        422 if wrong else 200,
        said={"note": "", **said},
        found=found,
        known=known,
        new=new,
        wrong=Lines(wrong or {}),
        groups=groups,
        words=WORDS,
    )


def _wrong_ids(found: Pasted, text: str) -> dict[str, str]:
    if len(found.ids) > asking_first.IDS_AT_ONCE:
        return {"ids": f"At most {asking_first.IDS_AT_ONCE:,} ids at once, please."}
    return {} if found.ids else {"ids": _nothing(found, text)}


def _nothing(found: Pasted, text: str) -> str:
    if not text:
        return "Paste some ids first."
    if found.elsewhere and not found.mistyped:
        return "These are ids of other registries; only ClinicalTrials.gov can be watched so far."
    return "There is no complete id in this: NCT and eight digits."


def _watched(here: Visit, wishes: Sequence[Wish], *, renew: bool = False) -> Response:
    with here.database.write() as connection:
        kept = watch_file.keep(connection, wishes, here.now, renew=renew)
    added, changed = len(kept.added), len(kept.changed)
    words = [f"{counted(added, 'trial')} added"] if added else []
    words += [f"{changed} changed"] if changed else []
    same = len(wishes) - added - changed
    words += [f"{same} watched already"] if same else []
    asked = " The registry is asked for what is new within seconds." if added else ""
    return here.redirect("/watchlist", flash=f"{', '.join(words)}.{asked}")


def _refused(here: Visit, error: str, wrong: Sequence[tuple[int, str]] = ()) -> Response:
    return _import_form(here, {"file": error}, wrong)


def _import_form(
    here: Visit, wrong: Mapping[str, str] | None = None, lines: Sequence[tuple[int, str]] = ()
) -> Response:
    return here.page(
        "watchlist_import.html",
        422 if wrong else 200,
        wrong=Lines(wrong or {}),
        lines=lines,
        typed=Lines(here.form.values() if wrong else {}),
        columns=watch_file.COLUMNS,
    )


DOORS = (
    Door("/watchlist/add", access="signed-in", get=form, post=add, asks_others=("POST",)),
    Door("/watchlist/import", access="signed-in", get=import_form, post=import_file, body_limit=watch_file.FILE_LIMIT),
)
