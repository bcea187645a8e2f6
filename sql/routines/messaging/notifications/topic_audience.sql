-- messaging.topic_audience: return the audience of a topic; null where nobody is notified.
--
-- Written by `make topics` from the catalogue in marquee/messaging/topics.py.

create or replace function messaging.topic_audience(topic text)
returns text
language sql
immutable
return case
    when topic_audience.topic in (
        'webhook_endpoint.disabled'
    )
        then 'admins'
    when topic_audience.topic in (
        'payment.disputed',
        'payout.failed',
        'refund.exceeded',
        'refund.failed'
    )
        then 'bookkeepers'
    when topic_audience.topic in (
        'booking.attended',
        'booking.cancelled',
        'booking.changed',
        'booking.confirmed',
        'booking.expired',
        'booking.no_show',
        'booking.reminder',
        'credits.granted',
        'erasure.scheduled',
        'event.changed',
        'invoice.issued',
        'pass.granted',
        'payment.returned',
        'refund.requested',
        'refund.succeeded',
        'waitlist.expired',
        'waitlist.joined',
        'waitlist.lapsed',
        'waitlist.offered'
    )
        then 'customer'
    when topic_audience.topic in (
        'event.cancelled',
        'event.lead_changed'
    )
        then 'instructor'
    when topic_audience.topic in (
        'invitation.sent'
    )
        then 'invitee'
    when topic_audience.topic in (
        'ownership.offered'
    )
        then 'member'
    when topic_audience.topic in (
        'alert.fired',
        'alert.resolved',
        'reconciliation.differs'
    )
        then 'operators'
end;

comment on function messaging.topic_audience(text) is
'Return the audience of a topic; null where nobody is notified.';
