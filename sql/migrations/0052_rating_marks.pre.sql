-- Marks that are told apart for ever, for an item that was done and is marked again must not look like the mark before;
-- and what a request of events is while it is written.

create sequence rating.generations as bigint;
alter table rating.dirty_items alter column generation set default nextval('rating.generations');

comment on column rating.dirty_items.generation is
'Another one with each marking, and never the same again: a marking while in work is not lost.';

create type rating.ingestion as (
    number integer,
    organization_id uuid,
    caller_id uuid,
    is_service boolean,
    events json
);

comment on type rating.ingestion is 'A request of events: whose, and an array of them as they came. Internal.';
