"""What commands print: nothing that anybody wrote steers the terminal, and long answers leave piece by piece."""

import json
import re
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import trialdelta
from monitor.cli.output import print_csv, print_json, print_json_list
from monitor.cli.streams import harmless
from notifiers import subscriptions, watches
from notifiers.watches import Wish
from snapshots.database import Database
from tests.monitor.courses import NOW, RECORD, said, store

HOSTILE = "Rest\x1b]0;owned\x07\x1b[2J\x9b1A\u202eemoc\u2066\r\x1b[8m \x1b[31mred"
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[[0-9;]*m)"
)


@pytest.fixture
def environ(sqlite_database: Database) -> dict[str, str]:
    """A database in which every text that a person or the registry gives wants to steer the terminal."""
    from snapshots import archive
    from tests.monitor.courses import append, seen

    hostile = said("RECRUITING", "2026-08-01", primary=[HOSTILE], secondary=[HOSTILE + "2"])
    hostile["protocolSection"]["identificationModule"]["briefTitle"] = HOSTILE
    told = {"name": HOSTILE, "to": "mailto:alice@example.org"}
    with sqlite_database.write() as connection:
        store(connection)
        append(connection, seen(hostile, "2026-08-03"))
        watches.add(connection, Wish(registry="ctgov", record_id=RECORD, group=HOSTILE, note=HOSTILE), NOW)
        subscriptions.save(connection, msgspec.structs.replace(subscriptions.from_table({**told, "name": "x"}),
                                                               name=HOSTILE), NOW)  # fmt: skip
        assert archive.find_record(connection, "ctgov", RECORD)
    return {"TRIALDELTA_DATABASE_URL": sqlite_database.url, "TERM": "xterm"}


COMMANDS = [
    ("watch", "list"),
    ("subscription", "list"),
    ("subscription", "show", HOSTILE),
    ("deliveries", "list"),
    ("show", RECORD),
    ("show", RECORD, "--as-of", "2026-08-04"),
    ("diff", RECORD),
    ("history", RECORD),
    ("timeline", RECORD),
    ("slips", RECORD),
    ("outcomes", RECORD),
    ("compliance", RECORD),
    ("timeline", "--group", HOSTILE),
    ("timeline", "--group", f"{HOSTILE}!"),
    ("show", HOSTILE),
    ("export",),
    ("digest", "preview", HOSTILE),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:16])
@pytest.mark.parametrize("color", [True, False])
def test_no_text_of_anybody_steers_the_terminal(environ: dict[str, str], words: tuple[str, ...], color: bool) -> None:
    told = CliRunner(env=environ).invoke(trialdelta, list(words), color=color)

    assert told.output
    assert "Traceback" not in told.output
    assert not STEERING.search(told.output)
    assert "\x1b[8m" not in told.output


def test_what_a_program_reads_is_exact(environ: dict[str, str]) -> None:
    told = CliRunner(env=environ).invoke(trialdelta, ["watch", "list", "--format", "json"])

    assert json.loads(told.stdout)[0]["note"] == HOSTILE


@given(st.text())
def test_harmless_text_is_left_as_it_is_and_nothing_is_made_harmful(text: str) -> None:
    once = harmless(text)

    assert not STEERING.search(once)
    assert harmless("".join(letter for letter in text if letter.isalnum() or letter in " \n\t")) == "".join(
        letter for letter in text if letter.isalnum() or letter in " \n\t"
    )


def test_our_own_colours_stay() -> None:
    styled = click.style("Site recruiting", fg="green", bold=True) + click.style("dim", dim=True)

    assert harmless(styled) == styled


# --- piece by piece --------------------------------------------------------------------------------------------------


@given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text() | st.just([])), max_size=4))
def test_a_list_is_printed_as_if_it_were_printed_at_once(values: list[Any]) -> None:
    def printed(how: Any) -> bytes:
        command = click.Command("x", callback=lambda: how(values) and None)
        return CliRunner().invoke(command).stdout_bytes

    assert printed(lambda found: print_json_list(iter(found))) == printed(print_json)


def test_rows_leave_before_all_of_them_are_there(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    printed: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(2_000):
            if number == 1_500:
                printed.append(len(capfdbinary.readouterr().out))
            yield {"id": number}

    print_csv(["id"], rows())

    assert printed[0] > 1_000
    assert printed[0] + len(capfdbinary.readouterr().out) == len("id\n") + sum(len(f"{n}\n") for n in range(2_000))
