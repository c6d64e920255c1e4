"""Chat and push services through Apprise (an extra): those with fixed hosts only, loaded when first used."""

import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import unquote

from notifiers import apprise_services, verdicts
from notifiers.apprise_services import SERVICES
from notifiers.channels import Addressee, DeliveryError, DeliverySettings
from notifiers.clean_text import clip, one_line
from notifiers.message import Message
from notifiers.rendering import Rendered

READS_WORDS = True


def send(
    message: Message,
    rendered: Rendered,
    address: Addressee,
    settings: DeliverySettings,
    now: datetime,  # noqa: ARG001 - services date what they are told
) -> str:
    """Hand the message to its service; returns that it was taken. See `channels.Channel`.

    Chat services know no ids: the delivery's stands in the last line, so that a person sees what came twice.
    """
    uri = address.uri
    trouble = apprise_services.problem(uri)
    if trouble:
        raise DeliveryError(f"the address {trouble}", permanent=True)
    service = SERVICES[uri.partition(":")[0]]
    body = f"{clip(rendered.text.strip(), service.longest)}\n({message.delivery_id})"
    _within(settings.total_seconds, uri, rendered.subject, body)
    return f"{service.name} took it"


def understood(uri: str) -> bool:
    """Whether Apprise can make something of the address; nobody is asked. Raises DeliveryError without the extra."""
    return _plugin(uri) is not None


def _within(seconds: float, uri: str, title: str, body: str) -> None:
    """Notify in a thread that is left behind where it takes too long: it cannot be stopped, and the next try waits."""
    ended: SimpleQueue[Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            _told(uri, title, body)
            ended.put(None)
        except Exception as error:  # whatever a plugin does is the outcome of this try
            ended.put(error)

    threading.Thread(target=ask, name="apprise", daemon=True).start()
    try:
        error = ended.get(timeout=seconds)
    except Empty:
        raise DeliveryError(f"took longer than {seconds:g} s") from None
    if isinstance(error, DeliveryError):
        raise error
    if error is not None:
        # not chained: Apprise's errors may carry the address
        raise DeliveryError(f"{type(error).__name__} in Apprise", whose="message") from None


def _told(uri: str, title: str, body: str) -> None:
    """Notify once. Raises DeliveryError."""
    plugin = _plugin(uri)
    if plugin is None:
        raise DeliveryError("Apprise cannot read the address", permanent=True)
    with _heard() as said:
        taken = notify(plugin, title, body)
    if not taken:
        raise _refusal(uri, " ".join(said))


def _plugin(uri: str) -> Any:
    apprise = _apprise()
    with _heard():
        plugin = apprise.Apprise.instantiate(uri, asset=_asset(apprise), suppress_exceptions=True)
    for made_by in type(plugin).__mro__:
        _ask_straight(sys.modules[made_by.__module__])
    return plugin


def _ask_straight(module: Any) -> None:
    """Let a plugin's module ask its service straight. Apprise has no setting for it."""
    requests = getattr(module, "requests", None)
    if requests is not None and not isinstance(requests, _Straight):
        module.requests = _Straight(requests)


class _Straight:
    """`requests` as a plugin sees it: neither proxies of the environment nor passwords of a .netrc are minded (as with
    webhooks): a message goes to its service and to nobody between.
    """

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        return getattr(self._requests, name)

    def request(self, method: str, url: str, **given: Any) -> Any:
        with self._requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, **given)

    def get(self, url: str, params: Any = None, **given: Any) -> Any:
        return self.request("GET", url, params=params, **given)

    def post(self, url: str, data: Any = None, json: Any = None, **given: Any) -> Any:
        return self.request("POST", url, data=data, json=json, **given)


def notify(plugin: Any, title: str, body: str) -> bool:
    """The one place where Apprise sends."""
    return bool(plugin.notify(body=body, title=title, body_format="text"))


def _apprise() -> Any:
    try:
        import apprise
    except ImportError as error:
        raise DeliveryError(f"needs the extra: {apprise_services.EXTRA}", whose="operator") from error
    return apprise


def _asset(apprise: Any) -> Any:
    """Nothing of a message is read as escapes, emojis or templates, nothing is stored, nothing comes from plugins."""
    return apprise.AppriseAsset(
        app_id="trialdelta",
        app_desc="trialdelta",
        app_url="",
        async_mode=False,
        interpret_escapes=False,
        interpret_emojis=False,
        secure_logging=True,
        http_redirects=False,
        plugin_paths=[],
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise says in this thread meanwhile: it gives its reasons to its log alone, secrets among them."""
    said: list[str] = []
    mine = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == mine and record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    listener, log = Listener(), logging.getLogger("apprise")
    log.propagate = False
    log.setLevel(logging.WARNING)  # whatever the program's own log leaves out
    log.addHandler(listener)
    try:
        yield said
    finally:
        log.removeHandler(listener)


def _refusal(uri: str, said: str) -> DeliveryError:
    """What a failure means, by the HTTP status that Apprise tells of where it does."""
    words = one_line(_without_secrets(said, uri), 200) or "Apprise gives no reason"
    status = re.search(r"error=(\d{3})\b", said)
    verdict = verdicts.http(int(status[1])) if status else verdicts.LATER
    return DeliveryError(f"not taken: {words}", permanent=verdict.outcome == "failed")


def _without_secrets(said: str, uri: str) -> str:
    """The words without any part of the address, which all are secret."""
    rest = uri.partition("://")[2]
    parts = [part for text in (rest, unquote(rest)) for part in re.split(r"[/@:#]", text)]
    for part in sorted({*parts, rest}, key=len, reverse=True):
        said = said.replace(part, "***") if len(part) > 3 else said
    return said
