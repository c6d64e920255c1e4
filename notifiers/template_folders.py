"""Folders of templates that readers made: whether they can be used, how they look, and ours as a beginning."""

import shutil
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from sqlalchemy import Connection, select

from notifiers import subscriptions
from notifiers.apart import Job, lay_out_apart, plain
from notifiers.conditions import InvalidValue
from notifiers.examples import TYPES, example
from notifiers.layout import PARTS, LayoutError, Rendered, lay_out
from notifiers.tables import deliveries, delivery_subscriptions
from notifiers.wording import view


def check(folder: str) -> tuple[str, ...]:
    """The types of message that `folder` lays out, each tried on an example. Raises InvalidValue: one line that names
    the file and the line in it where there is one.
    """
    if not Path(folder).is_absolute():
        raise InvalidValue("templates", f"{folder!r} needs its whole path: the daemon may run in another folder")
    types = _types(Path(folder))
    _laid_out(folder, types)
    return types


def preview(kind: str, folder: str | None = None) -> Rendered:
    """How an example of that type looks, by ours or by the templates of `folder`. Raises InvalidValue."""
    if folder is None:
        return lay_out(kind, view(example(kind)))
    return _laid_out(str(Path(folder).resolve()), [kind])[0]


def copy(folder: str) -> list[str]:
    """Write our templates into `folder`, new or empty, to begin with; what was written. Raises InvalidValue."""
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidValue("", f"{folder} is there already and is not empty")
    try:
        with as_file(files("notifiers") / "templates") as ours:
            shutil.copytree(ours, target, dirs_exist_ok=True)
    except OSError as error:
        raise InvalidValue("", f"{folder} cannot be written: {error.strerror}") from error
    return sorted(str(path.relative_to(target)) for path in target.rglob("*.*") if path.is_file())


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """The subscriptions whose templates cannot be used (now): name, and what is wrong."""
    for stored in subscriptions.listing(connection):
        folder = stored.subscription.templates
        if folder is None:
            continue
        try:
            check(folder)
        except InvalidValue as error:
            yield stored.subscription.name, str(error)


IN_OURS = "in our templates: "
"""With these words an answer in the ledger begins to say why templates could not be used; ours took their place."""


def unused(connection: Connection) -> Iterator[tuple[str, str]]:
    """The subscriptions whose last message that arrived went out in our templates: name, and what is wrong."""
    asked = delivery_subscriptions
    for stored in subscriptions.listing(connection):
        if stored.subscription.templates is None:
            continue
        last = (
            select(deliveries.c.last_answer)
            .join(asked, asked.c.delivery_id == deliveries.c.id)
            .where(asked.c.subscription_id == stored.id, deliveries.c.state == "delivered")
            .order_by(deliveries.c.number.desc())
            .limit(1)
        )
        _, _, why = str(connection.execute(last).scalar() or "").partition(f"({IN_OURS}")
        if why:
            yield stored.subscription.name, why.removesuffix(")")


def _types(folder: Path) -> tuple[str, ...]:
    """The types that have a folder here. Raises InvalidValue for names that nothing would ever read."""
    if not folder.is_dir():
        raise InvalidValue("templates", f"{folder}: there is no such folder")
    own = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_")))
    for entry in own:
        if entry.name not in TYPES:
            raise InvalidValue("templates", f"{entry}: there is no such type of message ({', '.join(TYPES)})")
        _check_names(entry)
    if not own and not any(folder.glob("_*")):
        raise InvalidValue("templates", f"{folder}: holds no templates; begin with: trialdelta templates copy {folder}")
    found = tuple(entry.name for entry in own)
    return TYPES if any(folder.glob("_*")) else found


def _check_names(entry: Path) -> None:
    for file in sorted(entry.iterdir()):
        if file.name not in PARTS and not file.name.startswith((".", "_")):
            raise InvalidValue("templates", f"{file}: is read by nobody; templates are {', '.join(PARTS)}")


def _laid_out(folder: str, types: Sequence[str]) -> list[Rendered]:
    try:
        return lay_out_apart([Job(kind, plain(view(example(kind)))) for kind in types], folder)
    except LayoutError as error:
        raise InvalidValue("templates", str(error)) from error
