"""The catalogue of metrics has each metric that the code emits, with its unit and dimensions, and no other."""

import ast
import re
from itertools import product
from pathlib import Path

import pytest

from marquee.edge.metric_catalog import METRICS, Metric
from scripts import metrics as page

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).parents[2]
CODE = {
    path: ast.parse(path.read_text())
    for folder in ("functions", "layers/domain")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "observability.py"  # it defines count and duration
}
UNITS = {"Count": "count", "Milliseconds": "milliseconds"}
BY_POWERTOOLS = {"ColdStart": ("count", ("function_name",))}
WARNING = re.compile(r"errcode = 'PT199', message = '(\w+)'")


class NotReadable(Exception):
    """The name of a metric cannot be read from the code."""


def passed(trees):
    """Return the constant values of each argument whose name ends with `_metric`, such as `lost_metric="Lost"`."""
    found = {}
    for keyword in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.keyword)):
        if keyword.arg and keyword.arg.endswith("_metric") and isinstance(keyword.value, ast.Constant):
            found.setdefault(keyword.arg, set()).add(keyword.value.value)
    return found


PASSED = passed(CODE.values())


def names_in(node, loops):
    """Return the values of a name: a text, one of two, those of a loop over constant tuples, or of an argument."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return names_in(node.body, loops) | names_in(node.orelse, loops)
        case ast.JoinedStr():
            parts = [
                names_in(part.value if isinstance(part, ast.FormattedValue) else part, loops) for part in node.values
            ]
            return {"".join(chosen) for chosen in product(*parts)}
        case ast.Name() if node.id in loops:
            return loops[node.id]
        case ast.Attribute() if node.attr.lstrip("_") in PASSED:
            return PASSED[node.attr.lstrip("_")]
    raise NotReadable(ast.unparse(node))


def loops_of(tree):
    """Return the constant texts of each variable of a loop over tuples, such as `for name, value in (("Sent", 1),)`."""
    found = {}
    for loop in ast.walk(tree):
        if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Tuple) and isinstance(loop.target, ast.Tuple):
            for place, variable in enumerate(loop.target.elts):
                values = [row.elts[place] for row in loop.iter.elts]
                if all(isinstance(value, ast.Constant) for value in values):
                    found.setdefault(variable.id, set()).update(value.value for value in values)
    return found


def emitted(tree):
    """Yield the emitted metrics of a function as (name, unit, dimensions). Raises NotReadable."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        loops = loops_of(function)
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
            keywords = {keyword.arg: keyword.value for keyword in call.keywords}
            if isinstance(call.func, ast.Name) and call.func.id in ("count", "duration"):
                unit = "count" if call.func.id == "count" else "milliseconds"
                dimensions = tuple(name for name in keywords if name != "milliseconds")
                yield from ((name, unit, dimensions) for name in names_in(call.args[0], loops))
            elif isinstance(call.func, ast.Attribute) and call.func.attr == "add_metric":
                unit = UNITS[keywords["unit"].attr]
                yield from ((name, unit, ()) for name in names_in(keywords["name"], loops))


def of_warnings():
    """Return the metrics of warnings that routines raise: rate_limiter_failed is RateLimiterFailed."""
    codes = {code for path in ROOT.glob("sql/routines/**/*.sql") for code in WARNING.findall(path.read_text())}
    return {"".join(word.title() for word in code.split("_")): ("count", ()) for code in codes}


def test_catalogue_is_what_the_code_emits():
    found, unreadable = {**BY_POWERTOOLS, **of_warnings()}, []
    for path, tree in CODE.items():
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            try:
                for name, unit, dimensions in emitted(function):
                    assert found.setdefault(name, (unit, dimensions)) == (unit, dimensions), name
            except NotReadable as error:
                unreadable.append(f"{path.name}: {function.name}: {error}")

    assert unreadable == ["http.py: _count_warning: ''.join((word.title() for word in code.split('_')))"]
    assert len(of_warnings()) == 1
    assert found == {name: (metric.unit, metric.by) for name, metric in METRICS.items()}


def test_catalogue_is_sorted():
    assert list(METRICS) == sorted(METRICS)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ('count("A")', {"A"}),
        ('count("A" if x else "B")', {"A", "B"}),
        (
            'for name, n in (("A", x), ("B", 2)):\n        metrics.add_metric(name=f"Un{name}", unit=MetricUnit.Count)',
            {"UnA", "UnB"},
        ),
        ('duration("A", 1, route=x)', {"A"}),
    ],
)
def test_names_are_read_from_the_code(code, names):
    assert {name for name, _, _ in emitted(ast.parse(f"def f():\n    {code}\n"))} == names


def test_names_are_read_from_the_arguments_of_a_class(monkeypatch):
    monkeypatch.setitem(globals(), "PASSED", passed([ast.parse('Worker("queue", lost_metric="A")')]))
    method = "class Worker:\n    def send(self):\n        count(self._lost_metric)\n"

    assert {name for name, _, _ in emitted(ast.parse(method))} == {"A"}


def test_name_that_cannot_be_read_is_an_error():
    with pytest.raises(NotReadable, match="name"):
        list(emitted(ast.parse("def f(name):\n    count(name)\n")))


def test_list_shows_unit_dimensions_and_alarms():
    metrics = {"Lost": Metric("lost things", by=("kind",)), "Spent": Metric("a search", "milliseconds")}

    assert page.listing(metrics, {"Lost": {"LostAlarm", "AllAlarm"}}).splitlines() == [
        "- `Lost`: lost things, by `kind` (`AllAlarm`, `LostAlarm`)",
        "- `Spent`: milliseconds of a search",
    ]


def test_alarm_on_an_unknown_metric_is_an_error():
    with pytest.raises(page.UnknownMetric, match=r"LostAlarm watches Lost"):
        page.listing({}, {"Lost": {"LostAlarm"}})


def test_alarms_are_found_by_their_metrics_and_queries():
    query = {"MetricStat": {"Metric": {"Namespace": "Marquee", "MetricName": "A"}}}
    theirs = {"MetricStat": {"Metric": {"Namespace": "AWS/SQS", "MetricName": "B"}}}

    assert page.watched({"Metrics": [query, theirs, {"Expression": "a"}]}) == {"A"}
    assert page.watched({"Namespace": "Marquee", "MetricName": "C"}) == {"C"}
    assert page.watched({"Namespace": "AWS/Lambda", "MetricName": "Errors"}) == set()
    assert page.alarms()["OutboxParked"] == {"OutboxParkedAlarm"}
