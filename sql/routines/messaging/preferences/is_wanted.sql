-- messaging.is_wanted: return whether a person receives the messages of a family on a channel.
--
-- True without a family: payments and cancellations are always sent. Never null. Locks nothing. Internal.

create or replace function messaging.is_wanted(user_id uuid, family text, channel text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select is_wanted.family is null or not exists (
        select
        from messaging.preferences as p
        where
            p.user_id = is_wanted.user_id
            and p.family = is_wanted.family
            and p.channel = is_wanted.channel
            and p.delivery = 'off'
    );
$$;

comment on function messaging.is_wanted(uuid, text, text) is
'Return whether a person receives the messages of a family on a channel.';
