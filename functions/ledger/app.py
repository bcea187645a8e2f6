"""Keeps the books: seals new entries, walks the whole ledger, compares it with Stripe's."""

from typing import Any

from marquee.core import database
from marquee.edge import schedules, triggers
from marquee.edge.observability import LambdaContext, MetricUnit, logger, metrics, observed
from marquee.operations import jobs
from marquee.payments import ledger, reconciling


def seal(_turn: schedules.Turn) -> schedules.Outcome:
    """New entries are chained to those before them in their accounts."""
    with database.single(database.service()) as session:
        sealed, more = ledger.seal(session)
    metrics.add_metric(name="EntrySealed", unit=MetricUnit.Count, value=sealed)
    return schedules.Outcome(sealed, more=more)


def verify(_turn: schedules.Turn) -> schedules.Outcome:
    """Everything that is not as posting and sealing left it is named."""
    with database.single(database.service()) as session:
        findings = ledger.verify(session)
    with database.single(database.service()) as session:
        findings += ledger.verify_credits(session)
    for finding in findings[:100]:
        logger.error("ledger_finding", finding=finding.finding, transaction_id=str(finding.transaction_id))
    metrics.add_metric(name="LedgerFinding", unit=MetricUnit.Count, value=len(findings))
    return schedules.Outcome(len(findings), details={"findings": len(findings)})


def compare(_turn: schedules.Turn) -> schedules.Outcome:
    """What differs between the clearing account and Stripe's balance is kept and told."""
    compared = reconciling.compare()
    metrics.add_metric(name="DifferenceOpened", unit=MetricUnit.Count, value=compared["opened"])
    return schedules.Outcome(compared["opened"], details=compared)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and write its run down."""
    work = {"seal_ledger": seal, "verify_ledger": verify, reconciling.COMPARING: compare}
    return jobs.recorded(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of its schedules."""
    return triggers.dispatch(event, context, schedule=run)
