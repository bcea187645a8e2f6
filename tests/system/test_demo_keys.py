"""Local webhook keys survive a restart and are readable by their owner alone."""

import stat

import pytest

from demo import webhook_keys
from marquee.edge import secrets

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_webhook_keys_are_created_once_and_can_be_used(tmp_path, monkeypatch):
    monkeypatch.delenv("WEBHOOK_KEYS")

    first = webhook_keys.kept(tmp_path / "new")

    assert webhook_keys.kept(tmp_path / "new") == first
    assert webhook_keys.kept(tmp_path / "other") != first
    assert stat.S_IMODE((tmp_path / "new" / webhook_keys.NAME).stat().st_mode) == 0o600
    monkeypatch.setenv("WEBHOOK_KEYS", first)
    assert secrets.webhook_keys().current == "k1"
    assert webhook_keys.kept(tmp_path / "third") == first
