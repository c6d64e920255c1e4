"""What is typed nearly right is understood, or the complaint says what was probably meant."""

from pathlib import Path

import pytest
from click import UsageError

from monitor.cli.meant import near
from monitor.local_zone import local_zone
from tests.monitor.test_hindsight import Run, runner

BEIJING = {"place": "Beijing", "km": 50.0}
POINT = {"place": {"latitude": 39.9, "longitude": 116.4}, "km": 50.0}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command line on an empty database."""
    return runner(tmp_path / "t.db")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((text, BEIJING) for text in ("Beijing,50", "Beijing,50km", "Beijing 50 km", "Beijing, 50 KM")),
        *((text, POINT) for text in ("39.9,116.4,50", "39.9, 116.4, 50 km", "39.9 116.4 50km")),
        ("Springfield, Illinois, 12.5 kilometres", {"place": "Springfield, Illinois", "km": 12.5}),
    ],
)
def test_a_place_and_its_distance_are_read_however_they_are_written(written: str, meant: object) -> None:
    assert near(written) == meant


@pytest.mark.parametrize("written", ["Beijing", "50", "50,", "39.9,50", "Beijing,near", "Beijing,-5", ""])
def test_what_names_no_place_or_no_distance_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="--near is written PLACE,KM"):
        near(written)


def test_an_address_needs_no_scheme_and_ids_may_stand_in_one_word(run: Run) -> None:
    run("watch", "add", "NCT99000001, NCT99000002;NCT99000003", "--group", "tea")
    run("subscription", "add", "mine", "--to", "me@example.org", "--id", "NCT99000001,NCT99000002")
    run("watch", "remove", "NCT99000002,NCT99000003")

    assert "me@example.org" in run("subscription", "list").stdout
    assert [line.split()[0] for line in run("watch", "list").stdout.splitlines()[1:]] == ["NCT99000001"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("subscription", "show", "beijng"), "there is no subscription 'beijng'; did you mean 'beijing'?"),
        (("subscription", "pause", "beijng"), "did you mean 'beijing'?"),
        (("subscription", "backtest", "qqq"), "`trialdelta subscription list` tells their names"),
        (("digest", "preview", "beijng"), "did you mean 'beijing'?"),
        (("digest", "send", "beijng"), "did you mean 'beijing'?"),
        (("watch", "list", "--group", "kidny"), "nothing is watched in a group 'kidny'; did you mean 'kidney'?"),
        (("slips", "--group", "kidny"), "did you mean 'kidney'?"),
        (("watch", "remove", "NCT9900001"), "NCT9900001: not watched; did you mean 'NCT99000001'?"),
        (("show", "NCT99000001,NCT99000002"), "one id is asked for here, not 2"),
    ],
)
def test_a_name_that_is_not_known_gets_the_one_that_was_meant(words: tuple[str, ...], complaint: str, run: Run) -> None:
    run("watch", "add", "NCT99000001", "--group", "kidney")
    run("subscription", "add", "beijing", "--to", "me@example.org")

    assert complaint in run(*words, exits=2).stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--near", "Springfield,50"), "Error: --near: Springfield is the name of several places."),
        (("--near", "Springfield,50"), "\n  --near 'Springfield, Illinois, United States,50'\n"),
        (("--near", "95,1,50"), "--near: 95 is not between"),
        (("--kind", "sites.*"), "--kind: unknown group of kinds 'sites.*'; did you mean 'site.*'?"),
        (("--to", "foo"), "--to: 'foo' is no address"),
        (("--country", "XX"), "--country: 'XX'"),
        (("--digest", "weekly", "--at", "8"), "--at: '8' is no time of day"),
        (("--digest", "weekly", "--timezone", "Berlin"), "--timezone: 'Berlin'"),
        (("--quiet", "9-10"), "--quiet: '9' is no time of day"),
    ],
)
def test_a_complaint_names_the_option(options: tuple[str, ...], complaint: str, run: Run) -> None:
    said = run("subscription", "add", "x", "--to", "me@example.org", *options, exits=2).stderr

    assert complaint in said
    assert "when." not in said


def test_the_zone_of_this_machine_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Kolkata")

    monkeypatch.delenv("TZ", raising=False)
    assert local_zone(link) == "Asia/Kolkata"
    assert local_zone(tmp_path / "nothing") == "UTC"
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert local_zone(link) == "Europe/Berlin"
    monkeypatch.setenv("TZ", "Nowhere/Land")
    assert local_zone(link) == "Asia/Kolkata"


# --- what is not known is told with what is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("histroy",), "No such command 'histroy'; did you mean 'history'?"),
        (("history", "--all", "--kind", "nonsense"), "`trialdelta kinds` names all of them"),
        (("deliveries", "list", "--change", "abc"), "'abc' is not a valid whole number"),
        (("audit", "verify", "no-such.zip"), "there is no file no-such.zip"),
        (("watch", "add", "NCT00000000"), "the registry gives no number that is all zeros"),
        (("diff", "NCT99000001", "a", "b"), "a version's number in the archive is what `trialdelta history` prints"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_was_mistyped_is_told_in_a_line_that_helps(run: Run, words: tuple[str, ...], complaint: str) -> None:
    told = run(*words, exits=2)

    assert complaint in told.stderr
    assert "does not hold together" not in told.stdout
