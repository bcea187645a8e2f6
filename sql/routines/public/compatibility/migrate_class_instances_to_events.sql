-- public.migrate_class_instances_to_events: convert the exports in staging: templates, instances, registrations,
-- waitlists.
--
-- One transaction; an advisory lock lets one import run at a time. Ids stay the same, so that repeating it changes
-- nothing. Every row ends in staging.outcomes as converted, unchanged (it existed before) or rejected with a reason. If
-- the counts of a file do not add up, the whole import is rolled back. For the service and the owner. Returns {file:
-- {"read", "converted", "unchanged", "rejected"}}.

create or replace function public.migrate_class_instances_to_events()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    counts jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('public.migrate_class_instances_to_events', 0));
    delete from staging.outcomes;
    perform staging.forget_erased();

    perform staging.convert_templates();
    perform staging.convert_instances();
    perform staging.convert_registrations();
    perform staging.convert_waitlists();

    counts := (
        select jsonb_object_agg(f.file, jsonb_build_object(
            'read', f.rows,
            'converted', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'converted'),
            'unchanged', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'unchanged'),
            'rejected', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'rejected')
        ))
        from (
            values
            ('class_templates', (select count(*) from staging.class_templates)),
            ('class_instances', (select count(*) from staging.class_instances)),
            ('class_registrations', (select count(*) from staging.class_registrations)),
            ('waitlists', (select count(*) from staging.waitlists))
        ) as f (file, rows)
    );

    perform staging.verify_import(counts);
    return counts;
end;
$$;

comment on function public.migrate_class_instances_to_events() is
'Convert the exports in staging: templates, instances, registrations, waitlists.';

grant execute on function public.migrate_class_instances_to_events() to service_role;
