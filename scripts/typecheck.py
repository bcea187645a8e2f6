"""Check the types of all code with mypy, the functions under names that Python accepts.

The folder `functions/manage-events` cannot be a package, and two modules named `app` cannot be checked together.
So mypy sees each folder through a link: `functions.manage_events.app`. Messages name the real files.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINKS = ROOT / ".mypy_cache" / "links"
FOLDERS = ["layers/domain/marquee", "local", "scripts", "demo", "bench"]


def link_functions(functions: Path = ROOT / "functions", links: Path = LINKS) -> Path:
    """Make a folder of links to the functions' folders, named as packages. Returns it."""
    folder = links / "functions"
    folder.mkdir(parents=True, exist_ok=True)
    for link in folder.iterdir():
        link.unlink()
    for function in sorted(functions.iterdir()):
        if (function / "app.py").exists():
            (folder / function.name.replace("-", "_")).symlink_to(os.path.relpath(function, folder))
    return folder


def real_names(text: str, functions: Path = ROOT / "functions", links: Path = LINKS) -> str:
    """Return mypy's output with the real paths of functions instead of links."""
    names = {each.name.replace("-", "_"): each.name for each in functions.iterdir()}
    prefix = re.escape(os.path.relpath(links, functions.parent))
    return re.sub(rf"{prefix}/functions/(\w+)", lambda found: f"functions/{names.get(found[1], found[1])}", text)


def main() -> int:
    """Run mypy. Returns its exit status."""
    folder = os.path.relpath(link_functions(), ROOT)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *FOLDERS, folder],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": os.path.relpath(LINKS, ROOT)},
    )
    print(real_names(result.stdout + result.stderr), end="")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
