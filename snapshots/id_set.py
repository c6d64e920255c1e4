"""Which of very many records? Ids by the hundred thousand, in about a bit each."""

from collections.abc import Callable, Iterable, Iterator

_DIGITS = "0123456789"
_MOST_DIGITS = 9
_BLOCK_BITS = 15
_BLOCK = 1 << _BLOCK_BITS
_IN_BLOCK = _BLOCK - 1
"""Numbers that stand in one piece of memory, which is there once one of them is."""

Series = tuple[str, int]


class IdSet:
    """A set of ids. Those that are letters and up to nine digits ("NCT01234567") take a bit in the block of their
    numbers, all others a place in an ordinary set.
    """

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._series: dict[Series, dict[int, bytearray]] = {}
        self._others: set[str] = set()
        self._count = 0
        self.update(ids)

    def add(self, record_id: str) -> bool:
        """Put it in; whether it was not there."""
        prefix = record_id.rstrip(_DIGITS)
        width = len(record_id) - len(prefix)
        if not 0 < width <= _MOST_DIGITS:
            return self._add_other(record_id)
        blocks = self._series.get((prefix, width))
        if blocks is None:
            blocks = self._series[prefix, width] = {}
        number = int(record_id[-width:])
        block = blocks.get(number // _BLOCK)
        if block is None:
            block = blocks[number // _BLOCK] = bytearray(_BLOCK // 8)
        at, bit = (number % _BLOCK) >> 3, 1 << (number & 7)
        if block[at] & bit:
            return False
        block[at] |= bit
        self._count += 1
        return True

    def _add_other(self, record_id: str) -> bool:
        is_new = record_id not in self._others
        self._others.add(record_id)
        self._count += is_new
        return is_new

    def update(self, ids: Iterable[str]) -> None:
        """Put all of these in."""
        blocks: dict[int, bytearray] = {}
        prefix, width, length = "", 0, -1
        for each in ids:
            digits = each[-width:]
            # of the same series as the one before it, as nearly all are: what is known of that is not looked for again
            if len(each) == length and each.startswith(prefix) and digits.isascii() and digits.isdigit():
                number = int(digits)
                block = blocks.get(number >> _BLOCK_BITS)
                if block is not None:
                    at, bit = (number & _IN_BLOCK) >> 3, 1 << (number & 7)
                    self._count += not block[at] & bit
                    block[at] |= bit
                    continue
            self.add(each)
            prefix = each.rstrip(_DIGITS)
            width = len(each) - len(prefix)
            blocks, length = self._series.get((prefix, width), {}), len(each)

    def __contains__(self, record_id: str) -> bool:
        prefix = record_id.rstrip(_DIGITS)
        width = len(record_id) - len(prefix)
        if not 0 < width <= _MOST_DIGITS:
            return record_id in self._others
        blocks = self._series.get((prefix, width))
        number = int(record_id[-width:])
        block = blocks.get(number // _BLOCK) if blocks else None
        return block is not None and bool(block[(number % _BLOCK) >> 3] & 1 << (number & 7))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        """In order of prefix and number, then those of another form in their order."""
        for (prefix, width), blocks in sorted(self._series.items()):
            for start in sorted(blocks):
                yield from (f"{prefix}{start * _BLOCK + each:0{width}d}" for each in _bits(blocks[start]))
        yield from sorted(self._others)

    def __sub__(self, other: "IdSet") -> "IdSet":
        return self._combined(other, lambda mine, yours: mine & ~yours, self._others - other._others)

    def __and__(self, other: "IdSet") -> "IdSet":
        return self._combined(other, lambda mine, yours: mine & yours, self._others & other._others)

    def _combined(self, other: "IdSet", operation: Callable[[int, int], int], others: set[str]) -> "IdSet":
        made = IdSet()
        for series, blocks in self._series.items():
            theirs = other._series.get(series, {})
            for number, block in blocks.items():
                bits = operation(_integer(block), _integer(theirs.get(number, b"")))
                if bits:
                    made._series.setdefault(series, {})[number] = bytearray(bits.to_bytes(_BLOCK // 8, "little"))
                    made._count += bits.bit_count()
        made._others = others
        made._count += len(others)
        return made


def in_portions(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """These ids, so many at once."""
    portion: list[str] = []
    for each in ids:
        portion.append(each)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion


def _integer(block: bytes | bytearray) -> int:
    return int.from_bytes(block, "little")


def _bits(block: bytearray) -> Iterator[int]:
    for at, byte in enumerate(block):
        if byte:
            yield from (at * 8 + bit for bit in range(8) if byte & 1 << bit)
