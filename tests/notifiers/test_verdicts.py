"""What every HTTP status and every SMTP refusal means for a delivery."""

from datetime import UTC, datetime

import pytest

from notifiers import verdicts

NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_2xx_is_success_and_only_410_is_final_among_all_http_statuses(status: int) -> None:
    expected = "delivered" if 200 <= status <= 299 else "failed" if status == 410 else "retry"

    assert verdicts.http(status).outcome == expected


def test_no_http_status_is_the_operators_trouble() -> None:
    assert {verdicts.http(status).whose for status in range(100, 600)} == {"address"}


REFUSALS = [
    # code, reply                          up to MAIL FROM       at RCPT                  at DATA
    (None, "", "retry operator", "retry address", "retry address"),
    (354, "go on", "retry operator", "retry address", "retry address"),
    (421, "4.3.2 shutting down", "retry operator", "retry address", "retry address"),
    (450, "4.2.0 greylisted", "retry operator", "retry address", "retry address"),
    (451, "local error", "retry operator", "retry address", "retry address"),
    (452, "4.2.2 over quota", "retry operator", "retry address", "retry address"),
    (500, "what?", "retry operator", "retry operator", "failed message"),
    (501, "5.1.3 bad address syntax", "retry operator", "failed address", "failed message"),
    (503, "5.5.1 sign in first", "retry operator", "retry operator", "failed message"),
    (504, "no such parameter", "retry operator", "retry operator", "failed message"),
    (530, "5.7.0 sign in first", "retry operator", "retry operator", "retry operator"),
    (535, "5.7.8 wrong password", "retry operator", "retry operator", "retry operator"),
    (550, "5.1.1 no such user", "retry operator", "failed address", "failed message"),
    (550, "no such user", "retry operator", "failed address", "failed message"),
    (550, "5.7.1 relaying denied", "retry operator", "retry operator", "failed message"),
    (550, "Relay not permitted", "retry operator", "retry operator", "failed message"),
    (550, "we do not relay", "retry operator", "retry operator", "failed message"),
    (555, "parameters not recognized", "retry operator", "retry operator", "failed message"),
    (551, "user not local", "retry operator", "failed address", "failed message"),
    (552, "5.2.2 mailbox full", "retry operator", "retry address", "failed message"),
    (553, "mailbox name not allowed", "retry operator", "failed address", "failed message"),
    (554, "5.6.0 looks like spam", "retry operator", "failed address", "failed message"),
]


@pytest.mark.parametrize(("code", "text", "before", "at_rcpt", "at_data"), REFUSALS)
def test_a_refusal_is_judged_by_the_stage_it_came_at(
    code: int | None, text: str, before: str, at_rcpt: str, at_data: str
) -> None:
    expected = dict.fromkeys(verdicts.STAGES, before) | {"RCPT TO": at_rcpt, "DATA": at_data}

    found = {stage: verdicts.smtp(stage, code, text) for stage in verdicts.STAGES}

    assert {stage: f"{verdict.outcome} {verdict.whose}" for stage, verdict in found.items()} == expected


@pytest.mark.parametrize("stage", ["connect", "hello", "starttls", "sign-in", "MAIL FROM"])
def test_nothing_before_the_recipient_is_named_can_fail_a_delivery_for_good(stage: verdicts.Stage) -> None:
    found = {verdicts.smtp(stage, code, "5.1.1") for code in [None, *range(300, 600)]}

    assert found == {verdicts.LATER_OPERATOR}


CLASSES = {
    # class of reply     up to MAIL FROM       at RCPT           at DATA
    1: ("retry operator", "retry address", "retry address"),
    2: ("retry operator", "retry address", "delivered address"),
    3: ("retry operator", "retry address", "retry address"),
    4: ("retry operator", "retry address", "retry address"),
    5: ("retry operator", "failed address", "failed message"),
}
"""RFC 5321, 4.2.1: what the first digit says, where nothing more is known of the code."""
SPECIAL_AT_RCPT = {
    **dict.fromkeys((500, 502, 503, 504, 530, 534, 535, 538, 555), "retry operator"),
    552: "retry address",
}
SPECIAL_AT_DATA = dict.fromkeys((530, 534, 535, 538), "retry operator")


@pytest.mark.parametrize("stage", verdicts.STAGES)
def test_every_code_at_every_stage_of_a_mail_has_its_verdict(stage: verdicts.Stage) -> None:
    found = {code: verdicts.smtp(stage, code) for code in range(100, 600)}

    assert {code: f"{verdict.outcome} {verdict.whose}" for code, verdict in found.items()} == {
        code: expected_of(stage, code) for code in range(100, 600)
    }


def expected_of(stage: verdicts.Stage, code: int) -> str:
    before, at_rcpt, at_data = CLASSES[code // 100]
    if stage == "RCPT TO":
        return SPECIAL_AT_RCPT.get(code, at_rcpt)
    return SPECIAL_AT_DATA.get(code, at_data) if stage == "DATA" else before


@pytest.mark.parametrize("stage", verdicts.STAGES)
@pytest.mark.parametrize("code", [-1, 0, 99, 600, 999])
def test_a_code_that_no_server_should_send_loses_no_mail(stage: verdicts.Stage, code: int) -> None:
    verdict = verdicts.smtp(stage, code)

    assert verdict.outcome != "delivered"
    assert code >= 600 or verdict.outcome == "retry"


def test_a_mail_counts_as_taken_only_when_its_data_was_answered_with_2xx() -> None:
    assert verdicts.smtp("DATA", 250, "queued").outcome == "delivered"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 03 Mar 2026 14:05:00 GMT", 300.0),
        ("Tue, 03 Mar 2026 14:05:00 -0000", 300.0),
        ("Tue, 03 Mar 2026 13:00:00 GMT", 0.0),
        ("999999999999999999999999", 86400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_and_believed_up_to_a_day(
    value: str | None, seconds: float | None
) -> None:
    assert verdicts.retry_after(value, NOW) == seconds
