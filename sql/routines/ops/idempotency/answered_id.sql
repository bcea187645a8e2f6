-- ops.answered_id: return the id of the object in a stored response.
--
-- A response that an earlier release stored is the id alone.

create or replace function ops.answered_id(answer text)
returns uuid
language sql
immutable
return case
    when starts_with(answered_id.answer, '{') then (answered_id.answer::jsonb ->> 'id')::uuid
    else answered_id.answer::uuid
end;

comment on function ops.answered_id(text) is 'Return the id of the object in a stored response.';
