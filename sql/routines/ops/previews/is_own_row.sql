-- ops.is_own_row: return whether this transaction, or a block in it, inserted a row, by the row's xmin.
--
-- A visible row of another transaction is committed, and only rows of this one are in progress. The row must be newer
-- than the start of this transaction: xmin has no epoch, so an old one could be mistaken for a future number.

create or replace function ops.is_own_row(inserted_by xid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case
            when is_own_row.inserted_by::text::bigint >= c.number & 4294967295
            then pg_xact_status(
                ((c.number & ~4294967295::bigint) | is_own_row.inserted_by::text::bigint)::text::xid8
            ) = 'in progress'
        end,
        false
    )
    from (select pg_current_xact_id_if_assigned()::text::bigint as number) as c;
$$;

comment on function ops.is_own_row(xid) is
'Return whether this transaction, or a block in it, inserted a row, by the row''s xmin.';
