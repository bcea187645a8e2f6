-- organizations.record_invitation: record a fact about an invitation in the organization's changes, by its id.
--
-- The address is not recorded, because an erasure leaves the record. `before` is the former row, or null for a new
-- invitation. Internal.

create or replace function organizations.record_invitation(
    fact text, before organizations.invitations, after organizations.invitations
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    members constant text[] := '{role,language,status,sends,expires_at,accepted_by}';
begin
    perform organizations.record_change(
        (record_invitation.after).organization_id,
        'invitation.' || record_invitation.fact,
        (record_invitation.after).id,
        (
            select jsonb_object_agg(m.key, m.value)
            from jsonb_each(to_jsonb(record_invitation.before)) as m
            where m.key = any (members) and (record_invitation.before).id is not null
        ),
        (
            select jsonb_object_agg(m.key, m.value)
            from jsonb_each(to_jsonb(record_invitation.after)) as m
            where m.key = any (members)
        )
    );
end;
$$;

comment on function organizations.record_invitation(text, organizations.invitations, organizations.invitations) is
'Record a fact about an invitation in the organization''s changes, without the address.';
