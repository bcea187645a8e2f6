-- organizations.invitation_status: return an invitation's status; a pending one is expired after its time.

create or replace function organizations.invitation_status(invitation organizations.invitations)
returns text
language sql
stable
return case
    when
        (invitation_status.invitation).status = 'pending'
        and (invitation_status.invitation).expires_at <= statement_timestamp()
    then 'expired'
    else (invitation_status.invitation).status
end;

comment on function organizations.invitation_status(organizations.invitations) is
'Return an invitation''s status; a pending one is expired after its time.';
