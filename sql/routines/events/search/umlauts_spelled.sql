-- events.umlauts_spelled: return a composed text with German umlauts as two letters: Zürich is Zuerich.
--
-- One expression without a search path, so that the planner inlines it.

create or replace function events.umlauts_spelled(value text)
returns text
language sql
immutable
parallel safe
return replace(
    replace(
        replace(
            replace(
                replace(
                    replace(value, U&'\00E4', 'ae'), U&'\00F6', 'oe'
                ), U&'\00FC', 'ue'
            ), U&'\00C4', 'Ae'
        ), U&'\00D6', 'Oe'
    ), U&'\00DC', 'Ue'
);

comment on function events.umlauts_spelled(text) is 'Return a composed text with German umlauts as two letters.';
