"""Mails tell what is read from right to left apart from their own words: in HTML by elements, in plain text not."""

import re

from msgspec.structs import replace

from notifiers.rendering import render
from tests.notifiers.messages import alert, change, digest, news, recruiting, step

ARABIC = "دراسة الحمى (STUDY-42)"
_FROM_THE_RIGHT = re.compile("[\u0590-\u08ff]")
TITLE = change("title.changed", f"Title changed from “Example” to “{ARABIC}”")


def test_an_alert_and_a_digest_keep_it_apart_in_html_alone() -> None:
    site = recruiting("مستشفى")
    told = step(site, TITLE)
    titled = replace(told, title=ARABIC)

    for message in (alert(TITLE, site), digest(news(titled))):
        rendered = render(message)
        outside = re.sub(r"<bdi>.*?</bdi>|<title>.*?</title>", "", rendered.html, flags=re.DOTALL)
        assert f"<bdi>{ARABIC}</bdi>" in rendered.html
        assert _FROM_THE_RIGHT.findall(outside) == []
        assert "bdi" not in rendered.text
        assert not re.search("[\u2066-\u2069\u200e\u200f]", rendered.text + rendered.subject)
