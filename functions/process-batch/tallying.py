"""The figures of a batch, as metrics and in the log."""

from marquee.edge.observability import MetricUnit, count, logger, metrics
from marquee.rating.processing import Report


def told(report: Report) -> Report:
    """Report a batch, and return it."""
    count("RatingBatchCounted")
    for name, value in (
        ("RatingItemCounted", report.items - report.failed),
        ("RatingItemSetAside", report.failed),
        ("RatingEventCounted", report.events),
        ("ScorePublished", report.published),
        ("ScoreHeldBack", report.held),
    ):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    milliseconds = sum(report.seconds.values()) * 1000
    metrics.add_metric(name="RatingBatchDuration", unit=MetricUnit.Milliseconds, value=milliseconds)
    logger.info("ratings_processed", **report.figures())
    return report
