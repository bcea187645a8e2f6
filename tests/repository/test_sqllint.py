"""The SQL check reports what sqlfluff finds, and lints a file again only after a change."""

import shutil
from pathlib import Path

import pytest
from sqlfluff.core.config import clear_config_caches

from scripts import sqllint

ROOT = Path(__file__).resolve().parents[2]
CLEAN = "select a.id from events.bookings as a;\n"
SHOUTED = "SELECT a.id from events.bookings as a;\n"
LONG = f"select a.id from events.bookings as a;  -- {'long ' * 30}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / ".sqlfluff", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "views").mkdir()
    return tmp_path


def test_violations_name_the_file_the_place_and_the_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "views" / "clean.sql").write_text(CLEAN)
    (folder / "views" / "long.sql").write_text(LONG)
    (folder / "views" / "shouted.sql").write_text(SHOUTED)

    assert sqllint.main(["views"]) == 1

    said = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[:2] for line in said[:-1]] == [
        ["views/long.sql:1:1:", "LT05"],
        ["views/shouted.sql:1:1:", "CP01"],
    ]
    assert said[-1] == "2 violations in 3 files."


def test_unparsable_statement_is_a_violation(folder: Path) -> None:
    (folder / "views" / "broken.sql").write_text("select from where;\n")

    assert sqllint.main(["views"]) == 1


def test_file_with_violations_is_reported_each_time(folder: Path) -> None:
    (folder / "views" / "shouted.sql").write_text(SHOUTED)

    assert [sqllint.main(["views"]) for _ in range(2)] == [1, 1]


def test_clean_file_is_linted_again_after_a_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linted = list[Path]()
    faults = sqllint.faults
    monkeypatch.setattr(sqllint, "faults", lambda paths: linted.extend(paths) or faults(paths))
    file = folder / "views" / "one.sql"
    file.write_text(CLEAN)
    assert [sqllint.main(["views"]) for _ in range(2)] == [0, 0]
    assert len(linted) == 1

    file.write_text(SHOUTED)

    assert sqllint.main(["views"]) == 1


def test_clean_file_is_linted_again_after_a_change_of_the_settings(folder: Path) -> None:
    (folder / "views" / "one.sql").write_text(CLEAN)
    assert sqllint.main(["views"]) == 0

    settings = folder / ".sqlfluff"
    settings.write_text(settings.read_text().replace("capitalisation_policy = lower", "capitalisation_policy = upper"))
    clear_config_caches()

    assert sqllint.main(["views"]) == 1


def test_all_files_are_linted_except_landed_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    linted = {path.name for path in sqllint.files_in(["sql/migrations", "sql/views"])}

    names = {path.name for folder in ("sql/migrations", "sql/views") for path in Path(folder).rglob("*.sql")}
    left_out = sorted(names - linted)
    assert (left_out[0][:4], left_out[-1][:4]) == ("0001", "0097")
