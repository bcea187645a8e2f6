-- Insert an invitation of the customer with its code, a tax rate, a note about the customer, and an offer of ownership
-- to the viewer.
insert into organizations.invitations (id, organization_id, email, role, language, invited_by, expires_at)
values (
    %(invitation)s, %(organization)s, %(customer)s || '@example.org', 'editor', 'en', %(organization_owner)s,
    now() + interval '7 days'
);

insert into organizations.invitation_codes (secret_hash, invitation_id)
values (sha256(convert_to(%(side)s, 'UTF8')), %(invitation)s);

insert into organizations.tax_rates (organization_id, valid_from, rate_bps)
values (%(organization)s, current_date, 810);

insert into organizations.customers (organization_id, customer_id, walk_in, email)
values (%(organization)s, %(customer)s, true, 'walk-in@example.org');

insert into organizations.customer_notes (organization_id, customer_id, author_id, note)
values (%(organization)s, %(customer)s, %(organization_owner)s, 'Pays in cash.');

insert into organizations.ownership_offers (id, organization_id, offered_by, offered_to, stays_as, expires_at)
values (
    %(ownership_offer)s, %(organization)s, %(organization_owner)s, %(organization_viewer)s, 'admin',
    now() + interval '7 days'
);
