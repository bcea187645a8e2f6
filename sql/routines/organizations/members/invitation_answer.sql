-- organizations.invitation_answer: return an invitation as the API shows it to owners and admins.

create or replace function organizations.invitation_answer(invitation organizations.invitations)
returns jsonb
language sql
stable
return to_jsonb(invitation_answer.invitation)
|| jsonb_build_object('status', organizations.invitation_status(invitation_answer.invitation));

comment on function organizations.invitation_answer(organizations.invitations) is
'Return an invitation as the API shows it to owners and admins.';
