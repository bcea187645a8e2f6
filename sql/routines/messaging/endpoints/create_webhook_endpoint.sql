-- messaging.create_webhook_endpoint: create an endpoint for the caller's organization.
--
-- For admins of the organization that the token names. The caller chooses the id, because the sealed secret is bound to
-- it. The endpoint receives the messages that are created from now on. Locks the organization's row, so that two
-- simultaneous calls cannot exceed the limit. Returns the endpoint.
--
-- Refuses: 403 forbidden; 409 too_many_webhook_endpoints, while the organization has 20.

create or replace function messaging.create_webhook_endpoint(
    id uuid, url text, topics text[], description text, sealed_secret text
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization_id uuid := messaging.webhook_organization();
    the_endpoint messaging.webhook_endpoints;
begin
    perform from organizations.organizations as o where o.id = the_organization_id for no key update;

    if 20 <= (
        select count(*) from messaging.webhook_endpoints as e where e.organization_id = the_organization_id
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_webhook_endpoints',
            detail = jsonb_build_object(
                'detail', 'The organization has 20 endpoints, the maximum. Delete one first.', 'most', 20
            )::text;
    end if;

    insert into messaging.webhook_endpoints (id, organization_id, url, topics, description)
    values (
        create_webhook_endpoint.id, the_organization_id, create_webhook_endpoint.url, create_webhook_endpoint.topics,
        create_webhook_endpoint.description
    )
    returning * into the_endpoint;

    perform messaging.add_webhook_secret(the_endpoint.id, create_webhook_endpoint.sealed_secret);
    return to_jsonb(the_endpoint);
end;
$$;

comment on function messaging.create_webhook_endpoint(uuid, text, text[], text, text) is
'Create an endpoint for the caller''s organization, with its sealed secret.';

grant execute on function messaging.create_webhook_endpoint(uuid, text, text[], text, text)
to authenticated, service_role;
