"""Every sample of events/ is understood by the function that it is named after."""

import json
from pathlib import Path

import pytest

from tests import gateway

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))}
NOT_UNDERSTOOD = {"400", "401", "405", "413", "415", "422"}


def having(member):
    return [name for name, sample in SAMPLES.items() if member in sample and "type" not in sample]


def invoke(name):
    return gateway.invoke(name.split("-", maxsplit=1)[0], SAMPLES[name])


def test_every_request_gets_a_documented_answer(db):
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    surprises = {}
    for name in having("requestContext"):
        sample = SAMPLES[name]
        documented = paths[sample["resource"]][sample["httpMethod"].lower()]["responses"].keys()
        status = str(invoke(name)["statusCode"])
        if status not in documented - NOT_UNDERSTOOD or status >= "500":
            surprises[name] = status

    assert surprises == {}


def test_every_schedule_runs_its_job(db, aws):
    assert {name: invoke(name)["job"] for name in having("job")} == {
        name: SAMPLES[name]["job"] for name in having("job")
    }


@pytest.mark.parametrize("name", having("Records"))
def test_a_batch_is_done_without_a_failure(db, aws, name):
    assert invoke(name) == {"batchItemFailures": []}


def test_a_token_that_is_none_is_refused_by_the_authorizer(monkeypatch):
    for name in ("TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_JWKS_URL"):
        monkeypatch.setenv(name, "https://issuer.example.com")

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke("authorize-request")
