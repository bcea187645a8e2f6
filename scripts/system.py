"""Write docs/system.md: the running system as Mermaid diagrams and tables, read from template.yaml.

Run `python -m scripts.system` to write it, with `--check` to learn whether it is up to date.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import documents

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "system.md"
HEAD = """\
# The running system

`make system` writes this page from `template.yaml`. Arrows show the direction of requests and messages; a dashed arrow
leads to the dead letters of a queue. [Architecture](concepts/architecture.md) gives the reasons.
"""
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
PARAMETERS = {
    "StripeSecretArn": "Stripe",
    "TokenJwksUrl": "token issuer",
}
"""The outside system that a function calls if it uses a parameter."""

SIGNED_BY_STRIPE = "StripeSigningSecretArn"
OUTWARD = "Outputs.OutwardSecurityGroup"
"""The security group of functions that may call the internet: Stripe if they hold its key, else subscribers."""

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((\d+) (\d+|\*) \* \* \? \*\)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of a function and how often it runs."""

    name: str
    often: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function, its triggers and the systems that it reaches."""

    name: str
    part: str
    does: str
    routes: int
    authorizes: bool
    migrates: bool
    schedules: tuple[Schedule, ...]
    reads: tuple[str, ...]
    sends: tuple[str, ...]
    calls: tuple[str, ...]
    stripe_calls: bool
    database: bool

    @property
    def relays(self) -> bool:
        """Whether the function carries the outbox to queues."""
        return "outbox" in self.does.lower() and bool(self.sends)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, the attempts that a message has, and the queue for messages that failed them all."""

    name: str
    attempts: int
    dead_letters: str


@dataclass(frozen=True, slots=True)
class System:
    """The functions and queues of a template."""

    functions: tuple[Function, ...]
    queues: tuple[Queue, ...]

    @property
    def parts(self) -> list[str]:
        """Return the parts of the business, in the template's order."""
        return list(dict.fromkeys(each.part for each in self.functions))

    def of(self, part: str) -> list[Function]:
        """Return the functions of a part."""
        return [each for each in self.functions if each.part == part]


def read(template: dict[str, Any]) -> System:
    """Read functions, triggers, queues and permissions from a SAM template."""
    resources = template["Resources"]
    routes = _routes_by_function(resources)
    readers = _readers(resources)
    makers = {id_ for each in resources.values() for id_ in _mentioned(each.get("Properties", {}).get("ServiceToken"))}
    guards = {
        id_
        for each in resources.values()
        if each["Type"] == "AWS::Serverless::Api"
        for id_ in _mentioned(each["Properties"].get("Auth", {}).get("Authorizers"))
    }
    functions = []
    for id_, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        used = set(_mentioned([properties.get("Policies"), properties.get("Environment")]))
        (logs, *_none) = [*_mentioned(properties.get("LoggingConfig", {}).get("LogGroup")), "OtherLogs"]
        functions.append(
            Function(
                name=Path(properties["CodeUri"]).name,
                part=_words(logs.removesuffix("Logs")),
                does=properties["Description"],
                routes=routes.get(id_, 0),
                authorizes=id_ in guards,
                migrates=id_ in makers,
                schedules=tuple(_schedules(properties)),
                reads=tuple(readers.get(id_, ())),
                sends=tuple(_sends(properties.get("Policies"))),
                calls=tuple(_calls(properties, used)),
                stripe_calls=SIGNED_BY_STRIPE in used,
                database=any(re.match(r"Database\w*SecretArn$", each) for each in used),
            )
        )
    queues = []
    for id_, resource in resources.items():
        policy = resource.get("Properties", {}).get("RedrivePolicy")
        if resource["Type"] == "AWS::SQS::Queue" and policy:
            (dead,) = _mentioned(policy["deadLetterTargetArn"])
            queues.append(Queue(_short(id_), policy["maxReceiveCount"], dead))
    return System(tuple(functions), tuple(queues))


def _routes_by_function(resources: dict[str, Any]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for api in (each for each in resources.values() if each["Type"] == "AWS::Serverless::Api"):
        for operations in api["Properties"]["DefinitionBody"]["paths"].values():
            for method in METHODS & operations.keys():
                for id_ in _mentioned(operations[method]["x-amazon-apigateway-integration"].get("uri")):
                    if id_ in resources:
                        counted[id_] = counted.get(id_, 0) + 1
    return counted


def _readers(resources: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in resources.values():
        if each["Type"] == "AWS::Lambda::EventSourceMapping":
            (function,) = _mentioned(each["Properties"]["FunctionName"])
            (queue,) = _mentioned(each["Properties"]["EventSourceArn"])
            found.setdefault(function, []).append(_short(queue))
    return found


def _schedules(properties: dict[str, Any]) -> Iterator[Schedule]:
    for id_, event in properties.get("Events", {}).items():
        if event["Type"] == "ScheduleV2":
            yield Schedule(id_.removesuffix("Schedule"), often(event["Properties"]["ScheduleExpression"]))


def often(expression: str) -> str:
    """Return the expression of a schedule in words, or as it is if it has no short words."""
    if rate := _RATE.fullmatch(expression):
        number, unit = rate.groups()
        return f"every {unit}" if number == "1" else f"every {number} {unit}s"
    if cron := _CRON.fullmatch(expression):
        minute, hour = cron.groups()
        return f"hourly at :{int(minute):02}" if hour == "*" else f"daily at {int(hour):02}:{int(minute):02} UTC"
    return expression


def _sends(policies: Any) -> Iterator[str]:
    for statement in _statements(policies):
        actions = statement["Action"]
        if "sqs:SendMessage" in ([actions] if isinstance(actions, str) else actions):
            yield from map(_short, _mentioned(statement["Resource"]))


def _calls(properties: dict[str, Any], used: set[str]) -> Iterator[str]:
    yield from (system for parameter, system in PARAMETERS.items() if parameter in used)
    if OUTWARD in str(properties.get("VpcConfig")) and "StripeSecretArn" not in used:
        yield "subscribers"
    if any("ses:" in str(statement["Action"]) for statement in _statements(properties.get("Policies"))):
        yield "SES"


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Action" in value:
            yield value
        for inner in value.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


def _mentioned(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value refers to by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        for inner in value:
            yield from _mentioned(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner.split(".")[0]
            elif key == "Fn::GetAtt":
                yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
            elif key == "Fn::Sub" and isinstance(inner, str):
                yield from (name for name in re.findall(r"\$\{(\w+)", inner) if name != "AWS")
            else:
                yield from _mentioned(inner)


def _short(queue: str) -> str:
    return queue.removesuffix("Queue")


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _routes(number: int) -> str:
    return "1 route" if number == 1 else f"{number} routes"


# The diagrams


def node(kind: str, name: str) -> str:
    """Return a node's id, which is no word of Mermaid."""
    return f"{kind}_{re.sub(r'[^a-z0-9]+', '_', name.lower())}"


def label(*lines: str) -> str:
    """Return a quoted label of one or more lines."""
    escaped = (
        line.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") for line in lines
    )
    return '"' + "<br/>".join(escaped) + '"'


def _arrow(start: str, end: str, text: str = "", *, dashed: bool = False) -> str:
    return f"{start}{'-.->' if dashed else '-->'}{f'|{label(text)}|' if text else ''}{end}"


def _chart(lines: Iterable[str]) -> str:
    return "```mermaid\nflowchart LR\n" + "".join(f"    {line}\n" for line in dict.fromkeys(lines)) + "```\n"


def overview(system: System) -> str:
    """Return the diagram of the whole system, in which functions are grouped by part of the business."""
    routes = sum(each.routes for each in system.functions)
    lines = [f"callers([{label('browsers, apps, services')}])", f"api[{label('API Gateway', _routes(routes))}]"]
    lines += [f"scheduler[{label('EventBridge Scheduler')}]", f"database[({label('PostgreSQL')})]", "callers-->api"]
    lines.append(f"subgraph functions[{label('Lambda functions')}]")
    for part in system.parts:
        names = [each.name for each in system.of(part) if not each.authorizes]
        lines.append(f"{node('part', part)}[{label(part, *_in_rows(names))}]")
    lines += [f"{node('function', each.name)}[{label(each.name)}]" for each in system.functions if each.authorizes]
    lines.append("end")
    for part in system.parts:
        here, id_ = system.of(part), node("part", part)
        if number := sum(each.routes for each in here):
            lines.append(_arrow("api", id_, _routes(number)))
        if number := sum(len(each.schedules) for each in here):
            lines.append(_arrow("scheduler", id_, "1 schedule" if number == 1 else f"{number} schedules"))
        if any(each.database for each in here):
            lines.append(_arrow(id_, "database"))
    for each in system.functions:
        id_ = node("function", each.name) if each.authorizes else node("part", each.part)
        lines += _outside(each, id_)
        lines += [_arrow("api", id_, "token")] if each.authorizes else []
        lines += [_arrow("database", id_, "outbox")] if each.relays else []
        for queue in each.sends:
            lines += [_queue(queue), _arrow(id_, node("queue", queue))]
        for queue in each.reads:
            lines += [_queue(queue), _arrow(node("queue", queue), id_)]
    return _chart(lines)


def of_part(system: System, part: str) -> str:
    """Return the diagram of a part: its functions, triggers, queues and the systems that they reach."""
    lines, here = [], system.of(part)
    if any(each.routes or each.authorizes for each in here):
        lines.append(f"api[{label('API Gateway')}]")
    if any(each.database for each in here):
        lines.append(f"database[({label('PostgreSQL')})]")
    queues = {queue for each in here for queue in (*each.sends, *each.reads)}
    for each in here:
        id_ = node("function", each.name)
        lines.append(f"{id_}[{label(each.name)}]")
        lines += [_arrow("api", id_, _routes(each.routes))] if each.routes else []
        lines += [_arrow("api", id_, "token")] if each.authorizes else []
        if each.schedules:
            schedules = node("schedules", each.name)
            text = label(*(f"{schedule.name}: {schedule.often}" for schedule in each.schedules))
            lines += [f"{schedules}([{text}])", _arrow(schedules, id_)]
        if each.migrates:
            lines += [f"deployment([{label('each deployment')}])", _arrow("deployment", id_)]
        lines += [_arrow(id_, "database")] if each.database else []
        lines += [_arrow("database", id_, "outbox")] if each.relays else []
        lines += _outside(each, id_)
        lines += [_arrow(id_, node("queue", queue)) for queue in each.sends]
        lines += [_arrow(node("queue", queue), id_) for queue in each.reads]
    for other in system.functions:
        if other.part != part and (sent := queues & set(other.sends)):
            lines.append(f"{node('function', other.name)}[{label(other.name, f'in {other.part}')}]")
            lines += [_arrow(node("function", other.name), node("queue", queue)) for queue in sorted(sent)]
        if other.part != part and (received := queues & set(other.reads)):
            lines.append(f"{node('function', other.name)}[{label(other.name, f'in {other.part}')}]")
            lines += [_arrow(node("queue", queue), node("function", other.name)) for queue in sorted(received)]
    for queue in (each for each in system.queues if each.name in queues):
        lines += [_queue(queue.name), f"{node('dead', queue.name)}[/{label(queue.dead_letters)}/]"]
        failed = f"{queue.attempts} attempts"
        lines.append(_arrow(node("queue", queue.name), node("dead", queue.name), failed, dashed=True))
    return _chart(lines)


def _outside(function: Function, id_: str) -> Iterator[str]:
    for system in function.calls:
        yield f"{node('outside', system)}([{label(system)}])"
        yield _arrow(id_, node("outside", system))
    if function.stripe_calls:
        yield f"{node('outside', 'Stripe')}([{label('Stripe')}])"
        yield _arrow(node("outside", "Stripe"), "api", "webhooks")


def _queue(name: str) -> str:
    return f"{node('queue', name)}[[{label(name)}]]"


def _in_rows(names: list[str], size: int = 3) -> list[str]:
    return [", ".join(names[start : start + size]) for start in range(0, len(names), size)]


# The tables and the page


def _table(*rows: tuple[str, ...]) -> str:
    (head, *body) = (f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"


def functions_table(functions: list[Function]) -> str:
    """Return the list of functions: name and description."""
    return "".join(f"- `{each.name}`: {each.does.rstrip('.')}\n" for each in functions)


def queues_table(system: System) -> str:
    """Return the table of queues: senders, readers and dead letters."""

    def names(queue: Queue, attribute: str) -> str:
        return ", ".join(f"`{each.name}`" for each in system.functions if queue.name in getattr(each, attribute))

    rows = [
        (each.name, names(each, "sends"), names(each, "reads"), str(each.attempts), each.dead_letters)
        for each in system.queues
    ]
    return _table(("queue", "sent to by", "read by", "attempts", "then to"), *rows)


def page(system: System) -> str:
    """Return the whole page."""
    sections = [HEAD, overview(system), "## Queues\n", queues_table(system)]
    for part in system.parts:
        sections += [f"## {part}\n", of_part(system, part), functions_table(system.of(part))]
    return "\n".join(sections)


def main() -> int:
    """Write the page, or compare it; return the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail if docs/system.md is not up to date")
    check = parser.parse_args().check
    new = page(read(documents.read(ROOT / "template.yaml")))
    if not check:
        DOCUMENT.write_text(new)
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != new:
        print("docs/system.md is not up to date: run `make system`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
