"""Write the table of resources by kind into docs/operate/deploy.md, from the templates as CloudFormation sees them.

Run `python -m scripts.resources` to write it, with `--check` to learn whether it is up to date.
"""

import sys
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


def table(counted: dict[str, Counter[str]]) -> str:
    """Return the table in Markdown: a row for each template, with its most frequent kinds first."""
    lines = ["| template | resources | kinds |", "|---|---:|---|"]
    for name, kinds in counted.items():
        ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
        several = [f"{number} {kind.removeprefix('AWS::')}" for kind, number in ordered if number > 1]
        single = [kind.removeprefix("AWS::") for kind, number in ordered if number == 1]
        found = ", ".join([*several, *(["one of each: " + ", ".join(single)] if single else [])])
        lines.append(f"| `{name}` | {kinds.total()} | {found} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table, or compare it; return the process's exit status."""
    return tables.run("resources", DOCUMENT, lambda: table(counts()), __doc__)


if __name__ == "__main__":
    sys.exit(main())
