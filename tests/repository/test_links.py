"""Relative links in Markdown files resolve, every page is in the index, and docs/ is short."""

import functools
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "README.md"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?<![\w/.-])(?:docs/[\w/-]+|[A-Z]{5,})\.(?:md|json|toml)\b")
"""A page or file of docs/ that code or text mentions outside a link."""

FROZEN = re.compile(r"sql/(migrations/|schema\.sql)")
"""Migrations cannot be edited after they have run. They keep former paths of pages, and the schema repeats them."""

WORDS_MAX = 30_000
"""The maximum number of words in all pages of docs/, as `wc -w` counts them."""

INVENTED = {"docs/page.md", "docs/a.md", "docs/b.md", "docs/missing.md"}
"""Paths that tests invent."""


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Return the files of the project, without hidden folders such as .venv and .local."""
    shown = [path for path in sorted(ROOT.iterdir()) if not path.name.startswith(".")]
    found = [file for path in shown for file in (path.rglob("*") if path.is_dir() else [path])]
    return tuple(file for file in found if file.is_file() and "__pycache__" not in file.parts)


def pages() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower()).replace(" ", "-") for title in titles}


def broken(page: Path, text: str) -> list[str]:
    """Return the broken relative links of a page's text."""
    found = []
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            found.append(target)
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    assert broken(page, page.read_text()) == []


def test_link_to_a_missing_file_or_heading_is_found() -> None:
    page = ROOT / "README.md"
    text = "[a](docs/missing.md), [b](README.md#no-such-heading), [c](https://example.org/x), [d](docs/README.md)"

    assert broken(page, text) == ["docs/missing.md", "README.md#no-such-heading"]


def test_every_page_of_docs_is_in_the_index() -> None:
    linked = {(INDEX.parent / target.partition("#")[0]).resolve() for target in LINK.findall(INDEX.read_text())}
    missing = {page for page in pages() if page.is_relative_to(INDEX.parent)} - linked - {INDEX}

    assert sorted(str(page.relative_to(ROOT)) for page in missing) == []


def test_documentation_stays_short() -> None:
    words = {
        str(page.relative_to(ROOT)): len(page.read_text().split())
        for page in pages()
        if page.is_relative_to(INDEX.parent)
    }
    longest = sorted(words.items(), key=lambda item: -item[1])[:5]

    assert sum(words.values()) <= WORDS_MAX, f"Shorten docs/. The longest pages are: {longest}"


def test_every_page_that_code_or_text_names_exists() -> None:
    missing = []
    for path in project_files():
        name = str(path.relative_to(ROOT))
        if FROZEN.match(name) or path.suffix not in {".py", ".sql", ".md", ".yaml", ".toml", ".txt", ".sh", ""}:
            continue
        named = set(NAMED.findall(path.read_text(errors="ignore"))) - INVENTED
        missing += [f"{name}: {each}" for each in sorted(named) if not (ROOT / each).exists()]

    assert missing == []
