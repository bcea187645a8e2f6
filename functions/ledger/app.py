"""Maintains the ledger: seals new entries, verifies all of it, and compares it with Stripe's balance."""

from typing import Any

from marquee.core import database
from marquee.edge import dispatch, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, logger, metrics, observed
from marquee.operations import jobs
from marquee.payments import ledger, stripe_balance


def seal(_turn: schedules.Turn) -> schedules.Outcome:
    """Chain new entries to the earlier entries of their accounts."""
    with database.single(database.service()) as session:
        sealed, more = ledger.seal(session)
    metrics.add_metric(name="EntrySealed", unit=MetricUnit.Count, value=sealed)
    return schedules.Outcome(sealed, more=more)


def verify(_turn: schedules.Turn) -> schedules.Outcome:
    """Report every row that differs from the state in which posting and sealing left it."""
    with database.single(database.service()) as session:
        findings = ledger.verify(session)
    with database.single(database.service()) as session:
        findings += ledger.verify_credits(session)
    for finding in findings[:100]:
        logger.error("ledger_finding", finding=finding.finding, transaction_id=str(finding.transaction_id))
    metrics.add_metric(name="LedgerFinding", unit=MetricUnit.Count, value=len(findings))
    return schedules.Outcome(len(findings), details={"findings": len(findings)})


def compare(_turn: schedules.Turn) -> schedules.Outcome:
    """Record and report differences between the clearing account and Stripe's balance."""
    compared = stripe_balance.compare()
    metrics.add_metric(name="DifferenceOpened", unit=MetricUnit.Count, value=compared["opened"])
    return schedules.Outcome(compared["opened"], details=compared)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and record its run."""
    work = {"seal_ledger": seal, "verify_ledger": verify, stripe_balance.COMPARING: compare}
    return jobs.record_run(str(event.get("job")), lambda: schedules.run(event, context, work))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Run by one of the schedules."""
    return dispatch.by_trigger(event, context, schedule=run)
