"""What a site's name tells: a place or only a placeholder, a site number, and the part of it that is its own."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product

from snapshots.canonical import name_key

_CODE = r"((?:[a-z]{1,4}[-_]?)?\d[\w-]*)"
_NUMBERED = re.compile(
    r"[(/\[]?\s*(?:"
    r"\bid\s*(?:#|:|\bno\b\.?|\bnumber\b)[\s#:]*"
    r"|(?<![\w-])sites?\b(?:[\s(#:.,–-]|\b(?:id|code|no|nr|num|number)\b)*"
    r"|(?<=\binstitution)[\s(#:–-]+"
    rf"){_CODE}\s*[)\]]?"
)
_BARE_CODE = re.compile(r"(?:[A-Z]{1,4}[-_]?)?\d[0-9A-Z]*(?:[-_][0-9A-Z]+)*")
_WORD = re.compile(r"[^\W_]+")
_ABBREVIATION_DOT = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_APOSTROPHE = re.compile(r"['’‘`´]")

_PLACEHOLDERS = frozenset(
    {
        "",
        "clinical research site",
        "clinical site",
        "clinical trial site",
        "local institution",
        "research site",
        "site",
        "trial site",
    }
)
_PLACEHOLDER_ENDS = ("investigational site", "investigative site", "investigator site", "study site")
_PLACEHOLDER_START = "for additional information regarding investigative site"

_GENERIC = frozenset(
    _WORD.findall("""
    hospital hospitals hopital hopitaux hospitalier hospitaliere hospitaliers hospitalar hospitalario hospitalaria
    ospedale ospedali ospedaliera ospedaliero ospedaliere spital szpital sykehus sjukhus sygehus ziekenhuis
    krankenhaus klinik kliniken klinikum klinika klinicka klinicki klinische clinic clinics clinica clinicas clinico
    clinical clinique cliniques nemocnice nemocnica korhaz bolnica hastanesi hastane infirmary
    medical medicine medico medica medicos medicina medicale medecine medisch medizin medizinische medizinisches
    medyczny medyczne tip
    center centers centre centres centro centros centrum zentrum merkezi centar
    university universities universitair universitaire universitario universitaria universitari universitat
    universitats universitaet universitaets universitatsklinikum universitaetsklinikum universitatsmedizin uniklinik
    universite universita universidad universidade uniwersytet uniwersytecki univerzita univerzitni universitesi
    universitatea universiteit univ uni uz umc azm
    chu chru chr ch irccs azienda asst ausl usl asl aou
    institute institutes institution institutions institut instituto instituts instytut istituto ustav enstitusu
    oncology oncologic oncological oncologico oncologica oncologia oncologie onkologie onkologii onkologiczny onkoloji
    hematology haematology cancer cancers cancerology tumor radiotherapy
    allergy asthma cardiology cardiovascular dermatology endocrinology gastroenterology gynecology gynaecology
    immunology infectious diseases disease internal nephrology neurology ophthalmology orthopaedics orthopedics
    pediatric pediatrics paediatric paediatrics psychiatry pulmonary pulmonology rheumatology surgery urology
    children childrens
    allergology allergologie alergologii dermatologie
    research recherche investigacion investigaciones investigation investigations ricerca ricerche pesquisa forschung
    trials trial studies study site
    health healthcare care sante salud saude system systems service services trust nhs
    school college faculty facultad faculdade faculte fakultesi department dept division unit
    foundation fondation fondazione fundacion fundacao
    practice practices private associates associated specialists group partners
    general national regional state provincial prefectural county municipal district public city central council
    affiliated people peoples veterans memorial campus branch multiprofile dispensary polyclinic poliklinik policlinico
    fakultni fakultna complejo kantonsspital
    """)
)
_LEGAL = frozenset(
    _WORD.findall("""
    inc incorporated llc llp lp ltd limited corp corporation co company pc pa pllc plc sa sas sarl srl spa sl slu
    gmbh ggmbh mbh ag kg ev bv nv vzw asbl ab as aps oy oyj kft zrt sro doo spzoo spzoz spzo pty ltda eirl cv epe ep
    """)
)
_DROPPED = _GENERIC | _LEGAL
_QUALIFYING = frozenset(_WORD.findall("first second third fourth fifth new old north south east west saint st"))
"""Words that tell one "Affiliated Hospital" from another but, alone, name nothing."""
_LINKING = re.compile(
    r"(?<![\w-])(?:the|of|and|at|in|for|an?|del?|dell[aeo]|de[igs]|di|d[aou]s?|l[aoe]s?|el|il|van|von|de[rmn]|und|f[uü]r|et|[eiyw]|zu|im)"
    r"(?![\w-])"
)
"""Words that link others; in a compound ("E-Da") they are a part of the name."""


@lru_cache(maxsize=1 << 14)
def site_number(facility: str | None) -> str | None:
    """The number by which the sponsor knows a site, where its name holds it: "Site 0087" and "(site #87)" are "87",
    "Clinic /ID# 12345" is "12345", the bare code "USA02-0" is "usa020".
    """
    name = _plain(facility)
    if _BARE_CODE.fullmatch(name):
        return _bare_number(name)
    found = _NUMBERED.search(name.casefold())
    return _bare_number(found[1]) if found else None


def _bare_number(code: str) -> str:
    key = name_key(code)
    return key.lstrip("0") or key


@lru_cache(maxsize=1 << 14)
def is_placeholder(facility: str | None) -> bool:
    """Whether a name names no place: none at all, "Research Site", "Local Institution - 0062", "… Investigational
    Site", or nothing but a site code.
    """
    name = _plain(facility)
    if _BARE_CODE.fullmatch(name):
        return True
    return any(_names_no_place(" ".join(_words(rest))) for rest in _without_number(name.casefold()))


def _names_no_place(words: str) -> bool:
    return words in _PLACEHOLDERS or words.endswith(_PLACEHOLDER_ENDS) or words.startswith(_PLACEHOLDER_START)


@lru_cache(maxsize=1 << 14)
def own_name(facility: str | None, city: str | None) -> str:
    """What is left of a facility's name, as letters and digits, without its site number, the city's name, legal forms
    and generic words; "" where nothing is.
    """
    _, name = _without_number(_plain(facility).casefold())
    words = _words(_LINKING.sub(" ", name))
    city_words = _words(_LINKING.sub(" ", _plain(city).casefold()))
    for dropped in (city_words, [word for word in city_words if word not in _GENERIC]):
        words = _without_run(words, dropped)
    kept = [word for word in words if _unaccented(word) not in _DROPPED]
    return "" if _QUALIFYING.issuperset(kept) else name_key("".join(kept))


def holds_its_city(facility: str | None, city: str | None) -> bool:
    """Whether the city's name is a part of the facility's: "Mercy Clinic Eastham" in Eastham is one branch of many."""
    city_words = _words(_plain(city).casefold())
    words = _words(_plain(facility).casefold())
    return bool(city_words) and len(_without_run(words, city_words)) < len(words)


def _plain(name: str | None) -> str:
    return " ".join(_APOSTROPHE.sub("", unicodedata.normalize("NFKC", name or "")).split())


def _without_number(name: str) -> tuple[str, str]:
    """The name without its site number, once with the word "site" where it stood before the number, once without."""
    found = _NUMBERED.search(name)
    if not found:
        return name, name
    before, after = name[: found.start()], name[found.end() :]
    return f"{before} {'site' if 'site' in found[0] else ''} {after}", f"{before} {after}"


def _words(name: str) -> list[str]:
    return _WORD.findall(_ABBREVIATION_DOT.sub("", name))


def _without_run(words: list[str], run: list[str]) -> list[str]:
    """The words without every place where `run` stands in them, word by word."""
    kept: list[str] = []
    position = 0
    while position < len(words):
        if run and words[position : position + len(run)] == run:
            position += len(run)
        else:
            kept.append(words[position])
            position += 1
    return kept


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))


# --- which names are contained in which -------------------------------------------------------------------------------

_SHORTEST = 3
"""A shorter name ("St", "UZ") is contained in so many others that it tells nothing."""


def containing_pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of indexes of two different names of which one stands in the other, letter by letter."""
    old_names, new_names = _by_name(old), _by_name(new)
    contained = list(_standing_in(old_names, new_names))
    contained += [(old_name, new_name) for new_name, old_name in _standing_in(new_names, old_names)]
    for old_name, new_name in contained:
        yield from product(old_names[old_name], new_names[new_name])


def _by_name(names: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        found[name].append(index)
    return found


def _standing_in(shorter: Iterable[str], longer: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(shorter name, longer name), compared only where the longer has the rarest three letters of the shorter."""
    holding: dict[str, list[str]] = defaultdict(list)
    for name in longer:
        for three in _threes(name):
            holding[three].append(name)
    for name in shorter:
        rarest = min((holding.get(three, []) for three in _threes(name)), key=len, default=[])
        for other in rarest:
            if len(name) < len(other) and name in other:
                yield name, other


def _threes(name: str) -> set[str]:
    return {name[start : start + _SHORTEST] for start in range(len(name) - _SHORTEST + 1)}
