"""The OpenAPI 3.1 document of the API, made from the operations that answer, and nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from monitor import __version__
from monitor.web.api import shapes
from monitor.web.api.operations import PREFIX, Operation, Param, is_optional
from monitor.web.api.problems_said import SAID

Json = Any

ROOMS = (
    "records",
    "parts",
    "relatives",
    "changes",
    "news",
    "watchlist",
    "telling",
    "addresses",
    "deliveries",
    "installation",
    "sweeps",
)
"""The modules that have `OPERATIONS`, in the order of the documentation."""

WORDS = """\
Everything that the page and the commands do, for programs.

- **Who may**: send `Authorization: Bearer TOKEN`. A token that may read is enough to read; what changes anything \
needs one that may write. `trialdelta token add NAME` makes them.
- **Lists** come in pages: `items`, and `next` is the cursor of the following page, null on the last. A cursor is \
opaque: send it back as it is.
- **Times** are RFC 3339 in UTC; the registry's dates keep their precision ("2026-05").
- **Asking again** is cheap: an answer has an `ETag`; send it as `If-None-Match`, and 304 says that nothing changed.
- **Trouble** is told as RFC 9457 (`application/problem+json`): `title` says what is wrong, `detail` what to do.
"""

_SCHEMAS = "#/components/schemas/{name}"


@cache
def operations() -> tuple[Operation, ...]:
    """All operations."""
    return tuple(each for room in ROOMS for each in import_module(f"monitor.web.api.{room}").OPERATIONS)


@cache
def document() -> dict[str, Json]:
    """The document. `servers` is left out: it is read where it is asked."""
    schemas = _Schemas(operations())
    paths: dict[str, dict[str, Json]] = {}
    for operation in operations():
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    groups = dict.fromkeys(operation.group for operation in operations())
    return {
        "openapi": "3.1.0",
        "info": {"title": "trialdelta", "version": __version__, "description": WORDS},
        "security": [{"token": []}],
        "tags": [{"name": group} for group in groups],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The schemas of all types that operations name; each type once."""

    def __init__(self, found: Sequence[Operation]) -> None:
        self._types = list(_types(found))
        made, self.components = msgspec.json.schema_components(self._types, ref_template=_SCHEMAS)
        self._made = list(made)

    def of(self, kind: Any) -> Json:
        """The schema of a type, by reference where it has a name."""
        return self._made[next(at for at, each in enumerate(self._types) if each is kind)]


def _types(found: Iterable[Operation]) -> Iterator[Any]:
    yield shapes.Problem
    for operation in found:
        yield from (param.type for param in (*operation.in_path, *operation.params))
        yield from (kind for kind in (operation.body, operation.answer) if kind is not None)


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Json]:
    said: dict[str, Json] = {
        "operationId": operation.name,
        "tags": [operation.group],
        "summary": operation.words,
        "parameters": [*_parameters(operation, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.more:
        said["description"] = operation.more
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.of(operation.body)}}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _parameters(operation: Operation, schemas: _Schemas) -> Iterator[Json]:
    for param in operation.in_path:
        yield _parameter(param, "path", schemas) | {"required": True}
    for param in operation.params:
        yield _parameter(param, "query", schemas) | ({"required": True} if param.required else {})
    if operation.method == "GET":
        words = "The ETag of the answer that you have."
        yield {"name": "If-None-Match", "in": "header", "description": words, "schema": {"type": "string"}}


def _parameter(param: Param, place: str, schemas: _Schemas) -> dict[str, Json]:
    schema = schemas.of(param.type)
    if is_optional(param.type) and "anyOf" in schema:
        kinds = [each for each in schema["anyOf"] if each != {"type": "null"}]
        schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if isinstance(schema.get("enum"), list):
        schema = {**schema, "enum": [each for each in schema["enum"] if each is not None]}
    if param.default is not None:
        schema = {**schema, "default": param.default}
    return {"name": param.name, "in": place, "description": param.words, "schema": schema}


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Json]:
    found: dict[str, Json] = {str(operation.status): _good(operation, schemas)}
    for status in sorted(_statuses(operation)):
        found[str(status)] = {"description": SAID[status]}
        if status >= 400:
            problem = {"schema": schemas.of(shapes.Problem)}
            found[str(status)]["content"] = {"application/problem+json": problem}
    return found


def _good(operation: Operation, schemas: _Schemas) -> dict[str, Json]:
    if operation.status == 204:
        return {"description": "It is done."}
    schema = schemas.of(operation.answer) if operation.answer is not None else {}
    answer: dict[str, Json] = {"description": "The answer.", "content": {operation.media: {"schema": schema}}}
    if operation.method == "GET" and operation.answer is not None:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return answer


def _statuses(operation: Operation) -> set[int]:
    """Every status but the good one that an operation may answer with."""
    found = {400, 401, 408, 413, 421, 429, 503, *operation.problems}
    if operation.method == "GET" and operation.answer is not None:
        found.add(304)
    if operation.acts:
        found.add(403)
    if operation.body is not None:
        found |= {415, 422}
    return found | ({404} if operation.in_path else set())
