"""Write the list of resources by kind into docs/operate/deploy.md, from the templates as CloudFormation sees them.

Run `python -m scripts.resources` to write it, with `--check` to learn whether it is up to date.
"""

import sys
import textwrap
from collections import Counter
from pathlib import Path

from local import documents
from scripts import tables, templates

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "operate" / "deploy.md"


def counts(folder: Path = ROOT) -> dict[str, Counter[str]]:
    """Count the resources of each template by type."""
    source = documents.read(folder / "template.yaml")
    found = {"template.yaml": templates.translate(source)}
    for name, template in templates.nested(source, folder).items():
        found[source["Resources"][name]["Properties"]["TemplateURL"]] = template
    return {name: Counter(each["Type"] for each in made["Resources"].values()) for name, made in found.items()}


def listing(counted: dict[str, Counter[str]]) -> str:
    """Return the list in Markdown: the kinds of each template, the most frequent first."""
    lines = ["```"]
    for name, kinds in counted.items():
        ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
        several = [f"{number} {kind.removeprefix('AWS::')}" for kind, number in ordered if number > 1]
        single = [kind.removeprefix("AWS::") for kind, number in ordered if number == 1]
        lines += [f"{name}: {kinds.total()}", *_wrapped("several: ", several), *_wrapped("one of each: ", single)]
    return "\n".join([*lines, "```"]) + "\n"


def _wrapped(title: str, kinds: list[str]) -> list[str]:
    """Return indented lines with kinds; a number stays on the line of its kind. No kinds have no lines."""
    text = title + ", ".join(kind.replace(" ", "\N{NO-BREAK SPACE}") for kind in kinds)
    lines = textwrap.wrap(text, 110, initial_indent="    ", subsequent_indent="        ") if kinds else []
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def main() -> int:
    """Write the list, or compare it; return the process's exit status."""
    return tables.run("resources", DOCUMENT, lambda: listing(counts()), __doc__)


if __name__ == "__main__":
    sys.exit(main())
