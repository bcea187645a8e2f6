"""The layer keeps the locale data that messages need, and no more."""

import shutil
import subprocess
import sys
from pathlib import Path

import babel
import pytest

from scripts import trim_layer

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import datetime
from marquee.core import locales
moment = datetime.datetime(2031, 3, 3, 18, 0)
print([
    (locales.money(each, 4050, "CHF"), locales.number(each, 12000), locales.percent(each, 810))
    + (locales.day_and_time(each, moment),)
    for each in locales.LOCALES
])
"""


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    folder = tmp_path / "python"
    shutil.copytree(Path(babel.__file__).parent, folder / "babel", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def written(*folders: Path) -> str:
    path = ":".join(map(str, (*folders, ROOT / "layers/domain")))
    done = subprocess.run(
        [sys.executable, "-c", WRITE], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_trimmed_layer_formats_every_language_like_the_full_one(layer: Path) -> None:
    kept = trim_layer.needed((ROOT / trim_layer.LOCALES).read_text(), trim_layer.parents(layer))
    saved = trim_layer.trim(layer, kept)

    assert written(layer) == written()
    assert saved > 20_000_000
    assert {file.stem for file in (layer / "babel/locale-data").glob("*.dat")} == kept


def test_locale_keeps_its_parents() -> None:
    source = 'LOCALES: dict[str, str] = {"en": "en_GB", "de": "de"}'

    assert trim_layer.needed(source, {"en_GB": "en_001"}) == {"root", "de", "en", "en_001", "en_GB"}


def test_layer_without_a_needed_locale_is_refused(layer: Path) -> None:
    with pytest.raises(FileNotFoundError, match="xx"):
        trim_layer.trim(layer, {"root", "xx"})
