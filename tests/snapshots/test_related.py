"""Which stored trials are like one: the index follows what is stored, and means the same on both databases."""

from pathlib import Path

from monitor import copying, schema
from snapshots import archive, related
from snapshots.database import Database
from snapshots.registries.ctgov.parse import parse
from snapshots.related.tables import likenesses
from snapshots.related.words import sponsor_words, telling
from snapshots.trial import Intervention, Sponsor, Trial
from tests.monitor.stage import at
from tests.monitor.web.trials import TRIAL, indexed, lived, record
from tests.registries import nct


def like(database: Database, said: related.Wording, most: int = 10) -> list[str]:
    with database.read() as connection:
        return [each.registry_id for each in related.like(connection, "ctgov", TRIAL, said, most)]


def said(**attributes: object) -> related.Wording:
    return related.wording(Trial(registry="ctgov", id=TRIAL, paths={}, **attributes))  # type: ignore[arg-type]


def test_conditions_weigh_more_than_titles_and_these_more_than_the_sponsor(database: Database) -> None:
    others = [
        record(2, title="One", condition="Cough", intervention="A", sponsor="Acme Labs"),
        record(3, title="Fever of a kind", condition="Cough", intervention="B", sponsor="Other"),
        record(4, title="Two", condition="Fever", intervention="C", sponsor="Other"),
        record(5, title="Three", condition="Cough", intervention="D", sponsor="Other"),
        *(record(number, title=f"Plain {number}", condition="Cough", intervention="E") for number in range(6, 20)),
    ]
    lived(database, others)
    indexed(database)

    found = like(database, said(conditions=("Fever",), lead_sponsor=Sponsor(name="Acme Labs")))

    assert found == [nct(4), nct(3), nct(2)]


def test_other_forms_of_a_word_are_the_same_word(database: Database) -> None:
    lived(database, [record(2, condition="Diabetic kidneys", title="One")])
    indexed(database)

    assert like(database, said(conditions=("kidney",))) == [nct(2)]


def test_the_index_follows_a_record_that_changes(database: Database) -> None:
    lived(database, [record(2, condition="Cough")], [record(2, condition="Fever", submitted="2026-03-03")])
    indexed(database)

    assert like(database, said(conditions=("Cough",))) == []
    assert like(database, said(conditions=("Fever",))) == [nct(2)]
    assert related.catch_up(database, "ctgov", parse) == 0


def test_nothing_is_like_anything_before_the_first_record_is_indexed(database: Database) -> None:
    assert like(database, said(conditions=("Fever",))) == []


def test_operators_and_quotes_in_a_record_are_words(database: Database) -> None:
    lived(database, [record(2, condition='Fever " OR NEAR( & | ! <-> *')])
    indexed(database)

    odd = said(conditions=('"Fever" AND NOT (cough* | near) & :A !',), lead_sponsor=Sponsor(name="\"A & B' :* Ltd"))

    assert like(database, odd) == [nct(2)]


def test_a_merged_record_is_not_offered(database: Database) -> None:
    lived(database, [record(2, condition="Fever"), record(3, condition="Fever")])
    indexed(database)
    with database.write() as connection:
        archive.merge(connection, "ctgov", nct(3), nct(2))

    assert like(database, said(conditions=("Fever",))) == [nct(2)]


def test_a_copy_without_its_words_is_indexed_anew(database: Database) -> None:
    lived(database, [record(2, condition="Fever")])
    indexed(database)
    with database.write() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("DROP TABLE likeness_words")
        else:
            connection.execute(likenesses.update().values(words=None))

    indexed(database)

    assert like(database, said(conditions=("Fever",))) == [nct(2)]


def test_words_of_any_trial_tell_nothing() -> None:
    asked = said(
        brief_title="A Randomized Study of the Safety of Zorb in Patients", interventions=(Intervention(name="Zorb"),)
    )

    assert telling(asked) == ("zorb",)
    assert sponsor_words(asked) == ()


def test_the_registrys_answer_is_kept_until_it_is_asked_again(database: Database) -> None:
    listed = (related.Listed(id=nct(9), title="Like it", status="RECRUITING", phases=("PHASE2",)),)
    with database.write() as connection:
        related.want(connection, "ctgov", TRIAL, at("2026-03-02"))
        related.want(connection, "ctgov", TRIAL, at("2026-03-03"))
        assert related.wanted(connection, "ctgov", 5) == [TRIAL]
        related.keep(connection, "ctgov", TRIAL, listed, at("2026-03-04"))
        related.want(connection, "ctgov", TRIAL, at("2026-03-05"))
        related.keep_trouble(connection, "ctgov", TRIAL, "it was away", at("2026-03-06"))

        answer = related.answer_of(connection, "ctgov", TRIAL)

    assert answer is not None
    assert answer.found == listed
    assert answer.reason == "it was away"
    assert not answer.is_wanted


def test_a_copy_finds_what_the_original_found_in_the_same_order(database: Database, tmp_path: Path) -> None:
    """From SQLite to either database, and back to SQLite; before anything was read anew."""
    original = Database(f"sqlite:///{tmp_path / 'original.sqlite3'}")
    others = [
        record(2, title="One", condition="Cough", intervention="A", sponsor="Acme Labs"),
        record(3, title="Fever of a kind", condition="Cough", intervention="B", sponsor="Other"),
        record(4, title="Two", condition="Fever", intervention="C", sponsor="Other"),
        *(record(number, title=f"Plain {number}", condition="Cough", intervention="E") for number in range(6, 20)),
    ]
    schema.ensure_usable(original)
    lived(original, others)
    indexed(original)
    asked = said(conditions=("Fever",), lead_sponsor=Sponsor(name="Acme Labs"))
    there = Database(f"sqlite:///{tmp_path / 'back.sqlite3'}")

    copying.copy(original, database)
    copying.copy(database, there)

    assert like(original, asked) == [nct(4), nct(3), nct(2)]
    assert like(database, asked) == like(original, asked)
    assert like(there, asked) == like(original, asked)
    # and nothing is left to be read anew
    for each in (database, there):
        assert related.catch_up(each, "ctgov", parse) == 0
    original.dispose()
    there.dispose()
