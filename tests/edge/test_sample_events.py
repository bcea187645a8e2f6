"""Test that the function of each sample in events/ accepts it."""

import functools
import json
import os
import re
import time
from pathlib import Path
from unittest import mock

import pytest

from local import documents
from marquee.core import database
from marquee.core.settings import MissingSetting
from marquee.payments import signatures
from tests.kit import gateway

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}
FUNCTIONS = [path.name for path in (ROOT / "functions").iterdir()]
SIGNING_SECRET = "whsec_of_the_samples"
LOGIN_SECRET = re.compile("DATABASE_(PUBLIC|PEOPLE|SERVICE)_SECRET_ARN")
NOT_UNDERSTOOD = {"400", "401", "405", "413", "415", "422"}


def having(member):
    return [name for name, sample in SAMPLES.items() if member in sample and "type" not in sample]


def having_jobs():
    return [SAMPLES[name]["job"] for name in having("job")]


@pytest.fixture(autouse=True)
def _stripe(monkeypatch):
    """Set the environment of functions that call Stripe. No test here reaches Stripe."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_of_the_samples")
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    monkeypatch.setenv("STRIPE_SIGNING_SECRETS", SIGNING_SECRET)


def invoke(name):
    """Run the sample's function with only the logins that the template gives it."""
    function = max((each for each in FUNCTIONS if name.startswith(each + "-")), key=len)
    database.disconnect()
    with mock.patch.dict(os.environ, logins_of(function)):
        return gateway.invoke(function, signed(SAMPLES[name]))


@functools.cache
def logins_by_folder():
    """Return the environment variables of login secrets, by the folder of each function."""
    written = documents.read(ROOT / "template.yaml")["Resources"].values()
    properties = [each["Properties"] for each in written if each["Type"] == "AWS::Serverless::Function"]
    return {
        each["CodeUri"].removeprefix("functions/"): {
            name: "arn:of-no-secret" for name in each["Environment"]["Variables"] if LOGIN_SECRET.fullmatch(name)
        }
        for each in properties
        if "Environment" in each
    }


def logins_of(function):
    return logins_by_folder()[function]


def signed(sample):
    """Sign a webhook sample with the current time, because its own signature is too old. Return other samples as is."""
    if "Stripe-Signature" not in (sample.get("headers") or {}):
        return sample
    header = signatures.header_of(sample["body"].encode(), [SIGNING_SECRET], now=time.time())
    headers = {**sample["headers"], "Stripe-Signature": header}
    return {**sample, "headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}}


def test_sample_request_gets_a_documented_response(db, aws):
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    surprises = {}
    for name in having("requestContext"):
        sample = SAMPLES[name]
        documented = paths[sample["resource"]][sample["httpMethod"].lower()]["responses"].keys()
        status = str(invoke(name)["statusCode"])
        if status not in documented - NOT_UNDERSTOOD or status >= "500":
            surprises[name] = status

    assert surprises == {}


def test_sample_schedule_runs_its_job(db, aws):
    # The first run of a backfill asks for 30 days, hour by hour, which makes moto's queues slow.
    db.execute("insert into ops.job_runs (job, succeeded) select unnest(%s::text[]), true", [having_jobs()])
    assert {name: invoke(name)["job"] for name in having("job")} == {
        name: SAMPLES[name]["job"] for name in having("job")
    }


@pytest.mark.parametrize("name", having("Records"))
def test_sample_batch_is_processed_without_a_failure(db, aws, name):
    assert invoke(name) == {"batchItemFailures": []}


def test_invalid_sample_token_is_refused_by_the_authorizer(monkeypatch):
    for name in ("TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_JWKS_URL"):
        monkeypatch.setenv(name, "https://issuer.example.com")

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke("authorize-request")


def test_function_cannot_use_a_login_outside_its_template_settings(db):
    with mock.patch.dict(os.environ, logins_of("catalog")), pytest.raises(MissingSetting, match="SERVICE_SECRET_ARN"):
        gateway.invoke("maintain", {"job": "clean_up"})
