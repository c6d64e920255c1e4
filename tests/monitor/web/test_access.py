"""Nobody comes in without a right to, at any door, by any verb; the doors that ask nobody are few and named."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from monitor.access import sessions, tokens
from monitor.web.attempts import Attempts
from monitor.web.doors import Door, doors
from snapshots.database import Database
from tests.databases import SqliteFiles
from tests.monitor.web.browsing import OWN_TOKEN, SiteUnderTest, csrf, serving

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OPEN_PATHS = {"/signin", "/signin/once/{code}", "/assets/{name}", "/healthz", "/readyz"}
"""Whoever adds an open door says so here, too."""

READING = ("GET", "HEAD")
WRONG = "tdt_" + "w" * 43


@pytest.fixture(scope="module")
def shared(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """One site for all questions of this module that change nothing."""
    database = Database(sqlite_files.url(tmp_path_factory.mktemp("shared"), tables=True))
    with serving(database) as running:
        yield running
    database.dispose()


@pytest.fixture(scope="module")
def reading_token(shared: SiteUnderTest) -> str:
    return shared.token("reader")


def filled(door: Door) -> str:
    """The door's path with something in place of its parameters."""
    return re.sub(r"\{[^}]+\}", "nothing", door.path)


def asked(verb: str, door: Door) -> bool:
    return ("GET" if verb == "HEAD" else verb) in door.handlers


PAIRS = [(door, verb) for door in doors() for verb in VERBS]
GUARDED = [(door, verb) for door, verb in PAIRS if door.access == "signed-in" and asked(verb, door)]
LINKS = [(door, verb) for door, verb in PAIRS if door.access == "link" and asked(verb, door)]

Wrong = list[tuple[str, str, int]]
"""Doors, verbs and the status that should not have been answered: a test wants none of them."""


def leads_to_sign_in(door: Door, verb: str, answer: httpx2.Response) -> bool:
    to = answer.headers.get("location", "")
    return door.kind == "page" and verb in READING and answer.status_code == 303 and to.startswith("/signin")


def test_the_open_doors_are_these_and_no_others() -> None:
    assert {door.path for door in doors() if door.access == "open"} == OPEN_PATHS


def test_no_path_has_two_doors() -> None:
    paths = [door.path for door in doors()]

    assert len(paths) == len(set(paths))


def test_a_verb_that_a_door_does_not_have_is_405_and_says_which_it_has(shared: SiteUnderTest) -> None:
    wrong: Wrong = []
    client = shared.client(OWN_TOKEN)
    for door, verb in PAIRS:
        if not asked(verb, door):
            answer = client.request(verb, filled(door))
            allowed = set(answer.headers.get("allow", "").split(", ")) - {"HEAD"}
            if answer.status_code != 405 or allowed != set(door.handlers):
                wrong.append((verb, door.path, answer.status_code))

    assert wrong == []


def test_without_a_token_there_is_nothing_but_the_way_to_sign_in(shared: SiteUnderTest) -> None:
    wrong: Wrong = []
    client = shared.client()
    for door, verb in GUARDED:
        answer = client.request(verb, filled(door))
        if answer.status_code != 401 and not leads_to_sign_in(door, verb, answer):
            wrong.append((verb, door.path, answer.status_code))

    assert wrong == []


def test_a_wrong_token_opens_nothing(shared: SiteUnderTest) -> None:
    wrong: Wrong = []
    client = shared.client(WRONG)
    for door, verb in GUARDED:
        shared.server.site.attempts = Attempts()
        answer = client.request(verb, filled(door))
        if answer.status_code != 401 and not leads_to_sign_in(door, verb, answer):
            wrong.append((verb, door.path, answer.status_code))

    assert wrong == []


def test_a_token_for_reading_reads_and_changes_nothing(shared: SiteUnderTest, reading_token: str) -> None:
    wrong: Wrong = []
    client = shared.client(reading_token)
    for door, verb in GUARDED:
        answer = client.request(verb, filled(door))
        refused = answer.status_code in (401, 403)
        may = verb in READING or door.readers_may_post
        if refused == may or answer.status_code >= 500:
            wrong.append((verb, door.path, answer.status_code))

    assert wrong == []


def test_who_is_signed_in_acts_by_forms_of_this_site_only(shared: SiteUnderTest) -> None:
    wrong: Wrong = []
    browser = shared.signed_in()
    for door, verb in GUARDED:
        for form in ({"wish": "x"}, {"csrf": "0" * 64}) if verb not in READING else ():
            answer = browser.request(verb, filled(door), data=form)
            if answer.status_code != (401 if door.kind == "api" else 403):
                wrong.append((verb, door.path, answer.status_code))

    assert wrong == []
    assert browser.get("/").status_code == 200


def test_a_link_with_a_made_up_token_leads_nowhere(shared: SiteUnderTest) -> None:
    client = shared.client()

    found = {(verb, door.path): client.request(verb, filled(door)).status_code for door, verb in LINKS}

    assert set(found.values()) == {404}, found


def test_every_answer_has_its_security_headers(shared: SiteUnderTest, reading_token: str) -> None:
    for client in (shared.client(), shared.client(reading_token)):
        for door, verb in PAIRS:
            assert missing(client.request(verb, filled(door)).headers) == [], (verb, door.path)


def missing(headers: httpx2.Headers) -> list[str]:
    """The security headers that are not as they should be."""
    policy = headers.get("content-security-policy", "")
    good = {
        "content-security-policy": "default-src 'none'" in policy and "unsafe-inline" not in policy,
        "frame-ancestors": "frame-ancestors 'none'" in policy,
        "x-content-type-options": headers.get("x-content-type-options") == "nosniff",
        "referrer-policy": headers.get("referrer-policy") in ("same-origin", "no-referrer"),
        "cross-origin-opener-policy": headers.get("cross-origin-opener-policy") == "same-origin",
        "cross-origin-resource-policy": headers.get("cross-origin-resource-policy") == "same-origin",
        "permissions-policy": "geolocation=()" in headers.get("permissions-policy", ""),
        "cache-control": bool(headers.get("cache-control")),
        "x-request-id": bool(headers.get("x-request-id")),
        "server": "server" not in headers,
        "access-control-allow-origin": "access-control-allow-origin" not in headers,
    }
    return [name for name, is_good in good.items() if not is_good]


def test_the_same_is_so_where_there_is_no_door(shared: SiteUnderTest) -> None:
    answer = shared.client().get("/no/such/page")

    assert answer.status_code == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "There is no such page" in answer.text


def test_a_verb_that_a_program_may_not_use_is_told_in_json(shared: SiteUnderTest) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/health"):
        answer = shared.client(OWN_TOKEN).delete(path)

        assert answer.status_code == 405
        assert answer.headers["content-type"] == "application/problem+json"


def test_programs_are_told_of_trouble_in_json(shared: SiteUnderTest) -> None:
    answer = shared.client().get("/api/v1/no-such-thing")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert answer.json()["instance"].endswith(answer.headers["x-request-id"])


# --- signing in -------------------------------------------------------------------------------------------------------


def test_who_signs_in_comes_to_where_he_wanted_to_go(site: SiteUnderTest) -> None:
    browser = site.client()

    wanted = browser.get("/?after=x").headers["location"]
    answer = browser.post("/signin", data={"token": OWN_TOKEN, "next": "/?after=x"})

    assert wanted == "/signin?next=%2F%3Fafter%3Dx"
    assert answer.headers["location"] == "/?after=x"
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example.org", "https://evil.example.org", "/\\evil.example.org", "/%2fevil.example.org", "/\n/x", ""],
)
def test_nobody_is_sent_to_another_site_by_signing_in(site: SiteUnderTest, elsewhere: str) -> None:
    answer = site.client().post("/signin", data={"token": OWN_TOKEN, "next": elsewhere})

    assert answer.headers["location"] == "/"


def test_the_session_is_in_a_cookie_that_scripts_and_foreign_forms_do_not_have(site: SiteUnderTest) -> None:
    cookie = site.client().post("/signin", data={"token": OWN_TOKEN}).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Path=/" in cookie
    assert OWN_TOKEN not in cookie


def test_a_session_holds_after_a_restart_and_at_another_replica(site_on_each: SiteUnderTest) -> None:
    cookies = dict(site_on_each.signed_in().cookies)

    with serving(site_on_each.database) as other:
        assert other.browser_with(cookies).get("/").status_code == 200


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(site_on_each: SiteUnderTest) -> None:
    browser = site_on_each.signed_in()
    stolen = dict(browser.cookies)

    answer = browser.post("/signout", data={"csrf": csrf(browser.get("/"))})

    assert answer.headers["location"] == "/signin"
    assert site_on_each.browser_with(stolen).get("/").status_code == 303


def test_who_may_only_read_can_sign_out(site: SiteUnderTest) -> None:
    browser = site.signed_in(site.token())

    assert browser.post("/signout", data={"csrf": csrf(browser.get("/"))}).status_code == 303


def test_a_removed_token_ends_its_sessions_at_once(site_on_each: SiteUnderTest) -> None:
    browser = site_on_each.signed_in(site_on_each.token("alice"))
    assert browser.get("/").status_code == 200

    with site_on_each.database.write() as connection:
        tokens.remove(connection, "alice")

    assert browser.get("/").status_code == 303


def test_another_token_of_the_installation_ends_the_sessions_of_the_old_one(site: SiteUnderTest) -> None:
    cookies = dict(site.signed_in().cookies)

    with serving(site.database, access_token="another-token-of-the-operator") as other:
        assert other.browser_with(cookies).get("/").status_code == 303


def test_a_session_that_nobody_uses_ends(site: SiteUnderTest) -> None:
    browser = site.signed_in()

    site.clock.now += sessions.LASTS

    assert browser.get("/").status_code == 303


def test_a_session_that_is_used_goes_on_but_not_for_ever(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    held = 0
    while browser.get("/").status_code == 200 and held < 20:
        site.clock.now += sessions.LASTS * 0.9
        held += 1

    assert held == 7  # six times 27 days and a bit are within half a year, a seventh is not


def test_a_wrong_token_is_looked_at_ten_times_in_five_minutes(site: SiteUnderTest) -> None:
    browser = site.client()
    said = [browser.post("/signin", data={"token": f"{WRONG}{number}"}).status_code for number in range(11)]

    right = browser.post("/signin", data={"token": OWN_TOKEN})
    site.clock.now = site.clock.now.replace(minute=6)

    assert said == [403] * 10 + [429]
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) <= 300
    assert browser.post("/signin", data={"token": OWN_TOKEN}).status_code == 303


def test_what_a_proxy_before_us_asks_for_is_no_token_of_ours(site: SiteUnderTest) -> None:
    of_the_proxy = {"Authorization": "Basic dTpw"}

    assert site.client().get("/signin", headers=of_the_proxy).status_code == 200
    assert site.client().get("/healthz", headers=of_the_proxy).status_code == 200
    assert site.signed_in().get("/", headers=of_the_proxy).status_code == 200
    assert site.client().get("/api/v1/health", headers=of_the_proxy).status_code == 401


def test_open_doors_ask_for_no_token(site: SiteUnderTest) -> None:
    said = [site.client(WRONG).get("/healthz").status_code for _ in range(12)]

    assert said == [200] * 12


def test_the_same_count_holds_for_programs(site: SiteUnderTest) -> None:
    client = site.client(WRONG)

    said = [client.get("/metrics").status_code for _ in range(11)]

    assert said == [401] * 10 + [429]


def test_too_many_wrong_tokens_do_not_sign_out_who_is_in(site: SiteUnderTest) -> None:
    browser = site.signed_in()
    for _ in range(12):
        site.client().post("/signin", data={"token": WRONG})

    assert browser.get("/").status_code == 200


def test_the_link_of_the_terminal_signs_in_once_and_only_by_its_button(site: SiteUnderTest) -> None:
    link = site.server.sign_in_url()
    for _ in range(3):  # whoever looks at links uses nothing up
        assert site.client().get(link).status_code == 200
        assert site.client().head(link).status_code == 200
    browser = site.client()

    assert browser.post(link).status_code == 303
    assert browser.get("/").status_code == 200
    assert site.client().post(link).status_code == 404


def test_the_link_of_the_terminal_grows_old(site: SiteUnderTest) -> None:
    link = site.server.sign_in_url()

    site.clock.now = site.clock.now.replace(minute=16)

    assert site.client().get(link).status_code == 404
    assert site.client().post(link).status_code == 404


def test_the_last_use_of_a_token_is_noted_and_only_hashes_are_kept(site_on_each: SiteUnderTest) -> None:
    token = site_on_each.token("scraper")

    site_on_each.client(token).get("/metrics")

    with site_on_each.database.read() as connection:
        (listed,) = tokens.listing(connection)
        stored = str(connection.exec_driver_sql("SELECT * FROM access_tokens").all())
    assert listed.last_used_at == site_on_each.clock.now
    assert token not in stored
    assert token.removeprefix(tokens.PREFIX) not in stored


def test_a_token_that_may_write_acts_without_a_form(site: SiteUnderTest) -> None:
    client: httpx2.Client = site.client(site.token("writer", may_write=True))

    assert client.post("/signout").status_code == 303
