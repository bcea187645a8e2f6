-- rating.json_time: return the time in a JSON string with an offset, from 1970 to one day ahead, or null.

create or replace function rating.json_time(member jsonb)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    written constant text := rating.json_text(json_time.member);
    moment timestamptz;
begin
    if written ~* '^\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(z|[+-]\d\d(:?\d\d)?)$'
        and pg_input_is_valid(written, 'timestamptz')
    then
        moment := written;
    end if;
    return case when moment between timestamptz 'epoch' and now() + interval '24 hours' then moment end;
end;
$$;

comment on function rating.json_time(jsonb) is
'Return the time in a JSON string with an offset, from 1970 to one day ahead, or null.';
