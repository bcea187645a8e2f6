-- public.migrate_class_instances_to_events: convert what is in staging: templates, instances, registrations,
-- waitlists.
--
-- One transaction, one import at a time. Ids stay what they were, so that doing it again changes nothing. Every row
-- ends as converted, unchanged (it was there) or rejected with a reason, in staging.outcomes; the counts of each file
-- must add up, else all is undone. Answers {file: {"read", "converted", "unchanged", "rejected"}}. For the service
-- and the owner.

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
'Convert the exports in staging; repeatable. Answers the counts of each file.';

grant execute on function public.migrate_class_instances_to_events() to service_role;
