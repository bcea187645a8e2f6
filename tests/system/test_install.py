"""Setting up where something is missing: what is the matter and the way out, on one screen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/simple"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of one requirement that only the network has."""
    (tmp_path / "needed.txt").write_text("marquee-needs-a-network==1.0\n")
    return tmp_path


def install(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    offline = {"PIP_INDEX_URL": NOWHERE, "UV_DEFAULT_INDEX": NOWHERE, "PIP_RETRIES": "0", "UV_OFFLINE": "1"}
    return subprocess.run(
        [ROOT / "scripts" / "install.sh", ".venv", "needed.txt"],
        cwd=folder,
        env={**os.environ, **offline, "PYTHON": sys.executable, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_network_it_says_so_and_what_is_half_there_is_not_taken_for_whole(folder: Path) -> None:
    answer = install(folder)

    assert answer.returncode == 1
    assert "no network" in answer.stderr
    assert "no compiler" in answer.stderr
    assert "Then run the same command again." in answer.stderr
    assert sorted(path.name for path in folder.glob(".venv*")) == [".venv"]
    assert not (folder / ".venv" / ".made").exists()


def test_without_a_python_that_is_new_enough_it_says_which_and_how_to_name_another(folder: Path) -> None:
    old = folder / "old-python"
    old.write_text(
        "#!/bin/sh\n"
        '[ "$1" = -V ] && echo Python 3.9.2 && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])" "$2"\n'
    )
    old.chmod(0o755)

    gone, outdated = install(folder, PYTHON="no-such-python"), install(folder, PYTHON=str(old))

    assert (gone.returncode, outdated.returncode) == (1, 1)
    assert "no-such-python is not there" in gone.stderr
    assert "is Python 3.9.2" in outdated.stderr
    assert all("PYTHON=/path/to/python3 make" in answer.stderr for answer in (gone, outdated))
