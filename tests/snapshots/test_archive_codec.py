"""The codec: every byte comes back, in few steps, and nothing is taken for what it is not."""

import contextlib
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshots.archive import codec
from tests.snapshots.archive_cast import large_record, small_change

RAW = json.dumps(large_record()).encode()


@given(raw=st.binary(max_size=2000), base=st.none() | st.binary(max_size=2000))
def test_any_bytes_come_back_exactly(raw: bytes, base: bytes | None) -> None:
    assert codec.decode(codec.encode(raw, base), base, len(raw)) == raw


@given(at=st.integers(0, len(RAW) - 1), put=st.binary(max_size=200), cut=st.integers(0, 2000))
@settings(max_examples=30)
def test_an_edited_record_comes_back_exactly(at: int, put: bytes, cut: int) -> None:
    edited = RAW[:at] + put + RAW[at + cut :]

    assert codec.decode(codec.encode(edited, RAW), RAW, len(edited)) == edited


def test_what_an_earlier_version_holds_costs_next_to_nothing() -> None:
    later = json.dumps(small_change(large_record(), 1)).encode()

    assert len(codec.encode(later, RAW)) < 250 < len(codec.encode(later, None)) / 20


def test_a_record_of_megabytes_is_looked_back_on_over_its_whole_length() -> None:
    large = os.urandom(9_000_000)
    later = large[:100] + b"status" + large[100:]

    assert len(codec.encode(later, large)) < 50_000


def test_another_base_gives_an_error_and_no_bytes() -> None:
    later = json.dumps(small_change(large_record(), 1)).encode()
    other = json.dumps(large_record(seed=2)).encode()

    with pytest.raises(codec.DecodeError):
        codec.decode(codec.encode(later, RAW), other, len(later))


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_taken_for_the_version(at: int, bit: int) -> None:
    raw = b"The quick brown fox, many times over. " * 20
    stored = bytearray(codec.encode(raw, None))
    stored[at % len(stored)] ^= 1 << bit

    with contextlib.suppress(codec.DecodeError):
        assert codec.decode(bytes(stored), None, len(raw)) == raw


@pytest.mark.parametrize("size", [0, 10, 760 - 1, 760 + 1])
def test_no_more_and_no_fewer_bytes_are_made_than_were_stored(size: int) -> None:
    raw = b"The quick brown fox, many times over. " * 20
    assert len(raw) == 760

    with pytest.raises(codec.DecodeError):
        codec.decode(codec.encode(raw, None), None, size)


@pytest.mark.parametrize("data", [b"", b"{}", b"\x28\xb5\x2f\xfd", codec.encode(b"a", None) + b"more"])
def test_what_is_no_stored_version_is_refused(data: bytes) -> None:
    with pytest.raises(codec.DecodeError):
        codec.decode(data, None, 1)


@given(position=st.integers(0, 10_000))
def test_any_place_is_a_few_steps_from_a_whole_one(position: int) -> None:
    steps = 1
    at = codec.base_position(position)
    while at is not None:
        steps += 1
        at = codec.base_position(at)

    assert steps <= codec.LONGEST_CHAIN


@given(position=st.integers(1, 10_000))
def test_a_base_lies_before_and_is_among_those_kept_at_hand(position: int) -> None:
    base = codec.base_position(position)

    assert base is None or (base < position and base in codec.later_bases(position - 1))
