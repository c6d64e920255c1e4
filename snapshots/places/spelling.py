"""When two spellings of a place's name are the same name: accents, case and punctuation say nothing."""

import unicodedata

# letters that Unicode does not take apart, as they are written where a keyboard lacks them
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ħ": "h", "ŋ": "n"}
)


def place_key(name: str) -> str:
    """The name in lower case, without accents, other signs as single blanks: "Saint-Étienne" → "saint etienne"."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in plain).split())
