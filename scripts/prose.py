"""Check the project's English: sentence length, first words, the word list, and the rate of vague words.

    make prose                                        # everything, with a summary per folder
    make prose FOLDER=docs SUMMARY=1                  # one folder, the summary only
    python -m scripts.prose README.md functions/book  # some paths

It reads Markdown, the docstrings, comments and sentences in Python, and the comments and sentences in SQL. Route
summaries, descriptions, error messages, printed lines and the help of options count too. In CloudFormation templates
it reads the comments and descriptions. The rules are in docs/words.toml. Migrations that have landed are skipped,
because they cannot be edited.
"""

import argparse
import functools
import re
import signal
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.prose_blocks import CODE, blocks_of
from scripts.prose_sentences import Sentence, sentences_of, words_in

WORDS = Path("docs/words.toml")
ROOTS = (
    "README.md", "CONTRIBUTING.md", "docs", "functions", "layers", "sql", "local", "scripts", "demo", "bench", "tests",
    "template.yaml", "stacks",
)  # fmt: skip
TEMPLATES = re.compile(r"template\.yaml|stacks/[^/]+\.yaml")
"""Templates that are checked. The sample applications in tests/ copy foreign ones."""

GENERATED = {"sql/retention.md"}
MIGRATIONS = Path("sql/migrations")
DEPTHS = {"layers/domain/marquee": 4, "sql/routines": 3, "sql": 2, "tests": 2, "docs": 2}
"""By folder: how many levels of it the summary keeps apart."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A departure from the house style."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Return the fault as a line that editors can jump to."""
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of docs/words.toml, compiled."""

    sentence_words: int
    rates: tuple[tuple[str, re.Pattern[str], int, str], ...]
    banned_start: re.Pattern[str]
    start_instead: str
    avoid: tuple[tuple[re.Pattern[str], str], ...]
    verbs: frozenset[str]
    landed_migrations: frozenset[int]


@functools.cache
def rules() -> Rules:
    """Read docs/words.toml."""
    read = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    limits = read["limits"]
    starts = sorted(read["starts"]["banned"], key=len, reverse=True)
    return Rules(
        sentence_words=limits["sentence_words"],
        rates=(
            ("what", re.compile(r"\bwhat\b", re.IGNORECASE), limits["what_per_1000"], read["rates"]["what"]),
            (
                "whoever",
                re.compile(r"\b(whoever|those who)\b", re.IGNORECASE),
                limits["whoever_per_1000"],
                read["rates"]["whoever"],
            ),
        ),
        banned_start=re.compile(rf"[\"'“«(]*({'|'.join(map(re.escape, starts))})\b", re.IGNORECASE),
        start_instead=read["starts"]["write"],
        avoid=tuple((re.compile(entry["find"], re.IGNORECASE), entry["write"]) for entry in read["avoid"]),
        verbs=frozenset(read["imperatives"]["verbs"].split()),
        landed_migrations=frozenset(
            number for first, last in limits["landed_migrations"] for number in range(first, last + 1)
        ),
    )


def faults_of(path: str, text: str) -> tuple[list[Fault], int, list[tuple[str, Fault]]]:
    """Check one file. Returns its faults, its number of words, and each use of a word whose rate is limited."""
    faults: list[Fault] = []
    rated: list[tuple[str, Fault]] = []
    total = 0
    for block in blocks_of(path, text):
        for index, sentence in enumerate(sentences_of(block)):
            words = words_in(sentence)
            total += len(words)
            is_header = block.is_header and index == 0
            faults += [Fault(path, sentence.line, rule, said) for rule, said in _judged(sentence, words, is_header)]
            for name, pattern, _most, instead in rules().rates:
                rated += [
                    (name, Fault(path, sentence.line, name, f'"{match.group()}" is vague. Write: {instead}.'))
                    for match in pattern.finditer(sentence.text)
                ]
    return faults, total, rated


def _judged(sentence: Sentence, words: Sequence[str], is_header: bool) -> Iterator[tuple[str, str]]:
    the = rules()
    if len(words) > the.sentence_words:
        yield "long", f"A sentence has {len(words)} words. Write sentences of at most {the.sentence_words}."
    start = the.banned_start.match(sentence.text)
    if start and not sentence.text.endswith("?"):
        yield "start", f'A sentence starts with "{start.group(1)}". Write: {the.start_instead}.'
    elif is_header and words and (words[0].lower() not in the.verbs or words[1:2] == ["of"]):
        first = "code" if words[0] == CODE else f'"{" ".join(words[: 1 + (words[1:2] == ["of"])])}"'
        yield "imperative", f"The first word is {first}. Write a verb first: Return, Lease, Record (docs/words.toml)."
    for pattern, instead in the.avoid:
        for match in pattern.finditer(sentence.text):
            yield "word", f'"{match.group().strip(" ,;:")}". Write: {instead}.'


@dataclass(slots=True)
class Folder:
    """The figures of one folder."""

    words: int
    faults: Counter[str]
    rated: Counter[str]


def check(files: Sequence[tuple[str, str]]) -> tuple[list[Fault], dict[str, Folder]]:
    """Check files, given as paths with texts. Returns the faults by place, and the figures by folder.

    A folder may use each rated word once, or as often as its rate allows.
    """
    faults: list[Fault] = []
    folders: dict[str, Folder] = defaultdict(lambda: Folder(0, Counter(), Counter()))
    uses: dict[str, list[tuple[str, Fault]]] = defaultdict(list)
    for path, text in files:
        found, words, rated = faults_of(path, text)
        folder = folders[folder_of(path)]
        folder.words += words
        folder.faults.update(fault.rule for fault in found)
        folder.rated.update(name for name, _fault in rated)
        faults += found
        uses[folder_of(path)] += rated
    for name, rated in uses.items():
        for word, _pattern, most, _instead in rules().rates:
            folder = folders[name]
            allowed = max(1, folder.words * most // 1000)
            if folder.rated[word] > allowed:
                folder.faults[word] = folder.rated[word] - allowed
                faults += [
                    Fault(
                        fault.path,
                        fault.line,
                        word,
                        f"{fault.message} {name} uses it {folder.rated[word]} times and may {allowed} times.",
                    )
                    for used, fault in rated
                    if used == word
                ]
    return sorted(faults, key=lambda fault: (fault.path, fault.line, fault.rule)), dict(sorted(folders.items()))


def folder_of(path: str) -> str:
    """Return the folder under which the summary counts a file."""
    parts = Path(path).parent.parts
    depth = next((depth for folder, depth in DEPTHS.items() if f"{path}/".startswith(f"{folder}/")), 1)
    return "/".join(parts[:depth]) or "."


def files_in(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Read the files below the paths that hold prose which people may still change."""
    found: dict[str, str] = {}
    for start in map(Path, paths):
        for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
            is_hidden = any(part.startswith((".", "__pycache__")) for part in file.parts)
            is_prose = file.suffix in {".md", ".py", ".sql"} or TEMPLATES.fullmatch(str(file)) is not None
            if file.is_file() and is_prose and not is_hidden and not _is_fixed(file):
                found[str(file)] = file.read_text(encoding="utf-8")
    return list(found.items())


def is_landed(file: Path) -> bool:
    """Return whether a file is a migration that has landed, so that nobody may edit it."""
    return file.parent == MIGRATIONS and int(file.name[:4]) in rules().landed_migrations


def _is_fixed(file: Path) -> bool:
    return is_landed(file) or str(file) in GENERATED


RULES = ("what", "whoever", "long", "start", "imperative", "word")


def summary(folders: dict[str, Folder]) -> str:
    """Return a table with a line for each folder and a total."""
    lines = [f"{'folder':34}{'words':>8}{'what/1000':>11}{'whoever/1000':>14}" + "".join(f"{r:>12}" for r in RULES[2:])]
    total = Folder(0, Counter(), Counter())
    for folder in folders.values():
        total.words += folder.words
        total.faults += folder.faults
        total.rated += folder.rated
    for name, folder in [*folders.items(), ("all", total)]:
        rates = [folder.rated[word] * 1000 / (folder.words or 1) for word in RULES[:2]]
        lines.append(
            f"{name:34}{folder.words:>8}{rates[0]:>11.1f}{rates[1]:>14.1f}"
            + "".join(f"{folder.faults[rule]:>12}" for rule in RULES[2:])
        )
    return "\n".join(lines)


def main() -> int:
    """Print the faults and the summary. Returns 1 if there is a fault."""
    parser = argparse.ArgumentParser(description="Check the project's English against docs/words.toml.")
    parser.add_argument("paths", nargs="*", help="files and folders; all of the project unless given")
    parser.add_argument("--folder", action="append", default=[], help="one more folder to check")
    parser.add_argument("--summary", action="store_true", help="print the summary only")
    wanted = parser.parse_args()
    paths = [*wanted.paths, *wanted.folder] or [path for path in ROOTS if Path(path).exists()]
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        parser.error(f"No such path: {', '.join(missing)}. Give paths from the project's root.")
    faults, folders = check(files_in(paths))
    if not wanted.summary:
        print("\n".join(map(str, faults)))
    print(summary(folders))
    print(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}." if faults else "No faults.")
    return 1 if faults else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when the reader, such as head, closes the pipe
    raise SystemExit(main())
