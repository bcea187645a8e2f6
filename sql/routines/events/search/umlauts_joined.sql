-- events.umlauts_joined: return a folded text with two letters that may spell an umlaut as one: zuerich is zurich.
--
-- After a vowel and after q, ue is no umlaut: steuer, quelle. One expression without a search path, so that the planner
-- inlines it.

create or replace function events.umlauts_joined(value text)
returns text
language sql
immutable
parallel safe
return regexp_replace(value, '([ao])e|(?<![aeoq])(u)e', '\1\2', 'g');

comment on function events.umlauts_joined(text) is
'Return a folded text with two letters that may spell an umlaut as one: zuerich is zurich.';
