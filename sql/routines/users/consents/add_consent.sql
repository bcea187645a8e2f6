-- users.add_consent: add a decision about marketing, unless the latest one is the same.
--
-- Without a decision there is no consent, so a first withdrawal is the same. Internal: the caller has locked the
-- person.

create or replace function users.add_consent(
    user_id uuid, organization_id uuid, purpose text, granted boolean, wording text, source text
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into users.consents (user_id, organization_id, purpose, granted, wording, source)
    select
        add_consent.user_id, add_consent.organization_id, add_consent.purpose, add_consent.granted,
        add_consent.wording, add_consent.source
    from (values (1)) as one (row_number)
    left join lateral (
        select c.granted, c.wording
        from users.consents as c
        where
            c.user_id = add_consent.user_id
            and c.organization_id = add_consent.organization_id
            and c.purpose = add_consent.purpose
        order by c.id desc
        limit 1
    ) as latest on true
    where
        coalesce(latest.granted, false) <> add_consent.granted
        or (add_consent.granted and latest.wording is distinct from add_consent.wording);
$$;

comment on function users.add_consent(uuid, uuid, text, boolean, text, text) is
'Add a decision about marketing, unless the latest one is the same.';
