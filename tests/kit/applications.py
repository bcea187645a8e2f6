"""Read the sample applications and their expected reports. Run as a module, it writes the reports."""

import tempfile
from pathlib import Path

from local import plans, template
from local.report import paragraphs
from local.resources import Account

HERE = Path(__file__).resolve().parents[1] / "local" / "applications"
FOLDERS = sorted(file.parent for file in HERE.glob("*/template.*"))


def plan(folder: Path, scratch: Path) -> plans.Plan:
    """Return the application's plan, in a separate account."""
    [file] = folder.glob("template.*")
    return plans.Plan(template.load(file, {}, Account("shop", "eu-central-1"), scratch))


def report(planned: plans.Plan, stack: plans.Stack) -> str:
    """List the parts that run, then the report as it is shown."""
    lines = [f"function {name}" for name in sorted(stack.functions)]
    lines += [f"queue {queue.logical_id}" for queue in planned.queues]
    lines += [f"source {source.logical_id} → {source.function}" for source in stack.sources]
    lines += [f"schedule {schedule.logical_id}" for schedule in stack.schedules]
    for api in sorted(stack.apis, key=lambda api: api.logical_id):
        for operation in sorted(api.operations, key=lambda operation: (operation.path, operation.method)):
            way = "501" if operation.refusal else operation.function or "mock"
            check = f", checked by {operation.authorizer}" if operation.authorizer else ""
            lines.append(f"{api.logical_id}: {operation.method} {operation.path} → {way}{check}")
    text = "\n".join([*sorted(lines), *paragraphs(stack.report)])
    return text.replace(f"{HERE}/", "") + "\n"


def main() -> None:
    """Write the report of each application."""
    for folder in FOLDERS:
        with tempfile.TemporaryDirectory() as scratch:
            planned = plan(folder, Path(scratch))
            (folder / "expected.txt").write_text(report(planned, planned.read()))


if __name__ == "__main__":
    main()
