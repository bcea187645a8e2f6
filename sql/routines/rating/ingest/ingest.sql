-- rating.ingest: write the rating events of a request, and return the result of each.
--
-- Accepts up to 500 objects: {"type": "vote", "key", "item_a", "item_b", "winner", "kind"?}, {"type": "slider", "key",
-- "item_id", "value"} or {"type": "fire", "key", "item_id"}. Each may have "voter_id" (default: the caller) and
-- "occurred_at". Returns for each, in order, {"index", "key", "status": "accepted" | "duplicate" | "refused", "code"?,
-- "detail"?, "event_id"?}. An event is a duplicate if its key was used for the same event, whenever that occurred. So
-- is a second fire of one voter for an item. Resending is therefore safe.
--
-- Codes of single events: invalid_event, unknown_type, items_are_the_same, winner_not_in_pair, key_reused, forbidden,
-- item_not_found, daily_limit_reached. rating.write_events describes permissions and locks.
--
-- Refuses: 403 forbidden, to an erased caller; 404 organization_not_found; 422 invalid_request, for more events or for
-- a value other than an array.

create or replace function rating.ingest(organization_id uuid, events json)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    results jsonb;
begin
    perform users.refuse_erased();
    if json_typeof(ingest.events) is distinct from 'array' or json_array_length(ingest.events) > 500 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`events` must be an array of at most 500 events.')::text;
    end if;

    if not exists (select from organizations.organizations as o where o.id = ingest.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

    if json_array_length(ingest.events) = 1 then
        results := rating.write_vote(
            ingest.organization_id, ops.caller_id(), ops.caller_is_service(), ingest.events
        );
        if results is not null then
            return results;
        end if;
    end if;

    select w.results into results
    from rating.write_events(
        array[row(1, ingest.organization_id, ops.caller_id(), ops.caller_is_service(), ingest.events)::rating.ingestion]
    ) as w;

    return coalesce(results, '[]');
end;
$$;

comment on function rating.ingest(uuid, json) is
'Write up to 500 votes, sliders and fires. Returns the result of each, in order.';

grant execute on function rating.ingest(uuid, json) to authenticated, service_role;
