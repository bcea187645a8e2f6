-- ops.clean_up: delete or empty data whose retention period is over, by the rules of ops.retention.
--
-- Applies each rule that has a period once, in the table's order, to at most `most` rows. Locked rows are skipped, so
-- it never waits. Raw metrics are deleted only after they are rolled up. Safe to repeat. Returns the number of rows for
-- each rule, and whether there is more. For the service.

create or replace function ops.clean_up(at timestamptz default statement_timestamp(), most integer default 5000)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_rule ops.retention;
    ended jsonb := '{}';
begin
    for the_rule in
        select r.*
        from ops.retention as r
        where r.period is not null
        order by r.place
    loop
        ended := ended || jsonb_build_object(
            the_rule.rule, ops.apply_retention(the_rule, clean_up.at, clean_up.most)
        );
    end loop;

    return ended || jsonb_build_object(
        'more', exists (select from jsonb_each_text(ended) as e where e.value::integer >= clean_up.most)
    );
end;
$$;

comment on function ops.clean_up(timestamptz, integer) is
'Delete or empty data whose retention period is over; returns the rows for each rule, and whether there is more.';

grant execute on function ops.clean_up(timestamptz, integer) to service_role;
