-- users.sync_profile: create the caller's profile from the claims, or update its address.
--
-- A new profile takes a valid name from the claims (users.is_name). Its language is that of their locale (fr, fr-CH,
-- fr_CH) if it is known, otherwise English. Afterwards only the person changes name and language. The address follows
-- each newer token (`iat`) with a verified one. An older token, or one without a verified address or a time, does not
-- replace a verified address.
--
-- The last ten former addresses are kept as long as imported rows, so that erasure finds those rows. An erased profile
-- stays as it is. Idempotent. Internal: granted to nobody.
--
-- Locks the profile only to change it, and before any event: bookings and erasure take both in this order.

create or replace function users.sync_profile(user_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_claims jsonb := ops.claims();
    the_address text := users.token_address(the_claims);
begin
    if exists (
        select from users.profiles as p
        where p.id = sync_profile.user_id and (p.erased_at is not null or users.is_current(p, the_claims))
    ) then
        return;
    end if;

    insert into users.profiles as p (id, email, email_verified_at, name, language)
    values (
        sync_profile.user_id,
        the_address,
        case
            when the_address is not null
            then least(coalesce(users.token_issued_at(the_claims), statement_timestamp()), statement_timestamp())
        end,
        case when users.is_name(the_claims ->> 'name') then the_claims ->> 'name' end,
        coalesce(
            (
                select l.code
                from ref.languages as l
                where l.code = lower(substring(the_claims ->> 'locale' from '^([A-Za-z]{2})(?:[-_].*)?$'))
            ),
            'en'
        )
    )
    on conflict (id) do update
    set
        email = excluded.email,
        email_verified_at = excluded.email_verified_at,
        former_emails = case
            when lower(users.verified_address(p)) <> lower(excluded.email)
            then array_append(
                array_remove((p.former_emails)[greatest(cardinality(p.former_emails) - 8, 1):], lower(p.email)),
                lower(p.email)
            )
            else p.former_emails
        end,
        email_changed_at = case
            when lower(users.verified_address(p)) <> lower(excluded.email) then statement_timestamp()
            else p.email_changed_at
        end
    where
        p.erased_at is null
        and excluded.email is not null
        and (p.email_verified_at is null or users.token_issued_at(the_claims) > p.email_verified_at);
end;
$$;

comment on function users.sync_profile(uuid) is 'Create the caller''s profile from the claims, or update its address.';
