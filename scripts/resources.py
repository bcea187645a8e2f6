"""Write the table of resources by kind into docs/operate/deploy.md, from the templates as CloudFormation sees them.

Run `python -m scripts.resources` to write it, with `--check` to learn whether it is up to date.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from local import documents
from scripts import templates

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "operate" / "deploy.md"
BEGIN, END = "<!-- resources: written by make resources -->\n", "<!-- end of resources -->\n"


def counts(folder: Path = ROOT) -> dict[str, Counter[str]]:
    """Count the resources of each template by type."""
    source = documents.read(folder / "template.yaml")
    found = {"template.yaml": templates.translate(source)}
    for name, template in templates.nested(source, folder).items():
        found[source["Resources"][name]["Properties"]["TemplateURL"]] = template
    return {name: Counter(each["Type"] for each in made["Resources"].values()) for name, made in found.items()}


def table(counted: dict[str, Counter[str]]) -> str:
    """Return the table in Markdown, the most frequent kinds first and kinds with one resource in the last row."""
    every: Counter[str] = sum(counted.values(), Counter())
    names = list(counted)
    lines = ["| kind | " + " | ".join(f"`{name}`" for name in names) + " |", "|---|" + "---:|" * len(names)]
    lines.append("| **all** | " + " | ".join(f"**{counted[name].total()}**" for name in names) + " |")
    for kind, total in sorted(every.items(), key=lambda item: (-item[1], item[0])):
        if total > 1:
            lines.append(f"| {kind} | " + " | ".join(str(counted[name][kind] or "") for name in names) + " |")
    single = ["<br>".join(sorted(f"`{kind}`" for kind in counted[name] if every[kind] == 1)) for name in names]
    lines.append("| one of each | " + " | ".join(single) + " |")
    return "\n".join(lines) + "\n"


def filled(text: str, new: str) -> str:
    """Return a document with the table between its marks. Raises LookupError where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LookupError(f"The document needs the lines {BEGIN.strip()} and {END.strip()}.")
    return f"{before}{begin}{new}{end}{after}"


def main() -> int:
    """Write the table, or compare it; return the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="fail if the table in docs/operate/deploy.md is not up to date"
    )
    check = parser.parse_args().check
    old = DOCUMENT.read_text()
    new = filled(old, table(counts()))
    if not check:
        DOCUMENT.write_text(new)
    elif new != old:
        print("The table of resources in docs/operate/deploy.md is not up to date: run `make resources`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
