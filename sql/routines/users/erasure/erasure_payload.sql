-- users.erasure_payload: return the message to an organization that a person whom it knew was erased.

create or replace function users.erasure_payload(user_id uuid, organization_id uuid)
returns jsonb
language sql
stable
return jsonb_build_object(
    'customer_id', erasure_payload.user_id,
    'organization_id', erasure_payload.organization_id
);

comment on function users.erasure_payload(uuid, uuid) is
'Return the message to an organization that a person whom it knew was erased.';
