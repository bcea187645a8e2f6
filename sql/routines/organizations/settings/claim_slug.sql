-- organizations.claim_slug: claim an organization's slug for it alone, now and after a change.
--
-- A row trigger on organizations.organizations. The primary key of organizations.slugs decides between two claims at
-- the same time: the second one waits for the first. A former slug of the same organization can be used again.
--
-- Refuses: 409 slug_taken.

create or replace function organizations.claim_slug()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into organizations.slugs (slug, organization_id)
    values (new.slug, new.id)
    on conflict do nothing;

    if not exists (
        select from organizations.slugs as s where s.slug = new.slug and s.organization_id = new.id
    ) then
        raise exception using errcode = 'PT409', message = 'slug_taken',
            detail = jsonb_build_object('slug', new.slug)::text;
    end if;
    return null;
end;
$$;

create or replace trigger claim_slug_inserted after insert on organizations.organizations
for each row execute function organizations.claim_slug();

create or replace trigger claim_slug_updated after update of slug on organizations.organizations
for each row when (old.slug is distinct from new.slug)
execute function organizations.claim_slug();
