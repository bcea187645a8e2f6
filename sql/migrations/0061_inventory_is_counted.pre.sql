comment on table events.inventory is
'The seats of an event: the only counters, written by the counting triggers alone.';
