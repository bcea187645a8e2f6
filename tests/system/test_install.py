"""Installation without a network, Python or hash fails with the reason and the next step."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/simple"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a project with one requirement that needs the network."""
    (tmp_path / "needed.txt").write_text(f"marquee-needs-a-network==1.0 --hash=sha256:{'0' * 64}\n")
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


def test_install_without_a_network_fails_with_a_reason_and_stays_incomplete(folder: Path) -> None:
    answer = install(folder)

    assert answer.returncode == 1
    assert "no network" in answer.stderr
    assert "no compiler" in answer.stderr
    assert "Then run the same command again." in answer.stderr
    assert sorted(path.name for path in folder.glob(".venv*")) == [".venv"]
    assert not (folder / ".venv" / ".made").exists()


def test_install_without_a_new_enough_python_says_how_to_name_another(folder: Path) -> None:
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


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Create a package in a folder that stands for an index."""
    path = tmp_path / "index" / "marquee_sample-1.0-py3-none-any.whl"
    path.parent.mkdir()
    members = {
        "marquee_sample.py": "",
        "marquee_sample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: marquee-sample\nVersion: 1.0\n",
        "marquee_sample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
        archive.writestr("marquee_sample-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in members))
    return path


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("pin", ["right", "tampered", "absent"])
def test_package_is_installed_only_with_the_hash_of_its_pin(
    wheel: Path, folder: Path, tmp_path: Path, installer: str, pin: str
) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    hashes = {"right": f" --hash=sha256:{digest}", "tampered": f" --hash=sha256:{digest[::-1]}", "absent": ""}
    (folder / "needed.txt").write_text(f"marquee-sample==1.0{hashes[pin]}\n")
    path = tmp_path / "path"
    path.mkdir()
    uv = Path(sys.executable).with_name("uv")
    if installer == "uv" and not uv.exists():
        pytest.skip("This environment was installed by a uv of the system.")
    if installer == "uv":
        (path / "uv").symlink_to(uv)

    answer = install(
        folder,
        PATH=f"{path}:/usr/bin:/bin",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheel.parent),
        UV_NO_INDEX="1",
        UV_FIND_LINKS=str(wheel.parent),
    )

    assert (answer.returncode == 0) == (pin == "right"), answer.stderr
    assert (list(folder.glob(".venv/lib/*/site-packages/marquee_sample.py")) != []) == (pin == "right")
    assert pin == "right" or "hash" in answer.stderr
