-- messaging.unsubscribe_signature: return the signature of a person and a family by a key, in hexadecimal.
--
-- HMAC with two independent keys: a hash over the outer key and a hash over the inner key and the text. Null for an
-- unknown key. Internal.

create or replace function messaging.unsubscribe_signature(key_id integer, user_id uuid, family text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select encode(
        sha256(
            k.outer_secret || sha256(
                k.inner_secret || convert_to(
                    format('unsubscribe %s %s', unsubscribe_signature.user_id, unsubscribe_signature.family), 'UTF8'
                )
            )
        ),
        'hex'
    )
    from messaging.unsubscribe_keys as k
    where k.id = unsubscribe_signature.key_id;
$$;

comment on function messaging.unsubscribe_signature(integer, uuid, text) is
'Return the signature of a person and a family by a key, in hexadecimal.';
