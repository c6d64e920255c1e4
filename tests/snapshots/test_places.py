"""Which place a name means: by the gazetteer, by other spellings, and what is offered where it is not clear."""

from pathlib import Path
from time import perf_counter

import pytest

from snapshots import places
from snapshots.places import City, UnclearPlace, build, city_point, find_place
from snapshots.places.gazetteer import Gazetteer


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Beijing", "Beijing, China"),
        ("Peking", "Beijing, China"),
        ("  beijing ", "Beijing, China"),
        ("Munich", "Munich, Bavaria, Germany"),
        ("München", "Munich, Bavaria, Germany"),
        ("Muenchen, DE", "Munich, Bavaria, Germany"),
        ("Bombay", "Mumbai, Maharashtra, India"),
        ("Goettingen", "Göttingen, Lower Saxony, Germany"),
        ("Saint-Etienne", "Saint-Étienne, Auvergne-Rhône-Alpes, France"),
        ("Lodz", "Łódź, Łódź Voivodeship, Poland"),
        ("Springfield, Illinois", "Springfield, Illinois, United States"),
        ("Springfield, IL", "Springfield, Illinois, United States"),
        ("Springfield, Illinois, United States", "Springfield, Illinois, United States"),
        ("Cambridge, MA", "Cambridge, Massachusetts, United States"),
        ("Cambridge, GBR", "Cambridge, England, United Kingdom"),
        ("London, Canada", "London, Ontario, Canada"),
        # far larger than any other of the name
        ("London", "London, England, United Kingdom"),
        ("Boston", "Boston, Massachusetts, United States"),
    ],
)
def test_a_name_means_a_place(text: str, label: str) -> None:
    found = find_place(text)

    assert found.label == label
    assert find_place(label) == found


@pytest.mark.parametrize(
    ("text", "said", "candidate"),
    [
        ("Springfield", "Springfield: which one? 'Springfield, ", "Springfield, Illinois, United States"),
        ("Cambridge", "Cambridge: which one? 'Cambridge, England", "Cambridge, Ontario, Canada"),
        ("Beijng", "Beijng: no place of that name is known", "Beijing, China"),
        ("Beijing, France", "Beijing, France: no such place; Beijing is there as 'Beijing, China'", "Beijing, China"),
    ],
)
def test_what_is_not_known_or_not_clear_offers_candidates(text: str, said: str, candidate: str) -> None:
    with pytest.raises(UnclearPlace) as refused:
        find_place(text)

    assert str(refused.value).startswith(said)
    assert candidate in refused.value.candidates


def test_nothing_is_no_place() -> None:
    with pytest.raises(UnclearPlace, match="no place of that name"):
        find_place(" , ")


def test_further_cities_are_asked_where_the_gazetteer_knows_none() -> None:
    hamlet = City("Exampleton", "", "", "Belgium", "", "", 50.9, 4.2, 0)

    assert find_place("exampleton, Belgium", lambda name: [hamlet, hamlet]) == hamlet
    assert find_place("Beijing", lambda name: [hamlet]).country == "China"


def test_a_city_of_a_record_is_found_by_city_state_and_country() -> None:
    assert city_point("Springfield", "Illinois", "United States") == (39.802, -89.644)
    assert city_point("Beijing", "Beijing Municipality", "China") == (39.908, 116.397)
    assert city_point("Springfield", None, "United States") is None
    assert city_point("Beijing", None, "France") is None
    assert city_point(None, None, "France") is None


def test_the_gazetteer_is_small_and_quick_and_says_where_it_is_from() -> None:
    file = Path(places.__file__).with_name("gazetteer.xz")

    began = perf_counter()
    read = Gazetteer(file.read_bytes())
    read.named("Beijing")
    took = perf_counter() - began

    assert file.stat().st_size < 1_000_000
    assert len(read) > 30_000
    assert "GeoNames" in read.attribution
    assert "CC BY 4.0" in read.attribution
    assert took < 1.0  # 0.08 s where nothing else runs


def test_the_gazetteer_is_built_from_the_lists_of_geonames(tmp_path: Path) -> None:
    cities, countries, regions = (tmp_path / name for name in ("cities.txt", "countries.txt", "regions.txt"))
    row = ["1", "Exemplêbourg", "Exemplebourg", "Examplebury,ЭКЗ", "50.12345", "4.5", "P", "PPL", "BE", "", "VLG"]
    cities.write_text("\t".join([*row, "", "", "", "123456", "", "", "Europe/Brussels", ""]) + "\n", encoding="utf-8")
    countries.write_text("#ISO\nBE\tBEL\t056\tBE\tBelgium\n", encoding="utf-8")
    regions.write_text("BE.VLG\tFlanders\tFlanders\t1\n", encoding="utf-8")

    made = Gazetteer(build.condense(cities, countries, regions))

    for name in ("Exemplêbourg", "exemplebourg", "Examplebury"):
        assert [city.label for city in made.named(name)] == ["Exemplêbourg, Flanders, Belgium"]
    city = made.named("Exemplebourg")[0]
    assert (city.latitude, city.longitude, city.population) == (50.123, 4.5, 120_000)
    assert made.named("Elsewhere") == []


def test_distances_are_those_of_the_earth() -> None:
    assert places.distance_km(52.52, 13.405, 48.137, 11.575) == pytest.approx(504, abs=2)
