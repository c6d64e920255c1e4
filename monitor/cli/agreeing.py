"""Whether wishes to watch something agree with what is watched already."""

from typing import Any


def check_names(wishes: list[Any], known: list[Any]) -> None:
    """Raises Failure for a new name that cannot be meant."""
    from monitor.cli.program import Failure
    from notifiers import names
    from notifiers.conditions import InvalidValue

    taken = {each.name for each in known}
    try:
        for wish in wishes:
            names.check_watch(wish, taken)
    except InvalidValue as error:
        raise Failure(f"--{error}") from error


def notes(wishes: list[Any], known: list[Any]) -> list[str]:
    """What of the wishes is not done because it is watched already, otherwise. Raises Failure where both cannot be."""
    by_name = {each.name: each for each in known if each.name}
    by_id = {each.record_id: each for each in known if each.record_id}
    found = (_agrees(wish, by_name.get(wish.name), by_id.get(wish.record_id)) for wish in wishes)
    return [note for note in found if note]


def _agrees(wish: Any, named: Any, watched: Any) -> str | None:
    """The same of one: what has its name, and what watches its record."""
    from monitor.cli.program import Failure

    if named is not None and (named.record_id != wish.record_id or (named.search is None) != (wish.search is None)):
        raise Failure(f"{wish.name!r} is the name of {named.called} already")
    if named is not None and named.search != wish.search:
        asks = ", ".join(f"{key}={value}" for key, value in named.search.items()) or "every record"
        raise Failure(
            f"search {wish.name!r} asks for {asks} already; `trialdelta export` and `trialdelta apply` change it"
        )
    same = named or watched
    return _stays(wish, same) if same is not None else None


def _stays(wish: Any, watch: Any) -> str | None:
    kept = [
        f"{word} {f'{before!r}' if before else 'none'}, not {after!r}"
        for word, before, after in (
            ("in group", watch.group, wish.group),
            ("with the name", watch.name, wish.name),
            ("with the note", watch.note, wish.note),
        )
        if after and after != before
    ]
    change = "`trialdelta export` and `trialdelta apply` change it"
    return f"{wish.called} stays {'; '.join(kept)}; {change}" if kept else None
