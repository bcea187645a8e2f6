-- Drop the former search over partitions, and its index. events.search_listings has replaced it, so nothing calls it.
--
-- The index of a partitioned table cannot be dropped concurrently. The drop is short, and gives up after 30 seconds.

-- squawk-ignore ban-drop-function
drop function if exists events.search_events(
    text, text, text, uuid, uuid, uuid, text, text, timestamptz, timestamptz, timestamptz, uuid, integer
);
-- squawk-ignore ban-drop-function
drop function if exists events.search_query(text);
-- squawk-ignore require-concurrent-index-deletion
drop index if exists events.events_by_words;
-- squawk-ignore ban-drop-type
drop type if exists events.event_listing;
