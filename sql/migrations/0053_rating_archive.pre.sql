-- What becomes of an event while it is written, and where months of events go that are no longer looked at.

create type rating.outcome as (
    number integer,
    place integer,
    organization_id uuid,
    key text,
    content bigint,
    status text,
    code text,
    detail text,
    event_id bigint
);

comment on type rating.outcome is 'What became of an event of a request; no status: its key was known. Internal.';

create schema rating_archive;

comment on schema rating_archive is 'Months of events that were counted long ago. Nobody may use it but the owner.';
