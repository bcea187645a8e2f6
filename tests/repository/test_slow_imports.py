"""Slow libraries are imported where they are used: no function loads Stripe's SDK, boto3 or Jinja2 at its start."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("stripe", "boto3", "botocore.session", "requests", "jinja2")


@pytest.mark.parametrize(
    "function", ["book", "cancel", "invoices", "payouts", "process-batch", "send-messages", "stripe-worker", "webhooks"]
)
def test_a_function_is_loaded_without_the_slow_ones(function: str) -> None:
    program = f"import app, sys; print([name for name in {SLOW} if name in sys.modules])"
    path = f"{ROOT / 'functions' / function}:{ROOT / 'layers' / 'domain'}"

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")
