-- Remember the individual events of a series whose slot of the day has no time under the present rule.
--
-- They stay apart from events.occurrences, because another slot may have their former time.

create table events.lost_occurrences (
    event_id uuid primary key references events.terms on delete cascade,
    series_id uuid not null references events.series on delete cascade,
    local_start timestamp not null,
    place integer not null,
    constraint place_is_not_negative check (place >= 0)
);

create index lost_occurrences_of_series on events.lost_occurrences (series_id, local_start);

comment on table events.lost_occurrences is
'Events that were cancelled or edited individually, and whose slot of the day has no time under the series'' rule.';
comment on column events.lost_occurrences.local_start is 'The last local start of the slot.';
comment on column events.lost_occurrences.place is 'The place of the slot among all slots of its day, from 0.';

alter table events.lost_occurrences enable row level security;
