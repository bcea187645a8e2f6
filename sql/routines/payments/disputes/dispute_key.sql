-- payments.dispute_key: return the key of a posting of a dispute.
--
-- `kind` is dispute for a withdrawal, and dispute_won for its reversal. `number` counts the earlier withdrawals,
-- because a dispute that was won can be opened or lost again.

create or replace function payments.dispute_key(kind text, stripe_id text, number integer)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        dispute_key.kind || ':' || dispute_key.stripe_id
        || case when dispute_key.number = 0 then '' else ':' || dispute_key.number end;
$$;

comment on function payments.dispute_key(text, text, integer) is 'Return the key of a posting of a dispute.';
