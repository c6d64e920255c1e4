"""The OpenAPI document as its readers need it: operations by group, each with what it takes and answers, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from monitor.web.api.problems_said import SAID

Json = Any

EVERYWHERE = frozenset({304, 400, 401, 403, 408, 413, 415, 421, 422, 429, 503})
"""What operations answer for reasons that are the same for all of them: the page says it once."""


class Row(Struct, frozen=True):
    """A name, its type in words, whether it must be given, and what it means."""

    name: str
    type: str
    is_required: bool
    words: str


class Shown(Struct, frozen=True, kw_only=True):
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    params: list[Row]
    body: str
    answers: list[tuple[str, str, str]]


class Section(Struct, frozen=True):
    """The operations of one group."""

    name: str
    operations: list[Shown]


class Object(Struct, frozen=True):
    """One type of object and its members."""

    name: str
    words: str
    members: list[Row]


def read(document: Mapping[str, Json]) -> dict[str, Json]:
    """What the page shows of the document."""
    shown = [(words["tags"][0], _shown(path, method, words)) for path, method, words in _all(document)]
    sections = [
        Section(tag["name"], [each for group, each in shown if group == tag["name"]]) for tag in document["tags"]
    ]
    return {
        "info": document["info"],
        "introduction": [_plain(line) for line in document["info"]["description"].splitlines() if line],
        "sections": sections,
        "everywhere": [(status, SAID[status]) for status in sorted(EVERYWHERE)],
        "objects": list(_objects(document["components"]["schemas"])),
    }


def _all(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, words in methods.items():
            yield path, method, words


def _shown(path: str, method: str, words: Mapping[str, Json]) -> Shown:
    params = [
        Row(each["name"], type_words(each["schema"]), each.get("required", False), each["description"])
        for each in words["parameters"]
        if each["in"] != "header"
    ]
    body = words.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return Shown(
        name=words["operationId"],
        method=method.upper(),
        path=path,
        summary=words["summary"],
        description=words.get("description", ""),
        params=params,
        body=type_words(body) if body else "",
        answers=[
            (status, said["description"], _answer(said))
            for status, said in words["responses"].items()
            if int(status) not in EVERYWHERE
        ],
    )


def _answer(said: Mapping[str, Json]) -> str:
    for media, content in said.get("content", {}).items():
        return type_words(content["schema"]) if content["schema"] else str(media)
    return ""


def _objects(schemas: Mapping[str, Json]) -> Iterator[Object]:
    for name, schema in sorted(schemas.items()):
        required = schema.get("required", ())
        members = [
            Row(member, type_words(kind), member in required, kind.get("description", ""))
            for member, kind in schema.get("properties", {}).items()
        ]
        yield Object(name, " ".join(schema.get("description", "").split()), members)


def type_words(schema: Mapping[str, Json]) -> str:
    """A schema in words: "text", "list of Change", "number or null"."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join("null" if each is None else f"“{each}”" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_words(schema.get('items') or {})}"
    return _simple(schema)


def _simple(schema: Mapping[str, Json]) -> str:
    kinds = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    kinds |= {"null": "null", "object": "object"}
    formats = {"date-time": "time", "date": "day"}
    kind = formats.get(schema.get("format", "")) or kinds.get(schema.get("type", ""), "anything")
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{kind}, {low} to {high}" if low is not None and high is not None else kind


def _plain(line: str) -> str:
    return line.removeprefix("- ").replace("**", "")
