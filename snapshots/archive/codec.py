"""How a version's bytes are stored: whole, perhaps by a dictionary, or as what differs from an earlier one, by zstd.

The earlier version is given to zstd as a raw prefix, so that whatever both hold costs a few bytes. Which earlier
version that is follows from the place in line: reading any version back takes at most `LONGEST_CHAIN` steps, and
appending the thousandth costs what appending the tenth does.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 9
"""On real records level 19 gave 3 % less for whole ones and 10 % for later ones, at fifteen times the time."""
BEST_LEVEL = 19
"""For what is stored anew at leisure."""
SPAN = 8
WHOLE_EVERY = SPAN**3
"""Each version stands on the one before it; every 8th on the one 8 before, every 64th on the one 64 before, every
512th is whole. A plain line of 21 steps would need a whole one at every 22nd place: for 200 versions of 45 KB that is
three times as much as this. Decoding 45 KB takes 0.04 ms, its SHA-256 another 0.02 ms."""
LONGEST_CHAIN = 3 * (SPAN - 1) + 1


class DecodeError(Exception):
    """Stored bytes cannot be turned back; the message says why."""


def base_position(position: int) -> int | None:
    """The place, counted from 0, of the version that the one at `position` is stored against; None: stored whole."""
    if position % WHOLE_EVERY == 0:
        return None
    step = 1
    while position % (step * SPAN) == 0:
        step *= SPAN
    return position - step


def earlier_bases(position: int) -> Iterator[int]:
    """The places that the version at `position` may be stored against, best first: where one was pruned, the next.

    Each of them is on the way from that version to a whole one; where the whole one was pruned too, the whole ones
    before it, down to the first, which is never pruned.
    """
    while position > 0:
        base = base_position(position)
        position = position - WHOLE_EVERY if base is None else base
        yield position


def later_bases(position: int) -> set[int]:
    """The places up to `position` that a later one may be stored against."""
    return {position // step * step for step in (1, SPAN, SPAN**2)}


def train(samples: Sequence[bytes], size: int) -> bytes:
    """A dictionary of up to `size` bytes of what the samples have in common; b"" where they are too few or too alike
    for one.
    """
    try:
        return zstd.train_dict(samples, size).dict_content
    except (ValueError, zstd.ZstdError):
        return b""


def opened(dictionary: bytes) -> Any:
    """A trained dictionary as `encode` and `decode` take it. Raises DecodeError for what is none."""
    try:
        return zstd.ZstdDict(dictionary)
    except (ValueError, zstd.ZstdError) as error:
        raise DecodeError(f"the dictionary is none: {error}") from error


def encode(raw: bytes, base: bytes | None, dictionary: Any = None, level: int = LEVEL) -> bytes:
    """`raw` in a form that `decode` turns back, given the same `base`, or the same `dictionary` (`opened`)."""
    option = zstd.CompressionParameter
    options: dict[int, int] = {
        option.compression_level: level,
        option.checksum_flag: 1,
        # zstd must be able to look back over both, also where they are many megabytes
        option.window_log: _window_log(raw, base),
        option.enable_long_distance_matching: 1,
    }
    if dictionary is not None:
        # the row tells which dictionary it is
        options[option.dict_id_flag] = 0
    return zstd.compress(raw, options=options, zstd_dict=_prefix(base) or dictionary)


def decode(data: bytes, base: bytes | None, size: int, dictionary: Any = None) -> bytes:
    """The `size` bytes that `encode` was given. Raises DecodeError; never makes more than that many bytes."""
    options: dict[int, int] = {
        zstd.DecompressionParameter.window_log_max: zstd.DecompressionParameter.window_log_max.bounds()[1]
    }
    decoder = zstd.ZstdDecompressor(zstd_dict=_prefix(base) or dictionary, options=options)
    try:
        raw = decoder.decompress(data, max_length=size + 1)
    except (zstd.ZstdError, EOFError) as error:
        raise DecodeError(str(error)) from error
    if len(raw) != size or not decoder.eof or decoder.unused_data:
        raise DecodeError(f"the stored bytes are not those of a version of {size} bytes")
    return raw


def _window_log(raw: bytes, base: bytes | None) -> int:
    low, high = zstd.CompressionParameter.window_log.bounds()
    return min(max((len(raw) + len(base or b"")).bit_length(), low), high)


def _prefix(base: bytes | None) -> Any:
    # a raw dictionary of fewer bytes is refused by zstd, and would spare nothing
    if base is None or len(base) < 8:
        return None
    return zstd.ZstdDict(base, is_raw=True).as_prefix
