"""A feed as JSON Feed 1.1."""

from typing import Any

import msgspec

from monitor.feeds.entries import NOTICE, Entry, Told, as_html, as_text
from snapshots.archive import rfc3339

MEDIA_TYPE = "application/feed+json"
Json = Any


def json_feed(told: Told, address: str) -> bytes:
    """The document; `address` is where it is read."""
    feed: dict[str, Json] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": told.title,
        "description": NOTICE,
        "home_page_url": told.url,
        "feed_url": address,
        "language": "en",
        "authors": [{"name": "ClinicalTrials.gov, compared by trialdelta"}],
        "items": [_item(entry) for entry in told.entries],
    }
    return msgspec.json.encode(feed)


def _item(entry: Entry) -> dict[str, Json]:
    return {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_html": as_html(entry),
        "content_text": as_text(entry),
        "date_published": rfc3339(entry.updated),
        "date_modified": rfc3339(entry.updated),
        "tags": list(entry.tags),
    }
