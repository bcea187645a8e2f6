-- messaging.unsubscribe: stop the e-mails of a family to a person, by the signed token of one of them.
--
-- The family `marketing_<id>`, with the 32 digits of an organization's id, withdraws the consents to its marketing.
--
-- For everyone who has the token (RFC 8058: mail programs send no other proof). Notifications in the application stay.
-- Locks the person, so that an erasure leaves no row. Repeating it changes nothing. Returns the family.
--
-- Refuses: 404 unsubscribe_link_not_found, for a token that is not ours, or of an erased person.

create or replace function messaging.unsubscribe(token text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    parts text[] := regexp_match(
        unsubscribe.token, '^([0-9]{1,9})[.]([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[.]([a-z_]{1,40}|marketing_[0-9a-f]{32})[.]([0-9a-f]{64})$'
    );
begin
    if
        (
            parts[4] = messaging.unsubscribe_signature(parts[1]::integer, parts[2]::uuid, parts[3])
            and events.lock_person(parts[2]::uuid)
            and exists (select from users.profiles as p where p.id = parts[2]::uuid and p.erased_at is null)
        ) is not true
    then
        raise exception using errcode = 'PT404', message = 'unsubscribe_link_not_found';
    end if;

    perform from users.profiles as p where p.id = parts[2]::uuid and p.erased_at is null for share;
    if not found then
        raise exception using errcode = 'PT404', message = 'unsubscribe_link_not_found';
    end if;

    if parts[3] like 'marketing\_%' then
        perform users.withdraw_consents(parts[2]::uuid, substring(parts[3] from 11)::uuid);
        return 'marketing';
    end if;

    insert into messaging.preferences as p (user_id, family, channel, delivery)
    values (parts[2]::uuid, parts[3], 'email', 'off')
    on conflict on constraint preferences_pkey do update
    set delivery = 'off', updated_at = statement_timestamp()
    where p.delivery <> 'off';
    return parts[3];
end;
$$;

comment on function messaging.unsubscribe(text) is
'Stop the e-mails of a family to a person, by the signed token of one of them.';

grant execute on function messaging.unsubscribe(text) to anon, authenticated, service_role;
