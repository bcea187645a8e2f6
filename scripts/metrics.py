"""Write the list of metrics into docs/operate/operations.md, from the catalogue and the alarms of the templates.

Run `python -m scripts.metrics` to write it, with `--check` to learn whether it is up to date.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import documents
from marquee.edge.metric_catalog import METRICS, Metric
from scripts import tables, templates

PAGE = tables.ROOT / "docs" / "operate" / "operations.md"
NAMESPACE = "Marquee"


class UnknownMetric(Exception):
    """An alarm watches a metric that is not in the catalogue."""


def alarms(root: Path = tables.ROOT) -> dict[str, set[str]]:
    """Return the alarms of all templates on metrics of our own namespace, by metric."""
    source = documents.read(root / "template.yaml")
    found: dict[str, set[str]] = defaultdict(set)
    for template in (templates.translate(source), *templates.nested(source, root).values()):
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                for metric in watched(resource["Properties"]):
                    found[metric].add(name)
    return dict(found)


def watched(alarm: Mapping[str, Any]) -> set[str]:
    """Return the names of our own metrics that an alarm watches."""
    queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return {each["MetricName"] for each in (alarm, *queries) if each.get("Namespace") == NAMESPACE}


def listing(metrics: Mapping[str, Metric], watching: Mapping[str, set[str]]) -> str:
    """Return the list in Markdown, in the order of the catalogue. Raises UnknownMetric."""
    for name in watching.keys() - metrics.keys():
        raise UnknownMetric(f"{', '.join(sorted(watching[name]))} watches {name}, which is not in the catalogue.")
    lines = []
    for name, metric in metrics.items():
        counts = metric.counts if metric.unit == "count" else f"{metric.unit} of {metric.counts}"
        by = "".join(f", by `{each}`" for each in metric.by)
        watched_by = ", ".join(f"`{each}`" for each in sorted(watching.get(name, ())))
        lines.append(f"- `{name}`: {counts}{by}{f' ({watched_by})' if watched_by else ''}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the list, or compare it; return the process's exit status."""
    return tables.run("metrics", PAGE, lambda: listing(METRICS, alarms()), __doc__)


if __name__ == "__main__":
    sys.exit(main())
