"""No function loads Stripe's SDK, boto3 or Jinja2 at its start, because slow libraries are imported on first use."""

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
def test_function_loads_without_slow_libraries(function: str) -> None:
    program = f"import app, sys; print([name for name in {SLOW} if name in sys.modules])"
    path = f"{ROOT / 'functions' / function}:{ROOT / 'layers' / 'domain'}"

    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")
