"""The table of resources in docs/operate/deploy.md."""

from collections import Counter

import pytest

from scripts import resources

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_table_counts_each_kind_in_each_template() -> None:
    counted = {"template.yaml": Counter({"A": 1, "B": 3}), "stacks/other.yaml": Counter({"A": 1, "C": 1, "D": 1})}

    assert resources.table(counted).splitlines() == [
        "| kind | `template.yaml` | `stacks/other.yaml` |",
        "|---|---:|---:|",
        "| **all** | **4** | **3** |",
        "| B | 3 |  |",
        "| A | 1 | 1 |",
        "| one of each |  | `C`<br>`D` |",
    ]
