"""The installation's own token: the setting ACCESS_TOKEN, else made once into a file that only its owner can read."""

import os
from pathlib import Path

from msgspec import Struct

from monitor.access import tokens
from monitor.settings import Settings, SettingsError
from snapshots.database import Database

FILE_NAME = "access-token"


class OwnToken(Struct, frozen=True):
    """The token, and the file in which it stands (None: the setting gave it). `repr` shows no secret."""

    token: str
    file: Path | None

    def __repr__(self) -> str:
        return f"OwnToken(file={self.file!r})"


def ensure(settings: Settings, database: Database) -> OwnToken:
    """The token of this installation, made where there is none yet. Raises SettingsError where it is too short to hold,
    or its file cannot be read or written.
    """
    if settings.access_token is not None:
        return OwnToken(_long_enough(settings.access_token, "TRIALDELTA_ACCESS_TOKEN"), None)
    file = place(database)
    try:
        return OwnToken(_long_enough(_read_or_make(file), str(file)), file)
    except OSError as error:
        raise SettingsError(
            f"the access token's file {file} cannot be used: {error.strerror}; set TRIALDELTA_ACCESS_TOKEN instead"
        ) from error


def place(database: Database) -> Path:
    """Where the token's file is: beside the SQLite file, else in the user's data directory."""
    if database.file is not None:
        return database.file.absolute().with_name(FILE_NAME)
    from platformdirs import user_data_path

    return user_data_path("trialdelta") / FILE_NAME


def _read_or_make(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        # it exists for its owner alone from the first moment on
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(file)
    made = tokens.new()
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(made + "\n")
    return made


def _read(file: Path) -> str:
    if os.name == "posix" and file.stat().st_mode & 0o077:
        file.chmod(0o600)
    return file.read_text(encoding="utf-8").strip()


def _long_enough(token: str, where: str) -> str:
    if len(token) < tokens.SHORTEST:
        raise SettingsError(f"{where} holds fewer than {tokens.SHORTEST} characters: anybody could guess it")
    return token
