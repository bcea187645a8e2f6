-- ops.erase_person: delete, empty or replace a person's data, by the rules of ops.retention.
--
-- Applies the rules in the table's order, because later rules change values by which earlier ones find their rows.
-- Every condition has an index, so the work grows with the person's rows. A repeated call covers rows that were added
-- since. The caller has locked the person's events, payments, purchases and wallets, in this order. The conditions are
-- taken from the table, which only its owner can write. Internal. Returns the number of changed rows for each table.

create or replace function ops.erase_person(user_id uuid, emails text[], instructor_names text[])
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_statement record;
    changed integer;
    totals jsonb := '{}';
begin
    for the_statement in
        select
            r.table_name,
            case
                when bool_or(r.kind = 'row') then format('delete from %s as r where %s', r.table_name, r.found_by)
                else format(
                    'update %s as r set %s where (%s) and (%s)',
                    r.table_name,
                    string_agg(format('%I = %s', r.column_name, coalesce(r.replacement, 'null')), ', ' order by r.place),
                    r.found_by,
                    string_agg(
                        format('r.%I is distinct from (%s)', r.column_name, coalesce(r.replacement, 'null')), ' or '
                        order by r.place
                    )
                )
            end as command
        from ops.retention as r
        where r.on_erasure <> 'keep' and r.found_by is not null
        group by r.table_name, r.found_by, r.kind = 'row'
        order by min(r.place)
    loop
        execute the_statement.command
        using erase_person.user_id, erase_person.emails, erase_person.instructor_names;
        get diagnostics changed = row_count;
        totals := totals || jsonb_build_object(
            the_statement.table_name, coalesce((totals ->> the_statement.table_name)::integer, 0) + changed
        );
    end loop;
    return totals;
end;
$$;

comment on function ops.erase_person(uuid, text[], text[]) is
'Delete, empty or replace a person''s data, by the rules of ops.retention; returns the number of rows for each table.';
