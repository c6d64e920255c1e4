"""Until when a form lets something rest: a watch or a subscription."""

from datetime import datetime

from monitor.web.forms import Form
from notifiers.conditions import InvalidValue
from notifiers.subscriptions import moment


def end_of_snooze(form: Form, now: datetime) -> datetime | None:
    """The moment of the fields `until` and `until_critical`; None: the next critical change alone ends it.

    Raises InvalidValue, with `until` as its key.
    """
    text = form.text("until")
    if not text and form.flag("until_critical"):
        return None
    if not text:
        raise InvalidValue("until", "Give a day, or tick the next critical change.")
    end = moment("until", text)
    if end > now:
        return end
    if text == now.date().isoformat():
        raise InvalidValue("until", f"{text} is today: a snooze ends as its day begins (00:00 UTC). Give a later day.")
    raise InvalidValue("until", f"{text} is past; a snooze ends on a day to come.")
