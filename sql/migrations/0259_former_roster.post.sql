-- The roster shows the names of attendees, by events.roster_v2.

-- squawk-ignore ban-drop-function
drop function if exists events.roster(uuid, uuid, integer);
