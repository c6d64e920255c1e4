"""Who is who in lists without ids: `match` with passes; sites, contacts and officials have theirs here."""

from snapshots.matching.engine import ByKey, ByLikeness, Matched, Pass, match
from snapshots.matching.people import contact_key, contacts_key, match_contacts, match_officials, rest_key
from snapshots.matching.site_names import is_placeholder, site_number
from snapshots.matching.sites import match_sites, site_key

__all__ = [
    "ByKey",
    "ByLikeness",
    "Matched",
    "Pass",
    "contact_key",
    "contacts_key",
    "is_placeholder",
    "match",
    "match_contacts",
    "match_officials",
    "match_sites",
    "rest_key",
    "site_key",
    "site_number",
]
