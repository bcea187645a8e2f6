-- users.export_rows: return the rows about a person in one table, as ops.export_rules finds them.
--
-- A row has its columns, and the name of its organization and the title and start of its event. Secrets are left out.
-- Ids of other people are null, because the export is about one person. Rating events include the archived months.
-- Returns at most `most` rows. The conditions are taken from the table, which only its owner can write. For the
-- service.

create or replace function users.export_rows(user_id uuid, table_name text, most integer default 100000)
returns setof jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
    the_rule ops.export_rules;
    the_emails text[];
    the_secrets text[];
    the_people text;
    the_names text;
    the_source text;
begin
    select r.* into the_rule
    from ops.export_rules as r
    where r.table_name = export_rows.table_name and r.found_by is not null;
    if not found then
        return;
    end if;

    select array_remove(array_append(p.former_emails, lower(users.verified_address(p))), null) into the_emails
    from users.profiles as p
    where p.id = export_rows.user_id and p.erased_at is null;
    if not found then
        return;
    end if;

    the_secrets := array(
        select r.column_name
        from ops.retention as r
        where r.table_name = export_rows.table_name and r.kind = 'secret'
    );
    select
        string_agg(
            case
                when t.typcategory = 'A'
                then format(
                    '%1$L, case when $1::text = any (r.%1$I::text[]) then jsonb_build_array($1) else ''[]'' end',
                    a.attname
                )
                else format('%1$L, case when r.%1$I::text = $1::text then r.%1$I end', a.attname)
            end,
            ', '
        )
    into the_people
    from ops.retention as p
    inner join pg_attribute as a on a.attrelid = export_rows.table_name::regclass and a.attname = p.column_name
    inner join pg_type as t on t.oid = a.atttypid
    where p.table_name = export_rows.table_name and p.kind = 'person';
    select
        string_agg(
            case a.attname
                when 'organization_id'
                then '''organization_name'', (select o.name from organizations.organizations as o'
                    ' where o.id = r.organization_id)'
                when 'event_id'
                then '''event_title'', (select e.title from events.terms as t'
                    ' inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at'
                    ' where t.event_id = r.event_id)'
                    ', ''event_starts_at'', (select t.starts_at from events.terms as t where t.event_id = r.event_id)'
            end,
            ', '
        )
    into the_names
    from pg_attribute as a
    where
        a.attrelid = export_rows.table_name::regclass
        and not a.attisdropped
        and a.atttypid = 'uuid'::regtype
        and a.attname in ('organization_id', 'event_id')
        and export_rows.table_name <> 'ops.access_log';

    for the_source in
        select export_rows.table_name
        union all
        select c.oid::regclass::text
        from pg_class as c
        where
            c.relnamespace = 'rating_archive'::regnamespace
            and c.relkind = 'r'
            and export_rows.table_name in ('rating.votes', 'rating.sliders', 'rating.fires')
            and c.relname like replace(export_rows.table_name, 'rating.', '') || '\_%'
    loop
        return query execute format(
            'select to_jsonb(r) - $3 || jsonb_build_object(%s) || jsonb_build_object(%s) from %s as r where %s limit $4',
            coalesce(the_people, ''), coalesce(the_names, ''), the_source, the_rule.found_by
        )
        using export_rows.user_id, the_emails, the_secrets, export_rows.most;
    end loop;
end;
$$;

comment on function users.export_rows(uuid, text, integer) is
'Return the rows about a person in one table, as ops.export_rules finds them.';

grant execute on function users.export_rows(uuid, text, integer) to service_role;
