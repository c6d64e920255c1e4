"""An audit file outlives the installation that wrote it: whole, checkable by anybody, harmless to whoever opens it."""

import hashlib
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from monitor import audit
from monitor.audit import AuditError, Exported, address_hash, export, verify
from monitor.audit.container import Writer
from monitor.demo.standin import StandIn
from notifiers import ledger, outbox, subscriptions
from notifiers.acknowledgements import acknowledge
from notifiers.outbox import Delivered, Failed
from snapshots import archive
from snapshots.archive import StepFacts
from snapshots.archive.tables import versions
from snapshots.database import Database
from tests.monitor.stage import DAYS, NOT_YET, RECRUITING, Stage, copied, lived_in_file, trial
from tests.notifiers.cast import send_next
from tests.registries import nct
from tests.snapshots.archive_cast import change, fill_in

ONE, TWO = nct(1), nct(2)
NOW = datetime(2026, 3, 7, tzinfo=UTC)
KEY = bytes(range(16))
MAIL = "mailto:alice@example.org"
HOSTILE = "</title></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202e <a href=javascript:x>"


def record(day: str, **said: Any) -> dict[str, Any]:
    """Alice's trial as of a day, with hostile words wherever the registry takes any."""
    made = trial(ONE, NOT_YET if day == DAYS[0] else RECRUITING, day, title=f"A Trial of Tea {HOSTILE}")
    protocol = made["protocolSection"]
    month = 6 + DAYS.index(day)
    protocol["statusModule"]["primaryCompletionDateStruct"] = {"date": f"2026-{month:02d}", "type": "ESTIMATED"}
    protocol["descriptionModule"] = {"briefSummary": f"{HOSTILE} Tea is given for {month} weeks to all who like it."}
    protocol["eligibilityModule"] = {"eligibilityCriteria": f"Inclusion Criteria:\n\n* Over {month} years {HOSTILE}"}
    return made


def tell_a_story(stage: Stage) -> None:
    """Three versions of each of two trials in turn, one mail delivered after an attempt that failed."""
    stage.watch(ONE, TWO)
    stage.subscribe(subscriptions.from_table({"name": "everything", "to": [MAIL], "watches": "all"}))
    for number, day in enumerate(DAYS[:3]):
        stage.day(day, record(day), trial(TWO, submitted=day, title=f"Bob's Trial {min(number, 1)}"))
    send_next(
        stage.database, Failed(answer="450 <alice@example.org> try later, see https://mx.example.org/x"), stage.now
    )


told_once = lived_in_file(tell_a_story)


@pytest.fixture
def stage(told_once: Path, tmp_path_factory: pytest.TempPathFactory, standin: StandIn) -> Iterator[Stage]:
    for database in copied(told_once, tmp_path_factory.mktemp("stage")):
        yield Stage(database, standin)


@pytest.fixture
def stage_on_both(database: Database, standin: StandIn) -> Stage:
    """The same, once on SQLite and once on PostgreSQL."""
    told = Stage(database, standin)
    tell_a_story(told)
    return told


@pytest.fixture(scope="module")
def exported(told_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bytes, Exported]]:
    """An audit file and what was said of it, made once: what follows only alters copies of it."""
    folder = tmp_path_factory.mktemp("audit")
    for database in copied(told_once, folder):
        done = export(database, ("ctgov", ONE), folder / "a.zip", now=NOW, key=KEY)
        yield (folder / "a.zip").read_bytes(), done


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., list[str]]:
    """The problems of a file with these bytes."""

    def check(content: bytes, head: str | None = None) -> list[str]:
        (tmp_path / "file.zip").write_bytes(content)
        return list(verify(tmp_path / "file.zip", head).problems)

    return check


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    """The members in a container that is itself without fault."""
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in parts.items():
        writer.add(name, content)
    writer.close()
    return file.getvalue()


def sealed(parts: dict[str, bytes]) -> dict[str, bytes]:
    """The members with a manifest and seal made anew, as a forger would."""
    manifest = json.loads(parts["manifest.json"])
    for name in manifest["members"]:
        manifest["members"][name] = {"sha256": hashlib.sha256(parts[name]).hexdigest(), "size": len(parts[name])}
    written = json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n"
    seal = f"{hashlib.sha256(written).hexdigest()}  manifest.json\n".encode()
    return {**parts, "manifest.json": written, "manifest.sha256": seal}


def rows(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_an_export_holds_every_version_byte_for_byte_and_any_zip_program_opens_it(
    stage_on_both: Stage, tmp_path: Path
) -> None:
    export(stage_on_both.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    found = members((tmp_path / "a.zip").read_bytes())
    with stage_on_both.database.read() as connection:
        kept = {
            f"versions/{each.number:06d}.json": archive.read_version(connection, each.number)
            for each in archive.versions(connection, "ctgov", ONE)
        }
    assert {name: raw for name, raw in found.items() if name.startswith("versions/")} == kept
    assert len(kept) == 3
    assert verify(tmp_path / "a.zip").problems == ()


def test_changes_and_deliveries_are_those_of_this_record_alone(stage_on_both: Stage, tmp_path: Path) -> None:
    export(stage_on_both.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    found = members((tmp_path / "a.zip").read_bytes())
    changes, told = rows(found["changes.jsonl"]), rows(found["deliveries.jsonl"])
    assert {change["record"]["id"] for change in changes} == {ONE}
    assert "site.recruiting" in {change["kind"] for change in changes}
    assert {each for one in told for each in one["changes"]} <= {change["id"] for change in changes}
    assert [one["attempts"][0]["outcome"] for one in told if one["attempts"]] == ["retry"]
    assert TWO.encode() not in b"".join(found.values())
    assert b"Bob" not in b"".join(found.values())


def test_the_same_archive_gives_the_same_bytes_at_the_same_time(stage: Stage, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        export(stage.database, ("ctgov", ONE), tmp_path / name, now=NOW, key=KEY)

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_addresses_are_hashes_that_only_the_key_resolves(exported: tuple[bytes, Exported]) -> None:
    content, _ = exported
    told = rows(members(content)["deliveries.jsonl"])

    assert {one["to"] for one in told} == {address_hash(KEY, MAIL)}
    assert b"alice" not in content
    assert b"mx.example.org" not in content
    assert KEY.hex().encode() not in content


def test_addresses_stand_in_the_clear_where_that_is_asked_for(stage: Stage, tmp_path: Path) -> None:
    done = export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=None)

    found = members((tmp_path / "a.zip").read_bytes())
    assert {one["to"] for one in rows(found["deliveries.jsonl"])} == {MAIL}
    assert done.manifest.addresses == "plain"
    assert verify(tmp_path / "a.zip").problems == ()


def test_what_was_told_and_then_superseded_is_there_too(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        last = archive.steps(connection, "ctgov", ONE)[-1]
        facts = archive.StepFacts(
            registry="ctgov", registry_id=ONE, from_version=last.from_version, to_version=last.to_version,
            release=last.release, observed_at=last.observed_at,
        )  # fmt: skip
        archive.record_step(connection, facts, [last.changes[0].change], supersedes=last.id)
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    changes = rows(members((tmp_path / "a.zip").read_bytes())["changes.jsonl"])
    assert {change["id"] for change in changes if change["superseded_by"]} == {stored.id for stored in last.changes}
    assert verify(tmp_path / "a.zip").problems == ()


def test_a_record_that_another_was_merged_into_brings_the_versions_of_both(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        archive.merge(connection, "ctgov", TWO, ONE)
    done = export(stage.database, ("ctgov", TWO), tmp_path / "a.zip", now=NOW, key=KEY)

    assert (done.manifest.record.id, done.manifest.record.former_ids) == (ONE, (TWO,))
    assert done.manifest.counts.versions == 6
    assert verify(tmp_path / "a.zip", done.head).problems == ()


def test_a_version_that_could_not_be_had_is_stated(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        gap = archive.Gap(
            registry="ctgov", registry_id=ONE, registry_version=4, registry_date="2025-03-01",
            reason="the registry answers <404>", is_final=True, noted_at=NOW,
        )  # fmt: skip
        archive.note_gap(connection, gap)
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    found = members((tmp_path / "a.zip").read_bytes())
    assert [row["registry_version"] for row in rows(found["gaps.jsonl"])] == [4]
    assert "its version 4 of 2025-03-01: the registry answers &lt;404&gt;" in found["report.html"].decode()
    assert verify(tmp_path / "a.zip").problems == ()


def test_a_file_that_is_there_is_not_written_over_and_a_failure_leaves_none(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(AuditError, match="exists already"):
        export(stage.database, ("ctgov", ONE), tmp_path / "mine.zip", now=NOW, key=KEY)
    with pytest.raises(AuditError, match="nothing is stored of NCT99000404"):
        export(stage.database, ("ctgov", "NCT99000404"), tmp_path / "other.zip", now=NOW, key=KEY)
    with stage.database.write() as connection:
        connection.execute(update(versions).where(versions.c.number == 1).values(data=b"nothing"))
    with pytest.raises(archive.Corrupt, match="version 1 cannot be read"):
        export(stage.database, ("ctgov", ONE), tmp_path / "third.zip", now=NOW, key=KEY)

    assert (tmp_path / "mine.zip").read_text() == "mine"
    assert {file.name for file in tmp_path.iterdir() if "zip" in file.name} == {"mine.zip"}


# --- the head --------------------------------------------------------------------------------------------------------


def test_the_head_that_a_message_carried_proves_the_versions_up_to_then(stage_on_both: Stage, tmp_path: Path) -> None:
    with stage_on_both.database.read() as connection:
        second = archive.version_info(connection, 3).chain_hash.hex()[:12]
        newest = archive.chain_head(connection).short
    export(stage_on_both.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    early, late = verify(tmp_path / "a.zip", second), verify(tmp_path / "a.zip", newest.upper())
    assert (early.problems, early.head_at, early.proven, early.versions) == ((), 3, 2, 3)
    assert (late.problems, late.proven) == ((), 3)


def test_a_head_of_another_archive_is_said_not_to_fit(exported: tuple[bytes, Exported], tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(exported[0])

    assert "the head 0123456789ab is none that the chain had" in verify(tmp_path / "a.zip", "0123456789ab").problems[0]
    with pytest.raises(audit.WrongHead, match="12 hex digits"):
        verify(tmp_path / "a.zip", "no head")


def test_a_record_first_seen_later_begins_where_the_chain_stood(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        fill_in(connection, "old", "2020-01-01")
        told_of_bob = archive.version_info(connection, 2).chain_hash.hex()[:12]
    export(stage.database, ("ctgov", TWO), tmp_path / "b.zip", now=NOW, key=KEY)

    verdict = verify(tmp_path / "b.zip", told_of_bob)
    assert (verdict.problems, verdict.head_at, verdict.proven) == ((), 2, 1)
    assert ONE.encode() not in (tmp_path / "b.zip").read_bytes()


# --- altered ---------------------------------------------------------------------------------------------------------

PARTS = ("report.html", "versions.jsonl", "changes.jsonl", "deliveries.jsonl", "chain.txt", "versions/000001.json",
         "manifest.json", "manifest.sha256")  # fmt: skip


def test_any_altered_byte_of_the_file_is_caught(
    exported: tuple[bytes, Exported], checked: Callable[..., list[str]]
) -> None:
    content, _ = exported
    chance = random.Random(1)
    for at in chance.sample(range(len(content)), 150):
        altered = bytearray(content)
        altered[at] ^= 1 << chance.randrange(8)

        assert checked(bytes(altered)), f"byte {at}"


@pytest.mark.parametrize("name", PARTS)
def test_an_altered_byte_is_caught_in_a_container_made_anew(
    exported: tuple[bytes, Exported], checked: Callable[..., list[str]], name: str
) -> None:
    parts = members(exported[0])
    chance = random.Random(name)
    for at in chance.sample(range(len(parts[name])), min(40, len(parts[name]))):
        altered = bytearray(parts[name])
        altered[at] ^= 1 << chance.randrange(8)
        found = checked(packed({**parts, name: bytes(altered)}))

        assert any(name in problem for problem in found), f"byte {at} of {name}: {found}"


@pytest.mark.parametrize("name", ["versions.jsonl", "chain.txt", "versions/000001.json"])
def test_an_altered_version_is_caught_even_where_the_manifest_was_made_anew(
    exported: tuple[bytes, Exported], checked: Callable[..., list[str]], name: str
) -> None:
    """What the chain binds is more than the manifest says: a forger has to write another head."""
    parts = members(exported[0])
    chance = random.Random(name)
    for at in chance.sample(range(len(parts[name])), 40):
        altered = bytearray(parts[name])
        altered[at] ^= 1 << chance.randrange(8)

        assert checked(packed(sealed({**parts, name: bytes(altered)}))), f"byte {at} of {name}"


def test_a_forger_who_writes_the_chain_anew_is_caught_by_a_head_from_elsewhere(
    stage: Stage, tmp_path: Path, checked: Callable[..., list[str]], sqlite_files: Any
) -> None:
    with stage.database.read() as connection:
        told = archive.chain_head(connection).short
    (tmp_path / "forged").mkdir()
    forged = Database(sqlite_files.url(tmp_path / "forged", tables=True))
    with StandIn() as standin:
        other = Stage(forged, standin)
        other.watch(ONE)
        other.day(DAYS[0], trial(ONE, RECRUITING, DAYS[0], title="Another history"))
    export(forged, ("ctgov", ONE), tmp_path / "f.zip", now=NOW, key=KEY)
    forged.dispose()

    assert checked((tmp_path / "f.zip").read_bytes()) == []
    assert checked((tmp_path / "f.zip").read_bytes(), told)


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda parts: parts.pop("versions/000003.json"), "versions/000003.json is listed"),
        (lambda parts: parts.update({"versions/000009.json": b"{}"}), "not listed in manifest.json"),
        (lambda parts: parts.pop("manifest.json"), "manifest.json is missing"),
        (lambda parts: parts.pop("manifest.sha256"), "manifest.sha256 is missing"),
        (lambda parts: parts.update({"changes.jsonl": b""}), "changes.jsonl: has 0 lines"),
        (lambda parts: parts.update({"changes.jsonl": b"[1]\n" * 3}), "changes.jsonl, line 1: cannot be read"),
        (lambda parts: parts.update({"changes.jsonl": b"[" * 10**5 + b"\n"}), "changes.jsonl, line 1: cannot be read"),
        (lambda parts: parts.update({"changes.jsonl": b'{"id":' + b"9" * 10**6 + b"}\n"}), "line 1: cannot be read"),
        (lambda parts: parts.update({"changes.jsonl": b'{"id":1}'}), "its last line does not end"),
        (lambda parts: parts.update({"versions.jsonl": b"\xff\n"}), "versions.jsonl, line 1: cannot be read"),
        (lambda parts: parts.update({"chain.txt": b"1 zz\n"}), "chain.txt, line 1: append 1 is missing"),
        (lambda parts: parts.update({"deliveries.jsonl": b'{"id":"dlv_1","to":"a@example.org","changes":[404]}\n'}),
         "change 404, which was told, is not in the file"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_exactly(
    exported: tuple[bytes, Exported],
    checked: Callable[..., list[str]],
    alter: Callable[[dict[str, bytes]], Any],
    said: str,
) -> None:
    parts = members(exported[0])
    alter(parts)

    assert any(said in problem for problem in checked(packed(parts)))


@pytest.mark.parametrize(
    "altered",
    [
        {"observed_at": "0001-01-01T00:00:00+23:59"},
        {"observed_at": "yesterday"},
        {"content_hash": "no hash"},
        {"number": 10**30},
        {"number": -1},
        {"registry_version": 2**63},
        {"raw_sha256": "é"},
    ],
    ids=str,
)
def test_facts_of_a_version_that_are_none_are_problems_and_no_crash(
    exported: tuple[bytes, Exported], checked: Callable[..., list[str]], altered: dict[str, Any]
) -> None:
    parts = members(exported[0])
    first, *others = rows(parts["versions.jsonl"])
    lines = [json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in ({**first, **altered}, *others)]

    assert checked(packed(sealed({**parts, "versions.jsonl": b"".join(lines)})))


# --- hostile ---------------------------------------------------------------------------------------------------------


def zipped(parts: dict[str, bytes], **how: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **how) as archive_file:
        for name, content in parts.items():
            archive_file.writestr(name, content)
    return file.getvalue()


def linked() -> bytes:
    """A member that is a symbolic link to a file outside."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive_file:
        link = zipfile.ZipInfo("manifest.json")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive_file.writestr(link, "/etc/passwd")
    return file.getvalue()


def claiming(size: int) -> bytes:
    """A member's head that claims so many bytes, and none."""
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0x21, 0, size, size, 13, 0) + b"manifest.json"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x03\x04",
        b"PK\x05\x06" + bytes(18),
        b"no zip at all" * 100,
        claiming(0xFFFFFFF0),
        claiming(0) * 3,
        zipped({"manifest.json": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED),
        zipped({"../../etc/passwd": b"x"}),
        zipped({"/etc/passwd": b"x"}),
        zipped({"versions\\..\\x.json": b"x"}),
        zipped({"é" * 300: b"x"}),
        zipped({"manifest.json": b"{}"}) + b"trailing",
        b"leading" + zipped({"manifest.json": b"{}"}),
        packed({"manifest.json": b"[" * 200_000, "manifest.sha256": b""}),
        packed({"manifest.json": b'{"format":"trialdelta-audit-9"}', "manifest.sha256": b""}),
        packed({"manifest.json": b"\xff\xfe", "manifest.sha256": b"\x00" * 2000}),
        packed({"manifest.json": b'{"counts":{"versions":' + b"9" * 1_000_000 + b"}}", "manifest.sha256": b""}),
        packed({"manifest.json": b'{"counts":{"versions":1e999999999}}', "manifest.sha256": b""}),
        linked(),
        packed({f"versions/{number:06d}.json": b"" for number in range(20_000)}),
    ],
    ids=range(21),
)
def test_hostile_files_are_problems_and_do_no_harm(
    content: bytes, checked: Callable[..., list[str]], tmp_path: Path
) -> None:
    before = {file for file in tmp_path.rglob("*") if file.name != "file.zip"}

    assert checked(content)
    assert {file for file in tmp_path.rglob("*") if file.name != "file.zip"} == before


def test_a_file_cut_off_anywhere_is_a_problem(
    exported: tuple[bytes, Exported], checked: Callable[..., list[str]]
) -> None:
    content, _ = exported
    for size in random.Random(2).sample(range(len(content)), 40):
        assert checked(content[:size]), f"{size} bytes"


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "no such file" in verify(tmp_path / "nothing.zip").problems[0]
    assert "no such file" in verify(tmp_path).problems[0]


# --- the report ------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_texts_are_text_in_the_report_and_nothing_else(exported: tuple[bytes, Exported]) -> None:
    page = members(exported[0])["report.html"].decode()
    found = Tags(page)

    assert found.tags.isdisjoint({"script", "img", "iframe", "object", "form", "link", "base"})
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "src"]
    assert {value for name, value in found.attributes if name == "href" and not (value or "").startswith("#")} == {
        f"https://clinicaltrials.gov/study/{ONE}"
    }
    assert "<script>alert(1)</script>" in found.text
    assert "{{7*7}}" in found.text
    assert "\u202e" not in page
    assert "default-src 'none'" in page


def test_the_report_tells_timeline_moves_changes_and_who_was_told(exported: tuple[bytes, Exported]) -> None:
    page = members(exported[0])["report.html"].decode()

    assert "first stored delay, +30 days" in page
    assert "Primary completion delayed" in page
    assert "Site recruiting" in page
    assert "<del>6 </del>" in page
    assert "<ins>7 </ins>" in page
    assert address_hash(KEY, MAIL)[:16] in page
    assert exported[1].manifest.chain.head.hash in page


def test_a_version_that_cannot_be_parsed_is_in_the_file_and_the_report_says_so(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        fill_in(connection, b"no JSON", "2020-01-01", registry_id=ONE)
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    assert b"cannot be read" in members((tmp_path / "a.zip").read_bytes())["report.html"]
    assert verify(tmp_path / "a.zip").problems == ()


# --- from a mail back to the versions --------------------------------------------------------------------------------


def test_a_mails_id_leads_to_its_delivery(stage: Stage) -> None:
    with stage.database.read() as connection:
        entry = ledger.of_record(connection, "ctgov", ONE)[0]
        for said in (entry.delivery_id, f"<{entry.delivery_id}@example.org>", f"Message-ID: <{entry.delivery_id}@x>"):
            assert ledger.show(connection, ledger.delivery_id(said)) == entry
        step = outbox.load(connection, entry.delivery_id, NOW).steps[0].step
    assert (step.from_version, step.to_version) == (1, 3)
    assert ledger.delivery_id(" nothing ") == "nothing"


def test_who_acknowledged_a_delivery_stands_in_the_ledger_the_file_and_the_report(stage: Stage, tmp_path: Path) -> None:
    with stage.database.write() as connection:
        entry = ledger.of_record(connection, "ctgov", ONE)[0]
        acknowledge(connection, entry.delivery_id, "alice@example.org", NOW)
        seen = ledger.of_record(connection, "ctgov", ONE)[0].acknowledged
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    kept = members((tmp_path / "a.zip").read_bytes())
    told = rows(kept["deliveries.jsonl"])[0]
    assert seen is not None
    assert (seen.at, seen.by) == (NOW, "alice@example.org")
    assert (told["acknowledged_at"], told["acknowledged_by"]) == ("2026-03-07T00:00:00.000000Z", "[address]")
    assert b"marked as seen by [address], 2026-03-07 00:00 UTC" in kept["report.html"]
    assert verify(tmp_path / "a.zip").problems == ()


def test_a_change_that_was_filled_in_stands_in_the_report_at_its_own_day(stage: Stage, tmp_path: Path) -> None:
    raw = json.dumps({"studyVersion": 0, "study": record(DAYS[0])}).encode()
    with stage.database.write() as connection:
        first, second = (fill_in(connection, raw + b" " * at, f"2021-0{at}-05", at, registry_id=ONE) for at in (1, 2))
        facts = StepFacts(
            registry="ctgov",
            registry_id=ONE,
            from_version=first,
            to_version=second,
            observed_at=NOW,
            cause="back-filled",
        )
        archive.record_step(connection, facts, [change("title.changed")])
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    page = members((tmp_path / "a.zip").read_bytes())["report.html"].decode()
    assert "5 February 2021: version 1 to version 2 of 5" in page
    for place, number in ((1, first), (2, second)):
        assert re.search(rf">{place} of 5</span><br><span[^>]*>archive no. {number}<", page)


def test_every_delivered_answer_is_kept(stage: Stage, tmp_path: Path) -> None:
    while send_next(stage.database, Delivered("250 2.0.0 queued"), NOW) != "nothing":
        pass
    export(stage.database, ("ctgov", ONE), tmp_path / "a.zip", now=NOW, key=KEY)

    told = rows(members((tmp_path / "a.zip").read_bytes())["deliveries.jsonl"])
    assert {(one["state"], one["answer"]) for one in told} == {("delivered", "250 2.0.0 queued")}
