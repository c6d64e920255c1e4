"""How the registry's own page sees the past of a record: its versions, their texts as HTML with entities (for the
stand-in).
"""

import re
from collections.abc import Sequence
from typing import Any

Json = Any

_LONG_TEXTS = frozenset({"briefSummary", "detailedDescription", "eligibilityCriteria", "description"})
"""What authors lay out in paragraphs and lists."""
_MARKDOWN_ESCAPE = re.compile(r"\\([!-/:-@\[\]-`{-~])")
_ITEM = re.compile(r"\s*(?:\*|(\d+)\.)\s+(.*)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "/": "&#x2F;"}


def as_past(study: dict[str, Json]) -> dict[str, Json]:
    """A record of API v2 as the history interface tells it: no derived section, no annotations, texts as HTML."""
    kept = {key: value for key, value in study.items() if key not in ("derivedSection", "annotationSection")}
    told: dict[str, Json] = _told(kept, "")
    return told


def listed(studies: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """The list of a record's versions, oldest first."""
    return {"changes": [_line(number, study) for number, study in enumerate(studies)]}


def _line(number: int, study: dict[str, Json]) -> dict[str, Json]:
    status = study.get("protocolSection", {}).get("statusModule", {})
    date = status.get("lastUpdateSubmitDate") or status.get("studyFirstSubmitDate") or "2000-01-01"
    labels = ["Study Status"] if number else []
    return {"version": number, "date": date, "status": status.get("overallStatus"), "moduleLabels": labels}


def _told(value: Json, key: str) -> Json:
    if isinstance(value, dict):
        return {name: _told(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [_told(member, key) for member in value]
    if not isinstance(value, str):
        return value
    return html_of(value) if key in _LONG_TEXTS else escaped(_MARKDOWN_ESCAPE.sub(r"\1", value))


def escaped(text: str) -> str:
    """The text with entities for what HTML reserves, as the registry's page writes them."""
    return "".join(_ENTITIES.get(letter, letter) for letter in text)


def html_of(text: str) -> str:
    """Markdown as HTML: paragraphs, and lists whose items stand on a line each."""
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    return "".join(_block(block.split("\n")) for block in blocks)


def _block(lines: Sequence[str]) -> str:
    pieces: list[str] = []
    open_list = ""
    for line in lines:
        item = _ITEM.fullmatch(line)
        wanted = "" if item is None else "ol" if item[1] else "ul"
        if wanted != open_list:
            pieces += [f"</{open_list}>" * bool(open_list), f"<{wanted}>" * bool(wanted)]
            open_list = wanted
        words = escaped(_MARKDOWN_ESCAPE.sub(r"\1", item[2] if item else line))
        pieces.append(f"<li>{words}</li>" if item else f"<p>{words}</p>")
    return "".join([*pieces, f"</{open_list}>" * bool(open_list)])
