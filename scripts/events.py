"""Write events/*.json: one sample event for each trigger of template.yaml.

Run `python -m scripts.events` to write them, with `--check` to compare them with the triggers.

A file is named after its function's folder and its trigger: the operation of a route, the job of a schedule, the queue
of a source. Bodies, parameters and headers come from docs/openapi.json, where `x-caller` marks routes of the service
role. Messages come from the models that handlers receive. A function names events that a person sends in `SAMPLES`.
"""

import argparse
import contextlib
import difflib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from pydantic import BaseModel

from local import documents
from marquee.edge import queues
from marquee.payments import signatures
from scripts import event_shapes, openapi, templates
from scripts.event_shapes import SECONDS, Sample
from scripts.openapi_parts import Tree, example_of

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "events"
SIGNING_SECRET = "whsec_sample"  # noqa: S105 the secret of events/environment.json.example
STRIPE_EVENT = {
    "id": "evt_1SampleAAAAAAAAAAAAAAAAAA",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": SECONDS - 1,
    "data": {
        "object": {
            "id": "pi_3SampleAAAAAAAAAAAAAAAAAA",
            "object": "payment_intent",
            "amount": 2500,
            "currency": "chf",
            "status": "succeeded",
        }
    },
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "type": "payment_intent.succeeded",
}
"""The body of a route with a Stripe-Signature, which no model describes."""


class NoExample(Exception):
    """A trigger has nothing from which a sample can be written."""


class Contradiction(Exception):
    """Two triggers have the same name, or the template lacks a documented route."""


@dataclass(frozen=True)
class Triggers:
    """Everything that invokes a function; each method yields a kind of samples, with the function's folder."""

    source: Tree
    resources: Tree
    document: Tree
    folders: Mapping[str, str]
    modules: Mapping[str, ModuleType]

    def __iter__(self) -> Iterator[tuple[str, Sample]]:
        """Yield the samples of all kinds."""
        for kind in (self.routes, self.authorizers, self.schedules, self.queues, self.deployments, self.by_hand):
            yield from kind()

    def folder(self, reference: Any) -> str:
        """Return the folder of the function that a reference to it or to its alias means."""
        names = (re.sub(r"(\.Alias|Aliaslive)$", "", name) for name in templates.mentions(reference))
        return next(self.folders[name] for name in names if name in self.folders)

    def of_type(self, kind: str) -> Iterator[Tree]:
        """Yield the properties of the resources of a type."""
        return (each["Properties"] for each in self.resources.values() if each["Type"] == kind)

    def routes(self) -> Iterator[tuple[str, Sample]]:
        """Yield the requests of all routes. Raises Contradiction."""
        paths = next(self.of_type("AWS::ApiGateway::RestApi"))["Body"]["paths"]
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                if method not in paths.get(path, {}):
                    raise Contradiction(f"{method.upper()} {path} is not in template.yaml: run `make openapi` first.")
                folder = self.folder(paths[path][method]["x-amazon-apigateway-integration"]["uri"])
                for sample in requests(method.upper(), path, operation, self.document["components"]["schemas"]):
                    yield folder, sample

    def authorizers(self) -> Iterator[tuple[str, Sample]]:
        """Yield the request of each authorizer, for the first path with a token and without parameters."""
        tokens = [path for path, each in self.document["paths"].items() if each.get("get", {}).get("security")]
        path = min(path for path in tokens if "{" not in path)
        definitions = next(self.of_type("AWS::ApiGateway::RestApi"))["Body"].get("securityDefinitions", {})
        for authorizer in definitions.values():
            uri = authorizer["x-amazon-apigateway-authorizer"]["authorizerUri"]
            yield self.folder(uri), ("request", event_shapes.token_request(path))

    def schedules(self) -> Iterator[tuple[str, Sample]]:
        """Yield the input of each schedule."""
        for schedule in self.of_type("AWS::Scheduler::Schedule"):
            given = json.loads(schedule["Target"]["Input"])
            yield self.folder(schedule["Target"]["Arn"]), (f"{given['job']}-schedule", given)

    def queues(self) -> Iterator[tuple[str, Sample]]:
        """Yield a batch of each queue that a function reads."""
        for mapping in self.of_type("AWS::Lambda::EventSourceMapping"):
            folder, queue = self.folder(mapping["FunctionName"]), next(templates.mentions(mapping["EventSourceArn"]))
            kind = kind_of(self.modules[folder].lambda_handler)
            yield folder, (queue, event_shapes.batch(queue, message(kind, queue)))

    def deployments(self) -> Iterator[tuple[str, Sample]]:
        """Yield the requests for each custom resource. Its references are those of the template, before SAM."""
        for name, resource in self.source["Resources"].items():
            if resource["Type"].startswith("Custom::"):
                for sample in event_shapes.deployments(name, resource):
                    yield self.folder(resource["Properties"]["ServiceToken"]), sample

    def by_hand(self) -> Iterator[tuple[str, Sample]]:
        """Yield the events that a person sends."""
        for folder, module in self.modules.items():
            for sample in getattr(module, "SAMPLES", {}).items():
                yield folder, sample


def triggers(root: Path = ROOT) -> Triggers:
    """Read the triggers of a project."""
    source = documents.read(root / "template.yaml")
    functions = {n: each for n, each in source["Resources"].items() if each["Type"] == "AWS::Serverless::Function"}
    folders = {name: Path(each["Properties"]["CodeUri"]).name for name, each in functions.items()}
    return Triggers(
        source=source,
        resources=templates.translate(source)["Resources"],
        document=json.loads((root / "docs" / "openapi.json").read_text()),
        folders=folders,
        modules={folder: openapi.load(root / "functions" / folder / "app.py") for folder in folders.values()},
    )


def samples(found: Iterable[tuple[str, Sample]]) -> dict[str, Tree]:
    """Return the sample of each trigger, by its name. Raises NoExample and Contradiction."""
    made: dict[str, Tree] = {}
    for folder, (trigger, sample) in found:
        name = f"{folder}-{_kebab(trigger)}"
        if name in made:
            raise Contradiction(f"Two triggers have the sample events/{name}.json. Rename one of their operations.")
        made[name] = sample
    return made


def requests(method: str, path: str, operation: Tree, schemas: Tree) -> Iterator[Sample]:
    """Yield the request of a route, and another for each optional header with an example."""
    name, parameters = operation["operationId"], operation.get("parameters", [])
    optional = _values("header", parameters, schemas)
    headers = _values("header", [each for each in parameters if each.get("required")], schemas)
    known = {each["name"] for each in parameters if each["in"] == "header"}
    if "Idempotency-Key" in known:
        headers["Idempotency-Key"] = f"sample-{_kebab(name)}"
    body = _body(operation)
    if "Stripe-Signature" in known:
        body = json.dumps(STRIPE_EVENT)
        headers["Stripe-Signature"] = signatures.header_of(body.encode(), [SIGNING_SECRET], now=SECONDS)

    def sample(more: Mapping[str, str]) -> Tree:
        return event_shapes.request(
            method,
            path,
            segments=_values("path", parameters, schemas),
            query=_values("query", parameters, schemas),
            headers={**headers, **more},
            body=body,
            authorizer=event_shapes.caller(operation.get("x-caller", "authenticated"))
            if operation["security"]
            else None,
        )

    yield name, sample({})
    for header in sorted(optional.keys() - headers.keys()):
        yield f"{name}-{header}", sample({header: optional[header]})


def message(kind: type[BaseModel], queue: str) -> Tree:
    """Return an example of a queue's messages: of the kind that names this queue, or of the first that names none.

    Raises NoExample, and pydantic.ValidationError if the model refuses its own example.
    """
    schema = kind.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    choices = [definitions[each["$ref"].rsplit("/", 1)[1]] for each in schema.get("anyOf", [])] or [schema]
    for choice in sorted(choices, key=lambda choice: choice.get("queue") is None):
        if choice.get("queue") in (queue, None):
            example: Tree = example_of(choice, definitions)
            kind.model_validate_json(json.dumps(example))
            return example
    raise NoExample(f"No message of {kind.__name__} is for {queue}. Name the queue in its json_schema_extra.")


def kind_of(handler: Any) -> type[BaseModel]:
    """Return the model that a function's handler passes to queues.receive. Raises NoExample."""
    receive = mock.Mock(side_effect=_Received())
    with mock.patch.multiple(queues, receive=receive, receive_together=receive), contextlib.suppress(_Received):
        handler.__wrapped__({"Records": []}, None)
    for given in receive.call_args.args if receive.called else ():
        if isinstance(given, type) and issubclass(given, BaseModel):
            return given
    raise NoExample(f"{handler.__module__} does not pass its messages to queues.receive.")


class _Received(Exception):
    """Ends a handler as soon as it receives messages."""


def text_of(sample: Tree) -> str:
    """Return a sample as the text of its file."""
    return json.dumps(sample, indent=2, ensure_ascii=False) + "\n"


def differs(old: Mapping[str, str], new: Mapping[str, str]) -> int:
    """Print each missing, needless or changed sample. Return 1 if there is one."""
    lines = [f"events/{name} is missing." for name in sorted(new.keys() - old.keys())]
    lines += [f"events/{name} is of no trigger." for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        before, after = old[name].splitlines(), new[name].splitlines()
        lines += difflib.unified_diff(before, after, f"events/{name}", "the trigger", lineterm="")
    if lines:
        print("\n".join([*lines[:60], "The samples differ from the triggers: run `make events`."]))
    return 1 if lines else 0


def main() -> int:
    """Write the samples, or compare them; return the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if a sample differs from its trigger")
    check = parser.parse_args().check
    new = {f"{name}.json": text_of(sample) for name, sample in samples(triggers()).items()}
    old = {path.name: path.read_text() for path in FOLDER.glob("*.json") if path.name != "environment.json"}
    if check:
        return differs(old, new)
    for name in old.keys() - new.keys():
        (FOLDER / name).unlink()
    for name, text in new.items():
        (FOLDER / name).write_text(text)
    return 0


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


def _values(place: str, parameters: list[Tree], schemas: Tree) -> dict[str, str]:
    """Return the values of the required parameters of a place, and of optional ones with an example."""
    return {
        each["name"]: str(example_of(each["schema"], schemas))
        for each in parameters
        if each["in"] == place and (each.get("required") or "examples" in each["schema"])
    }


def _body(operation: Tree) -> str | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else json.dumps(content["example"], separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
