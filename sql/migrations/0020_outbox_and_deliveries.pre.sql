-- What relaying the outbox and telling people need beyond the first tables.

-- A message says which request caused it, so that logs can be followed from one to the other.
alter table public.outbox alter column correlation_id
set default nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'correlation_id';

comment on column public.outbox.attempts is 'How often it could not be sent; after five it is parked.';

alter table messaging.deliveries add column lease_until timestamptz;
alter table messaging.deliveries add column user_id uuid references users.profiles on delete cascade;

create index deliveries_of_user on messaging.deliveries (user_id);
create index deliveries_by_age on messaging.deliveries using brin (created_at);
create index deliveries_unfinished on messaging.deliveries (created_at) where status = 'sending';

comment on column messaging.deliveries.lease_until is
'Somebody is sending it until then; whoever comes later takes it that they died and sends it again.';
