-- The catalogue of topics: no message can have another topic. Adding one takes a migration that replaces the list.
--
-- Rows from before are not read, so that the table is locked for a moment only: earlier code wrote the same topics.

alter table public.outbox
add constraint topic_is_in_the_catalogue check (
    topic in (
        'alert.fired', 'alert.resolved', 'booking.attended', 'booking.cancelled', 'booking.confirmed',
        'booking.expired', 'booking.no_show', 'booking.reminder', 'credits.granted', 'event.cancelled',
        'event.changed', 'invoice.issued', 'pass.granted', 'payment.disputed', 'payment.returned', 'payout.failed',
        'person.erased', 'reconciliation.differs', 'refund.exceeded', 'refund.failed', 'refund.requested',
        'refund.succeeded', 'waitlist.expired', 'waitlist.joined', 'waitlist.lapsed', 'waitlist.offered',
        'webhook_endpoint.disabled'
    )
) not valid;
