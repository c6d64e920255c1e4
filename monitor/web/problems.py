"""What went wrong with a request, in one clear line: for a person as a page, for a program as RFC 9457."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

Json = Any


class Problem(Exception):  # noqa: N818  # it says what is wrong
    """An answer that is no success. `title`: what is wrong; `detail`: what to do about it; both are shown.

    `extra`: further members of the problem's JSON; `headers`: of the answer; `ways`: paths of pages that help,
    each with its words.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        *,
        extra: Mapping[str, Json] | None = None,
        headers: Mapping[str, str] | None = None,
        ways: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        self.ways = tuple(ways)


class OutOfDate(Problem):
    """A form does not come from a page of the session that it came with."""

    def __init__(self) -> None:
        super().__init__(403, "This form is out of date", "Go back, reload the page and send it once more.")


def check_texts(texts: Iterable[str], status: int = 400) -> None:
    """Raises Problem where one of these texts, which somebody sent, holds U+0000: PostgreSQL can keep none."""
    if any("\x00" in text for text in texts):
        raise Problem(status, "A text holds the character U+0000", "Leave it out: no database of ours can keep it.")


def problem_json(problem: Problem, request_id: str) -> dict[str, Json]:
    """The problem as the members of RFC 9457; `instance` is the id under which the log knows the request."""
    detail = {"detail": problem.detail} if problem.detail else {}
    about = {"type": "about:blank", "title": problem.title, "status": problem.status}
    return {**about, **detail, "instance": f"urn:trialdelta:request:{request_id}", **problem.extra}


def of_status(status: int) -> Problem:
    """The problem that is known only by its status."""
    said = {
        404: ("There is no such page", "The address may be mistyped, or what it led to is gone."),
        405: ("That cannot be done here", None),
        500: ("Something went wrong here", "It is written in the log under the id below; try again in a moment."),
    }
    title, detail = said.get(status, (HTTPStatus(status).phrase, None))
    return Problem(status, title, detail)


def misdirected() -> Problem:
    """The answer to who asks for this site by a name that is none of its own."""
    words = "Ask it by its own: TRIALDELTA_BASE_URL and TRIALDELTA_HOST say which."
    return Problem(421, "This site is not known by that name", words)
