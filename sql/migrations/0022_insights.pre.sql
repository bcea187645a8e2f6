-- What the overviews of organizations read by.

create index terms_of_organization on events.terms (organization_id, starts_at);
