"""A feed as Atom (RFC 4287)."""

import re
from xml.etree import ElementTree as Xml  # it writes here, nothing is read

from monitor.feeds.entries import NOTICE, Entry, Told, as_html
from snapshots.archive import rfc3339

MEDIA_TYPE = "application/atom+xml"
_NS = "http://www.w3.org/2005/Atom"
Xml.register_namespace("", _NS)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold in any form."""


def atom(told: Told, address: str) -> bytes:
    """The document; `address` is where it is read."""
    feed = Xml.Element(f"{{{_NS}}}feed")
    _text(feed, "id", told.id)
    _text(feed, "title", told.title)
    _text(feed, "updated", rfc3339(told.updated))
    _text(feed, "subtitle", NOTICE)
    _text(feed, "generator", "trialdelta")
    _text(_sub(feed, "author"), "name", "ClinicalTrials.gov, compared by trialdelta")
    _sub(feed, "link", rel="self", type=MEDIA_TYPE, href=address)
    _sub(feed, "link", rel="alternate", type="text/html", href=told.url)
    for entry in told.entries:
        _entry(_sub(feed, "entry"), entry)
    written: bytes = Xml.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entry(into: Xml.Element, entry: Entry) -> None:
    _text(into, "id", entry.id)
    _text(into, "title", entry.title)
    _text(into, "updated", rfc3339(entry.updated))
    _text(into, "published", rfc3339(entry.updated))
    _sub(into, "link", rel="alternate", type="text/html", href=entry.url)
    for tag in entry.tags:
        _sub(into, "category", term=tag)
    _text(into, "content", as_html(entry), type="html")


def _sub(into: Xml.Element, name: str, **attributes: str) -> Xml.Element:
    clean = {key: _NO_XML.sub("", value) for key, value in attributes.items()}
    return Xml.SubElement(into, f"{{{_NS}}}{name}", clean)


def _text(into: Xml.Element, name: str, text: str, **attributes: str) -> None:
    _sub(into, name, **attributes).text = _NO_XML.sub("", text)
