-- rating.ingest: take the events of a request.
--
-- Up to 500, each an object: {"type": "vote", "key", "item_a", "item_b", "winner", "kind"?}, {"type": "slider", "key",
-- "item_id", "value"} or {"type": "fire", "key", "item_id"}, with "voter_id" (left out: the caller) and "occurred_at"
-- where the client has them. Answers for each, in order, {"index", "key", "status": "accepted" | "duplicate" |
-- "refused", "code"?, "detail"?, "event_id"?}. A key that was used for the same event is a duplicate, whenever it
-- occurred, and so is a fire of somebody who has lit the item before: sending again does no harm.
--
-- What is refused singly, with its code: invalid_event, unknown_type, items_are_the_same, winner_not_in_pair,
-- key_reused, forbidden, item_not_found, daily_limit_reached. See rating.write_events for who may rate what, and for
-- what it locks.
--
-- Refuses: 403 forbidden, to an erased caller; 404 organization_not_found; 422 invalid_request, for what is no array,
-- or a longer one.

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
'Take up to 500 votes, sliders and fires; answers what became of each, in order.';

grant execute on function rating.ingest(uuid, json) to authenticated, service_role;
