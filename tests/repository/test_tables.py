"""Generated tables in pages of the documentation."""

import sys

import pytest

from scripts import tables

pytestmark = pytest.mark.usefixtures("sockets_off")

PAGE = "before\n<!-- things: written by make things -->\nold\n<!-- end of things -->\nafter\n"


def test_table_replaces_the_one_between_its_comments() -> None:
    assert tables.filled(PAGE, "things", "new\n") == PAGE.replace("old", "new")


@pytest.mark.parametrize("page", ["no comments", PAGE.replace("end of things", "end")])
def test_page_without_the_comments_is_an_error(page: str) -> None:
    with pytest.raises(LookupError, match="end of things"):
        tables.filled(page, "things", "new\n")


def test_check_complains_about_an_old_table(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(PAGE)

    monkeypatch.setattr(sys, "argv", ["things", "--check"])
    assert tables.run("things", page, lambda: "new\n", None) == 1
    assert "The things in page.md are not up to date: run `make things`." in capsys.readouterr().out
    assert page.read_text() == PAGE

    monkeypatch.setattr(sys, "argv", ["things"])
    assert tables.run("things", page, lambda: "new\n", None) == 0
    assert page.read_text() == PAGE.replace("old", "new")

    monkeypatch.setattr(sys, "argv", ["things", "--check"])
    assert tables.run("things", page, lambda: "new\n", None) == 0
