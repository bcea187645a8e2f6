"""Every message and page in every language equals its committed snapshot."""

import pytest

from marquee.core import locales
from tests.kit import snapshots

pytestmark = pytest.mark.usefixtures("sockets_off")

NEXT = "Run `make snapshots` and read the difference before you commit it."


@pytest.mark.parametrize(("language", "topic"), snapshots.messages())
def test_message_equals_its_snapshot(language, topic):
    stored = snapshots.stored()

    for path, text in snapshots.message(language, topic).items():
        assert stored.get(path) == text, f"{path} differs. {NEXT}"


@pytest.mark.parametrize("language", sorted(locales.LOCALES))
def test_page_equals_its_snapshot(language):
    stored = snapshots.stored()

    for path, text in snapshots.pages(language).items():
        assert stored.get(path) == text, f"{path} differs. {NEXT}"


def test_every_snapshot_belongs_to_a_message_or_page():
    assert snapshots.stored().keys() == snapshots.rendered().keys(), NEXT
