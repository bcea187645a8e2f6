-- users.withdraw_consents: withdraw a person's consents to the marketing of an organization, by a link in one of its
-- e-mails.
--
-- Internal: the caller has locked the person and verified the link.

create or replace function users.withdraw_consents(user_id uuid, organization_id uuid)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select users.add_consent(
        withdraw_consents.user_id, withdraw_consents.organization_id, p.purpose, false, null, 'unsubscribe_link'
    )
    from unnest(array['newsletter', 'offers', 'surveys']) as p (purpose);
$$;

comment on function users.withdraw_consents(uuid, uuid) is
'Withdraw a person''s consents to the marketing of an organization, by a link in one of its e-mails.';
