-- events.facet: return the lexeme of a filter of the catalog, such as :city:zurich.
--
-- Words contain no colon, so neither a word nor a prefix equals a facet.

create or replace function events.facet(name text, value text)
returns text
language sql
immutable
parallel safe
return ':' || name || ':' || left(value, 200);

comment on function events.facet(text, text) is 'Return the lexeme of a filter of the catalog.';
