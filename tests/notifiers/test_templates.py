"""Templates of the reader's own: what they may do, that they end, and that a broken one is named with its line."""

import time
from pathlib import Path

import pytest

from notifiers import template_folders
from notifiers.conditions import InvalidValue
from notifiers.examples import TYPES, example
from notifiers.rendering import RenderingError, render, render_or_ours
from tests.notifiers.messages import BEIJING, alert


def put(folder: Path, text: str, name: str = "subject.txt", kind: str = "trial.changed") -> str:
    (folder / kind).mkdir(exist_ok=True)
    (folder / kind / name).write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "takes too long"),
        ("{{ 'a' * 10 ** 10 }}", "too much memory"),
        ("{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}", "calls itself without end"),
        ("{% for a in range(99999) %}{{ trial.title }}{% endfor %}", "more than 500,000 characters"),
    ],
)
def test_a_template_that_would_never_end_or_fill_the_memory_is_ended(tmp_path: Path, template: str, why: str) -> None:
    began = time.monotonic()

    with pytest.raises(RenderingError, match=why) as trouble:
        render(alert(BEIJING), put(tmp_path, f"\n{template}"))

    assert f"{tmp_path}/trial.changed/subject.txt" in str(trouble.value)
    assert time.monotonic() - began < 15


def test_it_cannot_see_the_environment_nor_declare_foreign_text_to_be_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIALDELTA_SMTP_URL", "smtp://user:geheim@example.org")

    for template in ("{{ trial.title|safe }}", "{% autoescape false %}{% endautoescape %}", "{{ cycler.__init__ }}"):
        with pytest.raises(RenderingError):
            render(alert(BEIJING), put(tmp_path, template, "body.html"))


def test_what_cannot_be_used_is_replaced_by_ours_and_said(tmp_path: Path) -> None:
    laid_out = render_or_ours(alert(BEIJING), put(tmp_path, "a\n{{ nothing }}"))

    assert laid_out.rendered == render(alert(BEIJING))
    assert f"{tmp_path}/trial.changed/subject.txt, line 2: UndefinedError" in (laid_out.trouble or "")


def test_templates_that_can_be_used_are_used(tmp_path: Path) -> None:
    laid_out = render_or_ours(alert(BEIJING), put(tmp_path, "{{ trial.id }} of {{ foot.why[0][0] }}"))

    assert (laid_out.rendered.subject, laid_out.trouble) == ("NCT99000001 of beijing-sites", None)


@pytest.mark.parametrize("kind", TYPES)
def test_there_is_an_example_of_every_type_and_ours_lay_it_out_here_as_apart(kind: str, tmp_path: Path) -> None:
    copied = tmp_path / "own"
    template_folders.copy(str(copied))

    ours, apart = template_folders.preview(kind), template_folders.preview(kind, str(copied))

    assert ours == apart
    assert ours.subject
    assert all(why.name in ours.text for why in example(kind).subscriptions)


def test_ours_copied_can_be_used_for_every_type(tmp_path: Path) -> None:
    written = template_folders.copy(str(tmp_path / "own"))

    assert "trial.changed/body.html" in written
    assert set(template_folders.check(str(tmp_path / "own"))) == set(TYPES)
    with pytest.raises(InvalidValue, match="there already"):
        template_folders.copy(str(tmp_path / "own"))


def test_a_check_names_file_and_line(tmp_path: Path) -> None:
    folder = put(tmp_path, "fine\nfine\n{% if %}", "body.txt")

    with pytest.raises(InvalidValue, match=r"/trial.changed/body.txt, line 3: Expected an expression") as trouble:
        template_folders.check(folder)
    assert "\n" not in str(trouble.value)


def test_a_check_refuses_what_nothing_would_ever_read(tmp_path: Path) -> None:
    for told, refused in (("trial.change", "no such type of message"), ("digest", "is read by nobody")):
        folder = tmp_path / told
        folder.mkdir()
        put(folder, "x", "subject.md", told)
        with pytest.raises(InvalidValue, match=refused):
            template_folders.check(str(folder))
    for missing in (tmp_path / "missing", tmp_path / "trial.change" / "trial.change"):
        with pytest.raises(InvalidValue, match=r"no such folder|holds no templates"):
            template_folders.check(str(missing))
    with pytest.raises(InvalidValue, match="whole path"):
        template_folders.check("mine")
