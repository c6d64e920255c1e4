"""Which country an ISO 3166 code means, in a spelling that `snapshots.canonical.country_key` reads."""

from importlib.resources import files

# where the time zone database is too terse, or too British, to be told from another country
_SPELT_OUT = {
    "AG": "Antigua and Barbuda",
    "AS": "American Samoa",
    "BA": "Bosnia and Herzegovina",
    "CD": "Democratic Republic of the Congo",
    "CF": "Central African Republic",
    "CG": "Republic of the Congo",
    "GB": "United Kingdom",
    "KN": "Saint Kitts and Nevis",
    "KP": "North Korea",
    "KR": "South Korea",
    "LC": "Saint Lucia",
    "ST": "Sao Tome and Principe",
    "TL": "Timor-Leste",
    "TT": "Trinidad and Tobago",
    "VC": "Saint Vincent and the Grenadines",
    "VG": "British Virgin Islands",
    "VI": "Virgin Islands (U.S.)",
    "WS": "Samoa",
}


def _names_by_code() -> dict[str, str]:
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows} | _SPELT_OUT


NAMES_BY_CODE = _names_by_code()
"""ISO 3166-1 alpha-2 code → name of the country."""
OTHER_NAMES = (
    *("Former Serbia and Montenegro", "Serbia and Montenegro", "Former Yugoslavia", "Yugoslavia", "Kosovo"),
    *("Netherlands Antilles", "Congo", "Holy See (Vatican City State)"),
)
"""What registries call countries besides: such as are no more, or are in dispute."""
