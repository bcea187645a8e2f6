"""The list of resources in docs/operate/deploy.md."""

from collections import Counter

import pytest

from scripts import resources

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_list_counts_each_kind_in_each_template() -> None:
    counted = {
        "template.yaml": Counter({"AWS::A": 1, "AWS::B": 3}),
        "stacks/other.yaml": Counter({"AWS::D": 1, "AWS::C": 1}),
        "stacks/one.yaml": Counter({"AWS::E": 2}),
    }

    assert resources.listing(counted).splitlines() == [
        "```",
        "template.yaml: 4",
        "    several: 3 B",
        "    one of each: A",
        "stacks/other.yaml: 2",
        "    one of each: C, D",
        "stacks/one.yaml: 2",
        "    several: 2 E",
        "```",
    ]
