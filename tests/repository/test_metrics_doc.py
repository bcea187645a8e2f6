"""docs/operate/operations.md lists every metric that the code names."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"""(?<!\.)\b(?:count|duration)\(\s*"(\w+)"|add_metric\(\s*name="(\w+)\"""")
MADE = {"ColdStart", "RateLimiterFailed", "OutboxRelayed", "OutboxFailed", "OutboxParked"}
MADE |= {
    "WebhookReceived",
    "WebhookHandled",
    "WebhookNotHandled",
    "WebhookSweptUp",
    "IntentSwept",
    "RefundSent",
    "RefundRefused",
    "RefundPostponed",
}
MADE |= {"PeopleTold", "EmailSent", "EmailRefused"}
MADE |= {"RatingItemCounted", "RatingItemSetAside", "RatingEventCounted", "ScorePublished", "ScoreHeldBack"}
MADE |= {"RatingEventAccepted", "RatingEventRepeated", "RatingEventRefused", "RatingWakeLost"}


def test_every_metric_is_listed_and_no_other() -> None:
    code = [path.read_text() for folder in ("functions", "layers/domain") for path in (ROOT / folder).rglob("*.py")]
    named = {next(filter(None, groups)) for text in code for groups in NAMES.findall(text)} | MADE
    section = (ROOT / "docs/operate/operations.md").read_text().split("## Metrics\n")[1].split("\n## ")[0]
    listed = {
        name for line in section.splitlines() if line.startswith("| `") for name in re.findall(r"`([A-Z]\w+)`", line)
    }

    assert listed == named
