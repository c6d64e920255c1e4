"""What a form sent: urlencoded or multipart, read whole from a body that was limited in size before."""

from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from monitor.web.problems import Problem, check_texts

MOST_FIELDS = 2000


class Upload(Struct, frozen=True):
    """A file that was sent: the name it had there (show it, never use it as a path) and its bytes."""

    name: str
    content: bytes


class Lines(dict[str, str]):
    """A line for some fields: what is wrong with them, what was typed in them; "" for all others."""

    def __missing__(self, key: str) -> str:
        return ""


class Form:
    """The fields of a form; what was not sent is "" or empty, as for an unticked box. Raises Problem for U+0000."""

    def __init__(self, fields: list[tuple[str, str]], files: dict[str, Upload] | None = None) -> None:
        check_texts(value for _, value in fields)
        self._fields = fields
        self._files = files or {}

    def text(self, name: str, default: str = "") -> str:
        """The field, stripped; the last one where it was sent more than once."""
        return next((value.strip() for key, value in reversed(self._fields) if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a field, stripped, without empty ones."""
        return [value.strip() for key, value in self._fields if key == name and value.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def file(self, name: str) -> Upload | None:
        """The file of a field; None where none was chosen."""
        return self._files.get(name)

    def pairs(self) -> list[tuple[str, str]]:
        """Every field as it came, in order, those that came several times several times."""
        return list(self._fields)

    def has_files(self) -> bool:
        """Whether any file was sent."""
        return bool(self._files)

    def values(self) -> dict[str, str]:
        """Every field once, to fill the form in again."""
        return {key: value for key, value in self._fields if key != "csrf"}


def read(content_type: str, body: bytes) -> Form:
    """The form in a body. Raises Problem where it cannot be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body and not kind:
        return Form([])
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    raise Problem(415, "A form is expected here", f"This was sent: {kind or 'no content type'}.")


def _urlencoded(body: bytes) -> Form:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise Problem(400, "The form cannot be read", "It has too many fields, or is not UTF-8.") from None
    return Form(fields)


def _multipart(content_type: str, body: bytes) -> Form:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import FormParser, parse_options_header

    _, options = parse_options_header(content_type)
    fields: list[tuple[str, str]] = []
    files: dict[str, Upload] = {}
    ends: list[bool] = []

    def take_field(field: Any) -> None:
        fields.append((_words(field.field_name), _words(field.value)))

    def take_file(file: Any) -> None:
        if file.file_name:
            file.file_object.seek(0)
            files[_words(file.field_name)] = Upload(_words(file.file_name), file.file_object.read())

    try:
        parser = FormParser(
            "multipart/form-data", take_field, take_file, lambda: ends.append(True), options.get(b"boundary"),
            config={"MAX_MEMORY_FILE_SIZE": len(body)},
        )  # fmt: skip
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise Problem(400, "The form cannot be read", "Its parts are not as multipart/form-data has them.") from None
    if not ends or len(fields) + len(files) > MOST_FIELDS:
        raise Problem(400, "The form cannot be read", "It is cut off, or has too many fields.")
    return Form(fields, files)


def _words(text: bytes | None) -> str:
    if text is None:
        raise Problem(400, "The form cannot be read", "A field has no name.")
    return text.decode("utf-8", "replace")
