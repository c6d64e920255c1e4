"""How figures are told: parts measured at different times stand on one page, and growth is drawn."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.benchmarks import drawing, telling
from tests.benchmarks.measuring import Figure
from tests.benchmarks.telling import Part

SVG = "{http://www.w3.org/2000/svg}"
ON = {"processor": "Example 1, 2 cores", "Python": "3.11.7"}
GROWN = [
    Figure(f"{panel.series} of {size}", 40.0 + size / 10_000, "µs", 20.0, "floor", series=panel.series, at=size)
    for panel in drawing.PANELS
    for size in (1_000, 10_000, 100_000)
]


def part(what: str, day: int, load: float = 0.4) -> Part:
    return Part(
        [Figure(what, 1.5, "ms", 1.0, "a floor", "≤ 2 ×")], ["a note"], datetime(2026, 3, day, 9, tzinfo=UTC), load
    )


def rows(figures: list[Figure]) -> list[dict[str, object]]:
    taken = telling.results_of({"growth": Part(figures, [], datetime(2026, 3, 1, tzinfo=UTC), 0)}, ON)
    found: list[dict[str, object]] = taken["parts"]["growth"]
    return found


def test_a_part_that_is_measured_again_leaves_the_others_as_they_were() -> None:
    first = telling.results_of({"sweeps": part("a sweep", 1), "start": part("a start", 1), "gone": part("x", 1)}, ON)
    second = telling.results_of({"start": part("a start, again", 2, 3.0)}, ON)

    joined = telling.joined(first, second, ["sweeps", "start"])

    assert [row["what"] for rows in joined["parts"].values() for row in rows] == ["a sweep", "a start, again"]
    assert {name: (taken["when"], taken["load"]) for name, taken in joined["taken"].items()} == {
        "sweeps": ("2026-03-01 09:00 UTC", "0.4"),
        "start": ("2026-03-02 09:00 UTC", "3.0"),
    }


def test_the_page_says_of_each_part_when_it_was_taken_and_at_what_load() -> None:
    first = telling.results_of({"sweeps": part("a sweep", 1)}, {**ON, "Python": "3.14.0"})
    second = telling.results_of({"start": part("a start", 2)}, ON)

    page = telling.page(telling.joined(first, second, ["sweeps", "start"]))

    assert "Taken 2026-03-01 09:00 UTC, load before 0.4, Python 3.14.0." in page
    assert "Taken 2026-03-02 09:00 UTC, load before 0.4." in page


def test_results_of_before_parts_had_a_time_are_still_told() -> None:
    old = {
        key: value for key, value in telling.results_of({"sweeps": part("a sweep", 1)}, ON).items() if key != "taken"
    }
    now = telling.results_of({"start": part("a start", 2)}, ON)

    assert "Taken at an earlier time" in telling.page(telling.joined(old, now, ["sweeps", "start"]))


def test_growth_is_drawn_as_well_formed_svg_with_every_figure_in_it_and_in_words() -> None:
    tree = ET.fromstring(drawing.draw(rows(GROWN)))

    texts = [each.text for each in tree.iter(f"{SVG}text")]
    assert [panel.title for panel in drawing.PANELS if panel.title not in texts] == []
    assert len(list(tree.iter(f"{SVG}circle"))) == len(GROWN)
    assert {"1 k", "10 k", "100 k"} <= set(texts)
    assert tree.find(f"{SVG}title") is not None
    assert "Peak memory, MB: 40.1 of 1 k, 41 of 10 k, 50 of 100 k." in (tree.find(f"{SVG}desc").text or "")


def test_a_drawing_can_be_read_on_light_and_on_dark() -> None:
    """Each colour is given twice, and stands out from the ground of either page."""
    light, _, dark = drawing.STYLE.partition("@media (prefers-color-scheme: dark)")

    for half, ground in ((light, "#ffffff"), (dark, "#0d1117")):
        for colour in {word for word in half.replace(";", " ").replace("}", " ").split() if word.startswith("#")}:
            is_grid = colour in ("#d1d9e0", "#3d444d")
            assert contrast(colour, ground) > (1.2 if is_grid else 4.5), (colour, ground)


def contrast(one: str, other: str) -> float:
    """As WCAG reckons it."""
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_everything_drawn_lies_inside_the_picture() -> None:
    huge = [replace(figure, value=figure.value * 1e6, floor=3e9) for figure in GROWN]
    for figures in (GROWN, GROWN[:1], huge, [replace(each, floor=None, value=0.0) for each in GROWN]):
        tree = ET.fromstring(drawing.draw(rows(figures)))
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        for each in (*tree.iter(f"{SVG}text"), *tree.iter(f"{SVG}circle")):
            assert 0 <= float(each.get("x") or each.attrib["cx"]) <= width
            assert 0 <= float(each.get("y") or each.attrib["cy"]) <= height


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="no figure"):
        drawing.draw([])
