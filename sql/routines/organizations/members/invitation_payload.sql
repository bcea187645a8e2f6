-- organizations.invitation_payload: return the message about a sent invitation. The address is read at sending.

create or replace function organizations.invitation_payload(invitation organizations.invitations)
returns jsonb
language sql
stable
return jsonb_build_object(
    'id', (invitation_payload.invitation).id,
    'organization_id', (invitation_payload.invitation).organization_id,
    'role', (invitation_payload.invitation).role,
    'sends', (invitation_payload.invitation).sends,
    'expires_at', (invitation_payload.invitation).expires_at
);

comment on function organizations.invitation_payload(organizations.invitations) is
'Return the message about a sent invitation.';
