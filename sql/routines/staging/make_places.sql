-- staging.make_places: create the missing instructors and locations that rows name.
--
-- Their name identifies them within the organization.

create or replace function staging.make_places(
    organization_ids uuid[],
    instructors text[],
    locations text[],
    cities text[]
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into organizations.instructors (organization_id, name)
    select distinct p.organization_id, p.instructor
    from unnest(make_places.organization_ids, make_places.instructors) as p (organization_id, instructor)
    where
        p.instructor is not null
        and not exists (
            select
            from organizations.instructors as i
            where i.organization_id = p.organization_id and i.name = p.instructor
        );

    insert into organizations.locations (organization_id, name, city, country, time_zone)
    select distinct on (p.organization_id, p.location) p.organization_id, p.location, p.city, o.country, o.time_zone
    from unnest(make_places.organization_ids, make_places.locations, make_places.cities)
        with ordinality as p (organization_id, location, city, number)
    inner join organizations.organizations as o on o.id = p.organization_id
    where
        p.location is not null
        and not exists (
            select
            from organizations.locations as l
            where l.organization_id = p.organization_id and l.name = p.location
        )
    order by p.organization_id, p.location, p.number;
$$;

comment on function staging.make_places(uuid[], text[], text[], text[]) is
'Create the missing instructors and locations that rows name.';
