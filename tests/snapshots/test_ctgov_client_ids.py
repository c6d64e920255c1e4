"""Which record a person meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshots.registries.ctgov.ids import is_id, normalise, pasted


@pytest.mark.parametrize(
    "text",
    [
        "NCT99000001",
        " nct99000001 ",
        "Nct 99000001",
        "NCT-99000001",
        "NCT: 99000001",
        "ＮＣＴ９９００００００１"[:3] + "９９００００01",
        "\ufeffNCT99000001\u200b",
        "NCT99000001\r\n",
        "https://clinicaltrials.gov/study/NCT99000001",
        "https://clinicaltrials.gov/study/NCT99000001?tab=history&a=2#version",
        "https://www.clinicaltrials.gov/ct2/show/nct99000001",
        "http://beta.clinicaltrials.gov/study/NCT99000001/",
        "clinicaltrials.gov/show/NCT99000001",
        "https://clinicaltrials.gov/api/v2/studies/NCT99000001?fields=NCTId",
        "https://clinicaltrials.gov/study/NCT99000001?term=NCT99000001",
    ],
)
def test_a_persons_spelling_is_read(text: str) -> None:
    assert normalise(text) == "NCT99000001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NCT",
        "NCT9900001",
        "NCT990000011",
        "99000001",
        "NCT00000000",
        "NCTO9000001",
        "NCT99000001 NCT99000002",
        "EUCTR2020-000001-01",
        "https://example.org/study/NCT99000001",
        "https://clinicaltrials.gov.example.org/study/NCT99000001",
        "https://notclinicaltrials.gov/study/NCT99000001",
        "https://clinicaltrials.gov/search?cond=fever",
        "https://clinicaltrials.gov/compare?a=NCT99000001&b=NCT99000002",
        "https://clinicaltrials.gov/study/NCT990000011",
        "http://[clinicaltrials.gov/NCT99000001",
        "NCT٩٩٠٠٠٠٠١",
    ],
)
def test_what_is_no_record_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="not a ClinicalTrials") as refusal:
        normalise(text)

    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    "other",
    ["EUCTR2020-000000-11-DE", "EUCTR2020-000000-11", "JRCT1234", "JRCTS031180001", "ISRCTN12345678", "DRKS00012345",
     "CHICTR2000012345", "CHICTR-IPR-15006234", "UMIN000012345", "JPRN-UMIN000012345", "2022-500000-11-00",
     "CTRI/2020/01/012345", "ACTRN12620000000000", "IRCT20200101012345N1", "KCT0001234", "PACTR202001000000000",
     "SLCTR/2020/001", "TCTR20200101001", "RBR-2ABC3D", "NTR1234", "NL-OMON12345"],
)  # fmt: skip
def test_an_id_of_another_registry_is_told_whole(other: str) -> None:
    found = pasted(f"see {other}, and {other.lower()}; NCT99000001")

    assert found.elsewhere == (other,)
    assert found.ids == ("NCT99000001",)
    assert found.mistyped == ()


@pytest.mark.parametrize("words", ["our kidney trial 2020-11-01", "phone +49 30 2022-500000", "KCT", "an UMIN number"])
def test_what_is_no_id_is_none_of_another_registry(words: str) -> None:
    assert pasted(words).elsewhere == ()


@given(st.text(max_size=40))
def test_any_text_is_an_id_or_a_value_error(text: str) -> None:
    try:
        record = normalise(text)
    except ValueError:
        return
    assert is_id(record)
    assert normalise(record) == record


@given(st.integers(1, 99_999_999), st.booleans(), st.sampled_from(["", " ", "\t", "\u00a0", "\u3000"]))
def test_case_width_and_blanks_do_not_matter(number: int, wide: bool, blank: str) -> None:
    record = f"NCT{number:08d}"
    typed = "".join(chr(ord(letter) + 0xFEE0) for letter in record) if wide else record.lower()

    assert normalise(f"{blank}{typed}{blank}") == record
