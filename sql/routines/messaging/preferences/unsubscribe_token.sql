-- messaging.unsubscribe_token: return the signed token by which a person stops the e-mails of a family.
--
-- It has the newest key's id, the person's id, the family and the signature. It gives no other right, does not expire,
-- and is not stored. For the service.

create or replace function messaging.unsubscribe_token(user_id uuid, family text)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select concat_ws(
        '.', k.id, unsubscribe_token.user_id, unsubscribe_token.family,
        messaging.unsubscribe_signature(k.id, unsubscribe_token.user_id, unsubscribe_token.family)
    )
    from messaging.unsubscribe_keys as k
    order by k.id desc
    limit 1;
$$;

comment on function messaging.unsubscribe_token(uuid, text) is
'Return the signed token by which a person stops the e-mails of a family.';

grant execute on function messaging.unsubscribe_token(uuid, text) to service_role;
