"""Which door a path leads to: a slash within a name comes as %2F, and parts nothing."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.routing import Match, Route
from starlette.types import Scope

SLASH = "\udc2f"
"""Stands for a slash within a name while a path is matched: no path that was decoded holds it."""


class NamingRoute(Route):
    """A route whose names may hold slashes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As `Route`, by the path as it was sent."""
        if b"%2f" not in scope.get("raw_path", b"").lower():
            return super().matches(scope)
        match, found = super().matches({**scope, "path": _apart(scope["raw_path"])})
        names: MutableMapping[str, Any] = found.get("path_params", {})
        return match, {**found, "path_params": {key: value.replace(SLASH, "/") for key, value in names.items()}}


def _apart(raw: bytes) -> str:
    return "/".join(unquote(part).replace("/", SLASH) for part in raw.decode("latin-1").split("/"))
