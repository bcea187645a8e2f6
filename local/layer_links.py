"""Layers in Lambda's layout: one folder that replaces /opt, merged from the layers by links.

Because of the links, the next instance sees an edit of a layer's file without any copy.
"""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from local.resources import Layer

IGNORED = {"__pycache__", "requirements.txt"}


def merge(layers: Sequence[Layer], root: Path) -> Path:
    """Return the folder that replaces /opt with these layers; the file of a later layer overrides an earlier one."""
    stamp = repr([(str(layer.content), layer.built) for layer in layers])
    folder = root / hashlib.sha256(stamp.encode()).hexdigest()[:12]
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for layer in layers:
        into = folder / "python" if layer.built else folder
        into.mkdir(exist_ok=True)
        _link(layer.content, into, IGNORED if layer.built else {"__pycache__"})
    return folder


def python_path(opt: Path) -> list[str]:
    """Return the folders that Lambda adds to Python's path from /opt."""
    version = "{}.{}".format(*sys.version_info[:2])
    return [str(opt / "python" / "lib" / f"python{version}" / "site-packages"), str(opt / "python")]


def rewrite(environment: Mapping[str, str], opt: Path) -> dict[str, str]:
    """Replace /opt, alone or in a list of paths, by the folder that stands for it."""

    def here(value: str) -> str:
        parts = value.split(os.pathsep)
        if not any(part == "/opt" or part.startswith("/opt/") for part in parts):
            return value
        return os.pathsep.join(
            str(opt) + part.removeprefix("/opt") if part == "/opt" or part.startswith("/opt/") else part
            for part in parts
        )

    return {name: here(value) for name, value in environment.items()}


def missing_requirements(folder: Path) -> list[str]:
    """Return the distributions in a folder's requirements.txt that this interpreter lacks.

    `sam build` would install them beside the code; here they come from the environment that runs the stack.
    """
    file = folder / "requirements.txt"
    if not file.exists():
        return []
    missing = []
    for line in file.read_text(errors="replace").splitlines():
        match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if match is None:
            continue
        try:
            distribution(match.group(1))
        except PackageNotFoundError:
            missing.append(match.group(1))
    return missing


def _link(source: Path, into: Path, ignored: set[str]) -> None:
    for entry in sorted(source.iterdir()):
        if entry.name in ignored or entry.name.startswith("."):
            continue
        target = into / entry.name
        if target.is_symlink() and target.is_dir() and entry.is_dir():
            earlier = target.resolve()
            target.unlink()
            target.mkdir()
            _link(earlier, target, {"__pycache__"})
        if target.is_dir() and not target.is_symlink() and entry.is_dir():
            _link(entry, target, {"__pycache__"})
            continue
        target.unlink(missing_ok=True)
        target.symlink_to(entry.resolve(), target_is_directory=entry.is_dir())
