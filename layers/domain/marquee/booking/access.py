"""The organization of access-log entries about bookings, holds and waitlists."""

ORGANIZATION_OF_EVENT = """
(select t.organization_id from events.terms as t where t.event_id = (r.answer ->> 'event_id')::uuid)
"""
"""SQL for an answer that names its event."""
