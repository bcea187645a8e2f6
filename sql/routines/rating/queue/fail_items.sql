-- rating.fail_items: schedule another attempt for items that could not be counted.
--
-- They are retried after 10, 20, 40 … seconds, at most an hour, even if they are marked again meanwhile. Their events
-- stay in the inbox. An item that another worker has finished since stays unchanged. Locks the rows in the order of
-- organization and item. The arrays correspond by position. Returns the number of failed items.

create or replace function rating.fail_items(
    organization_ids uuid[],
    item_ids text[],
    generations bigint[],
    error text,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    failed integer;
begin
    with locked as materialized (
        select d.organization_id, d.item_id
        from unnest(fail_items.organization_ids, fail_items.item_ids, fail_items.generations)
            as f (organization_id, item_id, generation)
        inner join rating.dirty_items as d on d.organization_id = f.organization_id and d.item_id = f.item_id
        where d.generation = f.generation or d.lease_until is not null
        order by d.organization_id, d.item_id
        for update of d
    )

    update rating.dirty_items as d
    set
        attempts = d.attempts + 1,
        last_error = left(fail_items.error, 2000),
        lease_until = null,
        available_at = fail_items.at + make_interval(secs => least(3600, 10 * 2 ^ least(d.attempts, 20)))
    from locked as l
    where d.organization_id = l.organization_id and d.item_id = l.item_id;

    get diagnostics failed = row_count;
    return failed;
end;
$$;

comment on function rating.fail_items(uuid[], text[], bigint[], text, timestamptz) is
'Schedule another attempt for items that could not be counted, and record the error. Returns their number.';

grant execute on function rating.fail_items(uuid[], text[], bigint[], text, timestamptz) to service_role;
