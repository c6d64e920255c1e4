"""What people read: subjects, texts and pages, and that foreign text can do nothing in them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from notifiers.clean_text import clip, one_line, paragraphs
from notifiers.message import Message, Why
from notifiers.rendering import RenderingError, render
from notifiers.wording import SHOWN_LINES, age_words
from snapshots.kinds import KINDS
from tests.notifiers.messages import (
    BEIJING,
    BY_OPENING,
    CRITERIA,
    DELAYED,
    OPENED,
    SEEN,
    alert,
    change,
    digest,
    message,
    news,
    recruiting,
    step,
    time_frame,
)


def text_of(page: str) -> str:
    """What a page says to a reader, one blank between words."""
    parts: list[str] = []

    class Reader(HTMLParser):
        skipped = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.skipped += tag in ("style", "title")

        def handle_endtag(self, tag: str) -> None:
            self.skipped -= tag in ("style", "title")

        def handle_data(self, data: str) -> None:
            if not self.skipped:
                parts.append(data)

    Reader().feed(page)
    return " ".join(" ".join(parts).split())


# --- golden texts -----------------------------------------------------------------------------------------------------


def test_an_alert_about_a_site_reads_so() -> None:
    rendered = render(alert(BEIJING, DELAYED, CRITERIA, by_place=[BEIJING]))

    assert rendered.subject == snapshot(
        "Site recruiting: NCT99000001 Safety and Efficacy of Mesenchymal Stem Cells in Patients… (+2 more)"
    )
    assert rendered.text == snapshot("""\
Beijing Example Hospital, Beijing, China is now recruiting (was: not yet
recruiting)
Site recruiting · critical
Place: Beijing Example Hospital, 102218 Beijing, Beijing Municipality, China
Site contact: Li Example, 555-0123, li@example.org
Came with: Enrollment opened

Safety and Efficacy of Mesenchymal Stem Cells in Patients With Diabetic
Kidney Disease: a Randomised Trial (NCT99000001)
The record changed, first seen in the release of 3 March 2026.
https://clinicaltrials.gov/study/NCT99000001

What else changed
-----------------
* Primary completion is delayed by 459 days (about 15 months), from 30 June
  2027 to 1 October 2028
  Primary completion delayed · major
* Eligibility criteria changed: 1 removed, 1 reworded, 1 added
  Eligibility criteria changed · major
  Inclusion criteria removed:
    - HbA1c below 8.5 %
  Inclusion criterion reworded:
    eGFR [-30-] {+25+} to 60 mL/min at screening
  Exclusion criteria added:
    - Dialysis within the last 3 months

The trial now, as the record says
---------------------------------
Status: recruiting
Ages: 18 to 75 years
Sex: any
Healthy volunteers: no
Study contact: Ann Example, MD, +86 555-0100 ext. 12, ann@example.org

Before you act on it, confirm it with the contact named above.

--
Why you get this: your subscription “beijing-sites” (in China).
To stop it, answer this message: who runs trialdelta for you can end it with
  trialdelta subscription remove beijing-sites
Proof number, for auditors: 3f9c01ab77de
Data: ClinicalTrials.gov, a service of the U.S. National Library of
Medicine. It can have changed since, and a record can be behind the facts.
This is no medical advice.
""")


def test_an_opening_with_its_sites_reads_so() -> None:
    sites = [recruiting(f"Example Hospital {number}", number, BY_OPENING) for number in range(176)]
    frames = [time_frame(number) for number in range(22)]
    told = message(news(step(OPENED, *sites, *frames)))

    rendered = render(told)

    assert rendered.subject == snapshot(
        "Enrollment opened: NCT99000001 Safety and Efficacy of Mesenchymal Stem Cells in Patients… (+198 more)"
    )
    assert rendered.text == snapshot("""\
The study is now recruiting (was: not yet recruiting)
Enrollment opened · critical
And with it: 176 sites are now recruiting

Safety and Efficacy of Mesenchymal Stem Cells in Patients With Diabetic
Kidney Disease: a Randomised Trial (NCT99000001)
The record changed, first seen in the release of 3 March 2026.
https://clinicaltrials.gov/study/NCT99000001

What else changed
-----------------
* 22 outcomes: Primary time frame changed, “59 Months” became “58 Months”
  Primary time frame changed · major
  - Response 0
  - Response 1
  - Response 2
  - Response 3
  - Response 4
  - and 17 more

Before you act on it, confirm it with the study team: the record names no
contact here.

--
Why you get this: your subscription “beijing-sites” (in China).
To stop it, answer this message: who runs trialdelta for you can end it with
  trialdelta subscription remove beijing-sites
Proof number, for auditors: 3f9c01ab77de
Data: ClinicalTrials.gov, a service of the U.S. National Library of
Medicine. It can have changed since, and a record can be behind the facts.
This is no medical advice.
""")


def test_a_digest_reads_so() -> None:
    asthma = {"record": "NCT99000002", "title": "A Study of Example Drug in Adults With Asthma"}
    told = digest(
        news(step(DELAYED, number=8, **asthma)),  # type: ignore[arg-type]
        news(step(OPENED, BEIJING)),
        unchecked=[("NCT99000009", "not fetched: the batch it was in failed")],
    )

    rendered = render(told)

    assert rendered.subject == snapshot("Digest team-weekly: 2 trials of 412 changed, 1 with something critical")
    assert rendered.text == snapshot("""\
team-weekly: 2 trials of 412 changed, 1 with something critical.
24 February 2026, 14:05 UTC to 3 March 2026, 14:05 UTC
411 trials checked, last on 3 March 2026, 14:05 UTC, in the registry's
release of 3 March 2026; 1 not answered.

NCT99000001  Safety and Efficacy of Mesenchymal Stem Cells in Patients With
  Diabetic Kidney Disease: a Randomised Trial
  * Enrollment opened: The study is now recruiting (was: not yet
    recruiting). And with it: Site recruiting (Beijing Example Hospital,
    Beijing, China)
  First seen in the release of 3 March 2026
  https://clinicaltrials.gov/study/NCT99000001

NCT99000002  A Study of Example Drug in Adults With Asthma
  * Primary completion delayed: Primary completion is delayed by 459 days
    (about 15 months), from 30 June 2027 to 1 October 2028
  First seen in the release of 3 March 2026
  https://clinicaltrials.gov/study/NCT99000002

Could not be checked
--------------------
* NCT99000009: not fetched: the batch it was in failed

Before you act on any of this, confirm it with the contact in the trial's
record.

--
Why you get this: your subscription “team-weekly”.
To stop it, answer this message: who runs trialdelta for you can end it with
  trialdelta subscription remove team-weekly
Proof number, for auditors: 3f9c01ab77de
Data: ClinicalTrials.gov, a service of the U.S. National Library of
Medicine. It can have changed since, and a record can be behind the facts.
This is no medical advice.
""")


# --- subjects ---------------------------------------------------------------------------------------------------------


def test_a_subject_begins_with_label_id_and_short_title_and_counts_the_rest() -> None:
    subject = render(alert(BEIJING, DELAYED, CRITERIA)).subject

    assert re.fullmatch(r"Site recruiting: NCT99000001 Safety and Efficacy .{20,60}… \(\+2 more\)", subject)


def test_a_subject_of_one_change_counts_nothing() -> None:
    assert "more)" not in render(alert(BEIJING)).subject


hostile = st.text(max_size=80) | st.sampled_from(
    ["A\r\nBcc: eve@example.org", "\u202eevil\u202c", "a\u2028b", "\x00\x1b[31m", "\ud800", "a\u200bb", "{{ 7*7 }}",
     "{% include 'x' %}", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "]]>", "%s %(x)s {0}"]
)  # fmt: skip


@given(hostile)
def test_no_title_can_break_out_of_a_subject(title: str) -> None:
    of = step(BEIJING, title=title)

    subject = render(message(news(of))).subject

    assert subject.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert not set(subject) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")


@given(hostile)
def test_no_text_of_a_registry_becomes_markup(text: str) -> None:
    told = change("site.recruiting", text, subject={"type": "site", "name": text, "city": text, "country": text})
    of = step(told, change("description.changed", text, before=text * 9, after="x" + text * 9), title=text)

    page = render(message(news(of), subscriptions=(Why(text, text),))).html

    tags = set(re.findall(r"<([a-zA-Z]+)", page))
    assert not tags & {"script", "img", "iframe", "object", "svg", "form", "input", "base", "link"}
    assert not re.search(r"<[^>]*\son\w+=", page)


def test_joiners_that_scripts_need_survive() -> None:
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"


@given(st.text(), st.integers(1, 40))
def test_a_clipped_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(clip(text, limit)) <= limit


def test_paragraphs_keep_their_lines_and_lose_what_is_invisible() -> None:
    assert paragraphs("a \u202e b\r\n\n\n\nc\x07") == "a b\n\nc"


# --- what must stand in every message ---------------------------------------------------------------------------------

EVERY = [
    alert(BEIJING),
    alert(OPENED, subscriptions=(Why("a"), Why("b", "in China"))),
    digest(),
    digest(news(step(DELAYED))),
    message(type="test"),
    message(
        news(step(change("registry.reformatted", "40 records", subject=None), record=None)), type="registry.notice"
    ),
    message(news(step(change("record.matched"), cause="search")), type="search.changed"),
]


@pytest.mark.parametrize("told", EVERY, ids=lambda told: told.type)
def test_text_and_page_say_why_it_came_how_to_stop_it_and_what_it_is_not(told: Message) -> None:
    rendered = render(told)

    for said in (" ".join(rendered.text.split()), text_of(rendered.html)):
        for why in told.subscriptions:
            assert f"Why you get this: your subscription “{why.name}”" in said
        assert f"trialdelta subscription remove {told.subscriptions[0].name}" in said
        assert "Proof number, for auditors: 3f9c01ab77de" in said
        assert "Data: ClinicalTrials.gov" in said
        assert "no medical advice" in said


@pytest.mark.parametrize("told", EVERY, ids=lambda told: told.type)
def test_a_page_needs_nothing_from_anywhere(told: Message) -> None:
    page = render(told).html

    assert not re.search(r"<img|<link|<script|@import|url\(|src=", page)
    assert 'lang="en"' in page
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("told", EVERY, ids=lambda told: told.type)
def test_no_line_of_a_text_is_longer_than_a_screen_but_for_addresses(told: Message) -> None:
    lines = render(told).text.splitlines()

    assert [line for line in lines if len(line) > 76 and "://" not in line] == []


def test_text_and_page_of_an_alert_say_the_same() -> None:
    rendered = render(alert(BEIJING, DELAYED, CRITERIA, by_place=[BEIJING]))

    page = text_of(rendered.html)
    for said in (
        "Beijing Example Hospital, Beijing, China is now recruiting (was: not yet recruiting)",
        "Place: Beijing Example Hospital, 102218 Beijing, Beijing Municipality, China",
        "first seen in the release of 3 March 2026",
        "18 to 75 years",
        "Before you act on it, confirm it with the contact named above.",
        "Dialysis within the last 3 months",
    ):
        assert said in page
        assert said in " ".join(rendered.text.split())
    assert 'href="https://clinicaltrials.gov/study/NCT99000001"' in rendered.html
    assert 'href="tel:555-0123"' not in rendered.html
    assert 'href="tel:5550123"' in rendered.html
    assert 'href="mailto:li@example.org"' in rendered.html


def test_severity_is_said_in_words_not_by_colour_alone() -> None:
    assert "Site recruiting · critical" in text_of(render(alert(BEIJING)).html)


def test_without_any_contact_the_reader_is_sent_to_the_study_team() -> None:
    rendered = render(message(news(step(BEIJING))))

    assert "confirm it with the study team: the record names no contact here" in " ".join(rendered.text.split())


def test_without_a_release_the_day_it_was_seen_is_told() -> None:
    rendered = render(message(news(step(BEIJING, release=None, observed_at=SEEN))))

    assert "The record changed, first seen on 3 March 2026." in rendered.text


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    of = step(BEIJING)
    evil = msgspec.structs.replace(news(of), url="javascript:alert(1)")

    assert "javascript" not in render(message(evil)).html


def test_a_thousand_changes_stay_one_readable_message() -> None:
    told = alert(*(change("results.updated", f"Part {number} " + "long " * 200) for number in range(1000)))

    rendered = render(told)

    assert len(rendered.html) < 100_000
    assert f"and {1000 - SHOWN_LINES} more: trialdelta history NCT99000001" in rendered.text


def test_a_long_text_is_told_by_what_changed_in_it() -> None:
    same = "Participants are followed at several hospitals. " * 60
    told = change("description.changed", "Reworded", before=f"{same} For 12 months.", after=f"{same} For 24 months.")

    rendered = render(alert(told))

    assert "[-12-] {+24+}" in " ".join(rendered.text.split())
    assert re.search(r"<del[^>]*>12</del> ?<ins[^>]*>24</ins>", rendered.html)
    assert len(rendered.text) < 3000


def test_very_long_replaced_texts_are_clipped() -> None:
    told = change("description.changed", "Reworded", before="old " * 50_000, after="new " * 50_000)

    rendered = render(alert(told))

    assert len(rendered.text) < 8_000
    assert "the whole text is in the record" in " ".join(rendered.text.split())


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_can_be_mailed_and_digested(kind: str) -> None:
    told = change(kind, "It changed", before={"a": ["x" * 200]}, after={"b": {"c": 1}})

    assert KINDS[kind].label in render(alert(told)).subject
    assert KINDS[kind].label in render(digest(news(step(told)))).text


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("18 Years", "75 Years", "18 to 75 years"),
        ("6 Months", "2 Years", "6 months to 2 years"),
        ("18 Years", None, "18 years and older"),
        (None, "17 Years", "up to 17 years"),
        (None, None, None),
        ("N/A", None, "n/a and older"),
    ],
)
def test_age_limits_are_said_as_people_say_them(low: str | None, high: str | None, words: str | None) -> None:
    assert age_words(low, high) == words


# --- digests ----------------------------------------------------------------------------------------------------------


def test_a_digest_of_nothing_proves_that_somebody_looked() -> None:
    rendered = render(digest())

    assert rendered.subject == "Digest team-weekly: nothing changed in 412 trials"
    said = " ".join(rendered.text.split())
    assert "412 trials checked, last on 3 March 2026, 14:05 UTC, in the registry's release of 3 March 2026" in said
    assert "of 3 March 2026, all answered." in said
    assert said in " ".join(rendered.text.split())


def test_a_digest_never_counts_a_trial_it_could_not_check_as_unchanged() -> None:
    rendered = render(digest(unchecked=[("NCT99000009", "not fetched")]))

    assert rendered.subject == "Digest team-weekly: nothing changed in 411 trials, 1 could not be checked"
    assert "* NCT99000009: not fetched" in rendered.text


def test_a_digest_without_any_finished_sweep_says_so() -> None:
    told = digest()
    coverage = told.coverage
    assert coverage is not None
    blind = type(coverage)(since=coverage.since, until=coverage.until, watched=3)

    assert "3 trials watched; none could be checked so far" in render(message(type="digest", coverage=blind)).text


def test_a_digest_tells_a_trial_once_with_all_its_steps_most_severe_first() -> None:
    early, late = step(DELAYED, number=8), step(OPENED, number=9, release="2026-03-05T09:00:05")

    text = render(digest(news(early), news(late))).text

    assert text.count("NCT99000001  ") == 1
    assert text.index("Enrollment opened") < text.index("Primary completion delayed")
    assert "5 March 2026" in text
    assert "1 trial of 412 changed, 1 with something critical" in text


# --- templates of the reader's own ------------------------------------------------------------------------------------


def put(folder: Path, name: str, text: str) -> str:
    (folder / "trial.changed").mkdir(exist_ok=True)
    (folder / "trial.changed" / name).write_text(text)
    return str(folder)


def test_a_template_of_ones_own_takes_the_place_of_ours_and_the_rest_stays(tmp_path: Path) -> None:
    folder = put(tmp_path, "subject.txt", "[trials] {{ trial.id }}")

    rendered = render(alert(BEIJING), folder)

    assert rendered.subject == "[trials] NCT99000001"
    assert "Why you get this" in rendered.text


@pytest.mark.parametrize(
    "template",
    [
        "{{ nothing }}", "{% if %}", "{{ 1 / 0 }}", "{{ trial.id.__class__.__mro__ }}", "{{ trial.lines[99].label }}",
        "{{ ''.join(5) }}", "{% include '/etc/passwd' %}", "{{ trial + 1 }}", "{{ trial.nothing }}",
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_filled_is_a_rendering_error_in_one_line(tmp_path: Path, template: str) -> None:
    folder = put(tmp_path, "subject.txt", template)

    with pytest.raises(RenderingError, match=r"the templates of trial.changed cannot be filled: .+") as trouble:
        render(alert(BEIJING), folder)
    assert "\n" not in str(trouble.value)


def test_a_template_of_ones_own_escapes_as_ours_do(tmp_path: Path) -> None:
    folder = put(tmp_path, "body.html", "<p>{{ trial.title }}</p>")

    page = render(message(news(step(BEIJING, title="<b>bold</b>"))), folder).html

    assert "&lt;b&gt;bold" in page
