"""What an operation of the API is: declared once, it checks what is asked, answers, and describes itself."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response

from monitor.web.doors import BODY_LIMIT, Door
from monitor.web.numbers import NUMBER
from monitor.web.problems import Problem
from monitor.web.visit import Visit

Json = Any
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PREFIX = "/api/v1"
PAGE = 50
MOST = 500

Limit = Annotated[int, Meta(ge=1, le=MOST)]
Number = Annotated[int, Meta(ge=1, le=NUMBER)]
Word = Annotated[str, Meta(min_length=1, max_length=500)]
Cursor = Annotated[str, Meta(min_length=1, max_length=32_000)]
"""Where a page ended: it may hold the whole name of what stood last there."""


class Param(Struct, frozen=True, kw_only=True):
    """One parameter of an operation: of which type, what it means, and what it is where it is not given."""

    name: str
    type: Any
    words: str
    default: Json = None
    required: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it may come several times."""
        return get_origin(self.type) is list


class Call(Struct, frozen=True):
    """One use of an operation: the request, the parameters by name, and what was sent, each of its declared type."""

    here: Visit
    asked: dict[str, Json]
    sent: Json = None


class Operation(Struct, frozen=True, kw_only=True):
    """One thing that the API does. `path` is below PREFIX; the `{names}` in it are texts of `in_path`.

    `body` is the type of what is sent as JSON, `answer` that of what is answered (None with `status` 204; for another
    `media` than JSON, None too). `problems` are the statuses beyond those that every operation may answer with.
    `readers_may`: it changes nothing that others see, a token that may only read is enough whatever the method.
    `asks_others`: it may wait for the registry or a mail server.
    `body_limit`: how many bytes may be sent.
    """

    method: Method
    path: str
    name: str
    group: str
    words: str
    handler: Callable[[Call], Json]
    more: str = ""
    params: tuple[Param, ...] = ()
    in_path: tuple[Param, ...] = ()
    body: Any = None
    answer: Any = None
    media: str = "application/json"
    status: int = 200
    problems: tuple[int, ...] = ()
    readers_may: bool = False
    asks_others: bool = False
    body_limit: int = BODY_LIMIT

    @property
    def acts(self) -> bool:
        """Whether a token that may write is needed."""
        return self.method != "GET" and not self.readers_may

    def answer_to(self, here: Visit) -> Response:
        """Check what is asked, do it, and answer. Raises Problem."""
        asked = {**_path_values(self.in_path, here), **_query_values(self.params, here)}
        call = Call(here, asked, None if self.body is None else sent(here, self.body))
        found = self.handler(call)
        if isinstance(found, Response):
            return found
        return Response(status_code=204) if self.status == 204 else here.json(found, self.status)


def cursor_params(default: int = PAGE) -> tuple[Param, ...]:
    """The parameters of a list that comes in pages."""
    return (
        Param(name="limit", type=Limit, default=default, words="At most so many entries."),
        Param(name="cursor", type=Cursor, words="Where the page before ended: its `next`."),
    )


def doors_of(operations: Sequence[Operation]) -> tuple[Door, ...]:
    """The doors of operations; those of one path are one door."""

    def path(operation: Operation) -> str:
        return operation.path

    found = []
    for each, grouped in groupby(sorted(operations, key=path), key=path):
        members = list(grouped)
        handlers: dict[str, Any] = {one.method.lower(): one.answer_to for one in members}
        free = any(one.readers_may for one in members)
        waits = tuple(one.method for one in members if one.asks_others)
        limit = max(one.body_limit for one in members)
        found.append(
            Door(
                PREFIX + each,
                access="signed-in",
                kind="api",
                body_limit=limit,
                readers_may_post=free,
                asks_others=waits,
                **handlers,
            )
        )
    # a path that says all of itself is tried before one with a name in the same place
    return tuple(sorted(found, key=lambda door: (door.path.count("{"), door.path)))


# --- what is asked ----------------------------------------------------------------------------------------------------


def sent(here: Visit, kind: Any) -> Json:
    """What was sent as JSON, in the shape of `kind`. Raises Problem (400, 415, 422)."""
    if b"\\u0000" in here.body:
        raise Problem(400, "A text holds the character U+0000", "Leave it out: no database of ours can keep it.")
    try:
        return here.json_body(kind)
    except RecursionError:
        raise Problem(400, "The JSON is nested too deeply") from None


def moment(value: datetime, name: str) -> datetime:
    """A time that was given, in UTC. Raises Problem (422) for one without an offset, or before all time."""
    if value.tzinfo is None:
        raise Problem(422, f"{name} needs an offset", f"Write {value.isoformat()}Z for UTC.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Problem(422, f"{name} is no time that can be meant") from None


def _path_values(params: Iterable[Param], here: Visit) -> dict[str, Json]:
    values = {}
    for param in params:
        try:
            values[param.name] = _one(param, [here.params[param.name]])
        except Problem as problem:
            raise Problem(404, problem.title, problem.detail) from None
    return values


def _query_values(params: Sequence[Param], here: Visit) -> dict[str, Json]:
    given = here.request.query_params
    known = {param.name: param for param in params}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        can = ", ".join(known) or "none"
        raise Problem(400, f"There is no parameter {unknown!r} here", f"The parameters are: {can}.")
    return {name: _value(param, given.getlist(name)) for name, param in known.items()}


def _value(param: Param, texts: list[str]) -> Json:
    if not texts:
        if param.required:
            raise Problem(400, f"The parameter {param.name} is missing", param.words)
        return [] if param.is_list else param.default
    if not param.is_list and len(texts) > 1:
        raise Problem(400, f"The parameter {param.name} is given {len(texts)} times", "Give it once.")
    return _one(param, texts)


def _one(param: Param, texts: list[str]) -> Json:
    if any("\x00" in text for text in texts):
        raise Problem(400, f"{param.name} holds the character U+0000", "Leave it out.")
    try:
        value = msgspec.convert(texts if param.is_list else texts[0], param.type, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, f"The parameter {param.name} cannot be {_shown(texts)}", f"{error}. {param.words}") from None
    return moment_asked(value, param.name) if isinstance(value, datetime) else value


def moment_asked(value: datetime, name: str) -> datetime:
    """As `moment`, of a parameter (400)."""
    try:
        return moment(value, name)
    except Problem as problem:
        raise Problem(400, problem.title, problem.detail) from None


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(repr(text[:60]) for text in texts[:3])


def near_today(value: date | None, today: date) -> date:
    """The day as of which something is counted, today without one. Raises Problem (400) for one centuries off."""
    if value is not None and not 1900 <= value.year <= 2200:
        raise Problem(400, f"{value} is too far from today", "Days of the years 1900 to 2200 can be counted to.")
    return value or today


def is_optional(kind: Any) -> bool:
    """Whether null is one of the values of a type."""
    return type(None) in get_args(kind)
