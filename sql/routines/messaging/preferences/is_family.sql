-- messaging.is_family: return whether people can switch off a family of topics by this name.
--
-- Written by `make topics` from the catalogue in marquee/messaging/topics.py.

create or replace function messaging.is_family(family text)
returns boolean
language sql
immutable
return coalesce(
    is_family.family in (
        'bookings',
        'changes',
        'credits',
        'reminders',
        'waitlist'
    ),
    false
);

comment on function messaging.is_family(text) is
'Return whether people can switch off a family of topics by this name.';
