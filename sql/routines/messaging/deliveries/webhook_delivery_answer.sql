-- messaging.webhook_delivery_answer: return a delivery as the API shows it, within the statement that changed it.
--
-- It is volatile so that it sees that change. It reads with the owner's rights, so it checks that the caller is allowed
-- to see the organization's endpoints, as the view does.

create or replace function messaging.webhook_delivery_answer(delivery_id uuid)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(d)
    from messaging.webhook_delivery_details as d
    inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
    where
        d.id = webhook_delivery_answer.delivery_id
        and organizations.caller_is(e.organization_id, 'viewer', 'editor', 'admin', 'owner');
$$;

comment on function messaging.webhook_delivery_answer(uuid) is
'Return a delivery as the API shows it, within the statement that changed it.';

grant execute on function messaging.webhook_delivery_answer(uuid) to authenticated, service_role;
