-- The structure of the database, for reading: tables, views, triggers, policies, grants, and signatures of routines.
-- The bodies of routines are in sql/routines/<schema>/<subject>/<name>.sql. `make schema` writes this file.
--
-- Only the owner and the roles listed after a routine may execute it. A comment marks a routine open to PUBLIC.
-- The partitions listed after a table have row security, and no grants, policies, constraints, triggers or indexes of
-- their own. A partition that differs is shown as a table.
--
-- - events: tables 18, views 6, routines 212
-- - messaging: tables 10, views 2, routines 34
-- - ops: tables 20, views 1, routines 67
-- - organizations: tables 19, views 0, routines 89
-- - payments: tables 30, views 7, routines 221
-- - public: tables 1, views 12, routines 8
-- - rating: tables 16, views 1, routines 45
-- - rating_archive: tables 0, views 0, routines 0
-- - ref: tables 6, views 0, routines 0
-- - staging: tables 5, views 5, routines 12
-- - users: tables 5, views 0, routines 29

CREATE SCHEMA events;
COMMENT ON SCHEMA events IS 'Series, events, seats, bookings, holds and waitlists.';
GRANT USAGE ON SCHEMA events TO app_read, app_write;

CREATE TYPE events.booking_status AS ENUM (
    'pending_payment',
    'held',
    'confirmed',
    'cancelled',
    'refunded',
    'attended',
    'no_show',
    'expired'
);

CREATE TYPE events.commitments AS (
	event_ids uuid[],
	booking_ids uuid[],
	entry_ids uuid[]
);
COMMENT ON TYPE events.commitments IS 'Events, with their live bookings and open waitlist entries.';

CREATE TYPE events.event_status AS ENUM (
    'draft',
    'scheduled',
    'cancelled',
    'completed'
);

CREATE TYPE events.hold_purpose AS ENUM (
    'online',
    'desk',
    'offer',
    'payment'
);

CREATE TYPE events.hold_status AS ENUM (
    'active',
    'consumed',
    'released',
    'expired'
);

CREATE TYPE events.listed_event AS (
	id uuid,
	series_id uuid,
	title text,
	category text,
	language text,
	starts_at timestamp with time zone,
	ends_at timestamp with time zone,
	time_zone text,
	price_cents bigint,
	currency text,
	price_tier text,
	organization_id uuid,
	organization_name text,
	location_id uuid,
	location_name text,
	city text,
	country text,
	instructor_id uuid,
	instructor_name text,
	capacity integer,
	seats_left integer,
	availability text,
	waitlisted integer,
	booking_open boolean,
	waitlist_open boolean
);
COMMENT ON TYPE events.listed_event IS 'An event in public lists, without private columns.';

CREATE TYPE events.subject_time AS (
	subject_id uuid,
	at timestamp with time zone
);

CREATE TYPE events.occupancy_period AS RANGE (
    subtype = events.subject_time,
    multirange_type_name = events.occupancy_period_multirange
);

CREATE TYPE events.payment_method AS ENUM (
    'none',
    'comp',
    'card',
    'twint',
    'wallet',
    'pass',
    'invoice',
    'cash',
    'terminal'
);

CREATE TYPE events.series_status AS ENUM (
    'active',
    'paused',
    'archived'
);

CREATE TYPE events.visibility AS ENUM (
    'public',
    'private'
);

CREATE TYPE events.waitlist_status AS ENUM (
    'waiting',
    'offered',
    'accepted',
    'expired',
    'left'
);

CREATE DOMAIN events.cents AS bigint
	CONSTRAINT cents_are_not_negative CHECK ((VALUE >= 0));

CREATE DOMAIN events.seat_count AS integer
	CONSTRAINT seat_count_is_not_negative CHECK ((VALUE >= 0));

CREATE DOMAIN events.seats AS smallint
	CONSTRAINT seats_are_few CHECK (((VALUE >= 1) AND (VALUE <= 20)));

CREATE TABLE events.bookings (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    guest boolean DEFAULT false NOT NULL,
    status events.booking_status NOT NULL,
    status_reason character varying(500),
    payment_method events.payment_method NOT NULL,
    price_cents events.cents NOT NULL,
    currency character(3) NOT NULL,
    policy jsonb NOT NULL,
    hold_id uuid,
    booked_by uuid,
    late boolean DEFAULT false NOT NULL,
    fee_cents events.cents DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    cancelled_at timestamp with time zone,
    sequence bigint DEFAULT 0 NOT NULL,
    excused boolean DEFAULT false NOT NULL,
    returned_cents bigint DEFAULT 0 NOT NULL,
    CONSTRAINT booking_reason_is_readable CHECK (ops.is_text((status_reason)::text))
);
COMMENT ON COLUMN events.bookings.guest IS 'Extra seats for guests. The customer may have another booking of the event.';
COMMENT ON COLUMN events.bookings.price_cents IS 'The price of all seats together.';
COMMENT ON COLUMN events.bookings.policy IS 'The event''s policy at the time of booking. It determines cancellation fees and refunds.';
COMMENT ON COLUMN events.bookings.booked_by IS 'The person who booked: the customer or a member of staff. Null for a service.';
COMMENT ON COLUMN events.bookings.late IS 'The booking was cancelled after the policy''s cut-off.';
COMMENT ON COLUMN events.bookings.fee_cents IS 'The fee of a late cancellation or a no-show, by the policy.';
COMMENT ON COLUMN events.bookings.sequence IS 'The number of changes of the status or the seats.';
COMMENT ON COLUMN events.bookings.excused IS 'Staff excused the no-show: it costs no fee and does not count.';
COMMENT ON COLUMN events.bookings.returned_cents IS 'The refund for seats that were given back, in cents. `price_cents` is the price of the other seats.';
ALTER TABLE ONLY events.bookings ADD CONSTRAINT bookings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id);
ALTER TABLE ONLY events.bookings ADD CONSTRAINT bookings_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES events.holds(id);
CREATE INDEX booking_reasons_by_age ON events.bookings USING btree (created_at) WHERE (status_reason IS NOT NULL);
CREATE INDEX bookings_of_customer_by_id ON events.bookings USING btree (customer_id, id) INCLUDE (organization_id);
CREATE INDEX bookings_of_event ON events.bookings USING btree (event_id, id);
CREATE UNIQUE INDEX one_live_booking_per_customer ON events.bookings USING btree (event_id, customer_id) WHERE ((NOT guest) AND (status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status, 'confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status])));
ALTER TABLE events.bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON events.bookings FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON events.bookings TO service_role USING (true) WITH CHECK (true);
CREATE POLICY staff ON events.bookings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'accountant'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE TRIGGER add_customer AFTER INSERT ON events.bookings FOR EACH ROW EXECUTE FUNCTION organizations.enter_customer_of_row();
CREATE TRIGGER cancelled_has_a_time BEFORE UPDATE ON events.bookings FOR EACH ROW WHEN (((new.status = 'cancelled'::events.booking_status) AND (new.cancelled_at IS NULL))) EXECUTE FUNCTION events.require_cancelled_at();
CREATE TRIGGER count_changes BEFORE UPDATE OF status, seats ON events.bookings FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR ((old.seats)::smallint IS DISTINCT FROM (new.seats)::smallint))) EXECUTE FUNCTION events.count_booking_changes();
CREATE TRIGGER count_deleted AFTER DELETE ON events.bookings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_bookings();
CREATE TRIGGER count_inserted AFTER INSERT ON events.bookings FOR EACH ROW EXECUTE FUNCTION events.count_booking();
CREATE TRIGGER count_updated AFTER UPDATE ON events.bookings REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_bookings();
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.bookings FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('booking');
GRANT SELECT ON TABLE events.bookings TO app_read;

CREATE TABLE events.terms (
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    status events.event_status NOT NULL,
    visibility events.visibility NOT NULL,
    price_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    opens_at timestamp with time zone,
    closes_at timestamp with time zone NOT NULL,
    last_offer_at timestamp with time zone NOT NULL,
    policy jsonb NOT NULL,
    moved_at timestamp with time zone,
    archived boolean DEFAULT false NOT NULL,
    no_shows_at timestamp with time zone
);
COMMENT ON TABLE events.terms IS 'The facts about an event that a booking needs, copied by a trigger: one small row instead of a search of partitions.';
COMMENT ON COLUMN events.terms.moved_at IS 'When the event got its present start; null if it never moved.';
COMMENT ON COLUMN events.terms.archived IS 'Whether the organization is archived: nobody may take seats.';
COMMENT ON COLUMN events.terms.no_shows_at IS 'When unmarked bookings of the completed event become no-shows; null: none do.';
ALTER TABLE ONLY events.terms ADD CONSTRAINT terms_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY events.terms
    ADD CONSTRAINT terms_are_of_an_event FOREIGN KEY (event_id, starts_at) REFERENCES events.events(id, starts_at) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX terms_event_id_starts_at_idx ON events.terms USING btree (event_id, starts_at);
CREATE INDEX terms_of_organization ON events.terms USING btree (organization_id, starts_at);
CREATE INDEX terms_with_unmarked_bookings ON events.terms USING btree (no_shows_at) WHERE (no_shows_at IS NOT NULL);
ALTER TABLE events.terms ENABLE ROW LEVEL SECURITY;
CREATE POLICY booked ON events.terms FOR SELECT TO authenticated USING ((event_id IN ( SELECT b.event_id
   FROM events.bookings b
  WHERE (b.customer_id = ( SELECT ops.caller_id() AS caller_id)))));
CREATE POLICY members ON events.terms FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON events.terms FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'draft'::events.event_status)));
CREATE POLICY service ON events.terms TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER record_move BEFORE UPDATE OF starts_at ON events.terms FOR EACH ROW WHEN ((old.starts_at IS DISTINCT FROM new.starts_at)) EXECUTE FUNCTION events.record_move();
GRANT SELECT ON TABLE events.terms TO app_read;

CREATE TABLE events.waitlist_entries (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    place integer NOT NULL,
    status events.waitlist_status DEFAULT 'waiting'::events.waitlist_status NOT NULL,
    status_reason text,
    hold_id uuid,
    offered_at timestamp with time zone,
    offer_expires_at timestamp with time zone,
    offers_lapsed integer DEFAULT 0 NOT NULL,
    booking_id uuid,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    joined_by uuid,
    CONSTRAINT accepted_has_a_booking CHECK (((status = 'accepted'::events.waitlist_status) = (booking_id IS NOT NULL))),
    CONSTRAINT offered_has_a_hold CHECK (((status = 'offered'::events.waitlist_status) <= ((hold_id IS NOT NULL) AND (offered_at IS NOT NULL) AND (offer_expires_at IS NOT NULL)))),
    CONSTRAINT waitlist_reason_is_readable CHECK (ops.is_text(status_reason))
);
COMMENT ON COLUMN events.waitlist_entries.place IS 'The order of the waitlist, which only grows. An entry whose offer expires gets a new place at the end.';
COMMENT ON COLUMN events.waitlist_entries.joined_by IS 'The person who made the entry: the customer or a member of staff. Null for an imported entry.';
ALTER TABLE ONLY events.waitlist_entries ADD CONSTRAINT waitlist_entries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES events.holds(id);
CREATE INDEX offers_to_expire ON events.waitlist_entries USING btree (offer_expires_at) WHERE (status = 'offered'::events.waitlist_status);
CREATE UNIQUE INDEX one_person_per_place ON events.waitlist_entries USING btree (event_id, place);
CREATE UNIQUE INDEX one_waitlist_entry_per_customer ON events.waitlist_entries USING btree (event_id, customer_id) WHERE (status = ANY (ARRAY['waiting'::events.waitlist_status, 'offered'::events.waitlist_status]));
CREATE INDEX waiting_in_order ON events.waitlist_entries USING btree (event_id, place) WHERE (status = 'waiting'::events.waitlist_status);
CREATE INDEX waitlist_entries_booking_id_idx ON events.waitlist_entries USING btree (booking_id) WHERE (booking_id IS NOT NULL);
CREATE INDEX waitlist_entries_customer_id_idx ON events.waitlist_entries USING btree (customer_id);
CREATE INDEX waitlist_entries_hold_id_idx ON events.waitlist_entries USING btree (hold_id) WHERE (hold_id IS NOT NULL);
CREATE INDEX waitlist_reasons_by_age ON events.waitlist_entries USING btree (joined_at) WHERE (status_reason IS NOT NULL);
ALTER TABLE events.waitlist_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON events.waitlist_entries FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON events.waitlist_entries TO service_role USING (true) WITH CHECK (true);
CREATE POLICY staff ON events.waitlist_entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE ((t.event_id = waitlist_entries.event_id) AND (t.organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as))))));
CREATE TRIGGER add_customer AFTER INSERT ON events.waitlist_entries FOR EACH ROW EXECUTE FUNCTION organizations.enter_customer_of_event();
CREATE TRIGGER count_deleted AFTER DELETE ON events.waitlist_entries REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_waitlist();
CREATE TRIGGER count_inserted AFTER INSERT ON events.waitlist_entries FOR EACH ROW EXECUTE FUNCTION events.count_waitlist();
CREATE TRIGGER count_updated AFTER UPDATE ON events.waitlist_entries REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_waitlist();
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.waitlist_entries FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('waitlist');
GRANT SELECT ON TABLE events.waitlist_entries TO app_read;

CREATE TABLE events.events (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    organization_id uuid NOT NULL,
    series_id uuid,
    title text NOT NULL,
    description text,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    price_cents bigint DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    location_id uuid,
    instructor_id uuid,
    policy jsonb NOT NULL,
    visibility events.visibility DEFAULT 'public'::events.visibility NOT NULL,
    status events.event_status DEFAULT 'scheduled'::events.event_status NOT NULL,
    status_reason text,
    detached boolean DEFAULT false NOT NULL,
    search_config regconfig DEFAULT 'english'::regconfig NOT NULL,
    search tsvector GENERATED ALWAYS AS (((setweight(to_tsvector(search_config, title), 'A'::"char") || setweight(to_tsvector(search_config, COALESCE(category, ''::text)), 'B'::"char")) || setweight(to_tsvector(search_config, COALESCE("left"(description, 5000), ''::text)), 'C'::"char"))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    sequence bigint DEFAULT 0 NOT NULL,
    local_start timestamp without time zone,
    room_id uuid,
    resource_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT event_description_fits CHECK ((length(description) <= 20000)),
    CONSTRAINT event_ends_after_it_starts CHECK ((ends_at > starts_at)),
    CONSTRAINT event_price_is_not_negative CHECK (((price_cents >= 0) AND (price_cents <= 100000000))),
    CONSTRAINT event_texts_are_readable CHECK ((ops.is_line(title) AND ops.is_text(description) AND ops.is_text(status_reason))),
    CONSTRAINT event_title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT policy_is_an_object CHECK ((jsonb_typeof(policy) = 'object'::text))
)
PARTITION BY RANGE (starts_at);
-- Partitions: events_<year>_<month>, events_default.
COMMENT ON TABLE events.events IS 'Events, partitioned by month of their start. Partitions are created ahead, and the default one should stay empty.';
COMMENT ON COLUMN events.events.policy IS 'The booking policy when the event was created or last edited.';
COMMENT ON COLUMN events.events.detached IS 'The event was edited individually, so edits of its series skip it.';
COMMENT ON COLUMN events.events.search_config IS 'Copied from the event''s language by a trigger.';
COMMENT ON COLUMN events.events.sequence IS 'The number of changes, for SEQUENCE of calendars. Grows with each change, and never falls.';
COMMENT ON COLUMN events.events.local_start IS 'The start on the clock of the event''s time zone when it was set; null in rows from before the column.';
COMMENT ON COLUMN events.events.room_id IS 'A room of the location. events.occupancies has the foreign key.';
COMMENT ON COLUMN events.events.resource_ids IS 'Resources in use. events.occupancies has the foreign keys.';
ALTER TABLE ONLY events.events ADD CONSTRAINT events_pkey PRIMARY KEY (id, starts_at);
ALTER TABLE events.events
    ADD CONSTRAINT event_instructor_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);
ALTER TABLE events.events
    ADD CONSTRAINT event_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);
ALTER TABLE events.events
    ADD CONSTRAINT events_category_fkey FOREIGN KEY (category) REFERENCES ref.event_categories(slug);
ALTER TABLE events.events ADD CONSTRAINT events_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE events.events ADD CONSTRAINT events_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);
ALTER TABLE events.events
    ADD CONSTRAINT events_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE events.events
    ADD CONSTRAINT events_series_id_fkey FOREIGN KEY (series_id) REFERENCES events.series(id) ON DELETE SET NULL;
ALTER TABLE events.events ADD CONSTRAINT events_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);
CREATE INDEX event_reasons_by_age ON ONLY events.events USING btree (starts_at) WHERE (status_reason IS NOT NULL);
CREATE INDEX events_by_instructor ON ONLY events.events USING btree (organization_id, instructor_id, starts_at);
CREATE INDEX events_by_location ON ONLY events.events USING btree (organization_id, location_id, starts_at);
CREATE INDEX events_by_organization ON ONLY events.events USING btree (organization_id, starts_at, id);
CREATE INDEX events_by_series ON ONLY events.events USING btree (series_id, starts_at);
CREATE INDEX events_by_start ON ONLY events.events USING btree (starts_at, id) WHERE ((visibility = 'public'::events.visibility) AND (status = 'scheduled'::events.event_status));
CREATE INDEX events_to_complete ON ONLY events.events USING btree (ends_at) WHERE (status = 'scheduled'::events.event_status);
CREATE INDEX events_to_remind ON ONLY events.events USING btree (starts_at) WHERE (status = 'scheduled'::events.event_status);
ALTER TABLE events.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY booked ON events.events FOR SELECT TO authenticated USING ((id IN ( SELECT b.event_id
   FROM events.bookings b
  WHERE (b.customer_id = ( SELECT ops.caller_id() AS caller_id)))));
CREATE POLICY members ON events.events FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON events.events FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'draft'::events.event_status)));
CREATE POLICY service ON events.events TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER closed_times_inserted AFTER INSERT ON events.events REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_closed_times();
CREATE TRIGGER closed_times_updated AFTER UPDATE ON events.events REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_closed_times();
CREATE TRIGGER copy_terms_inserted AFTER INSERT ON events.events FOR EACH ROW EXECUTE FUNCTION events.copy_terms();
CREATE TRIGGER copy_terms_updated AFTER UPDATE OF starts_at, ends_at, time_zone, status, visibility, price_cents, currency, policy ON events.events FOR EACH ROW EXECUTE FUNCTION events.copy_terms();
CREATE TRIGGER count_changes BEFORE INSERT OR UPDATE ON events.events FOR EACH ROW EXECUTE FUNCTION events.count_event_changes();
CREATE TRIGGER delete_listings AFTER DELETE ON events.events REFERENCING OLD TABLE AS old_events FOR EACH STATEMENT EXECUTE FUNCTION events.delete_listings();
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.events FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('event');
CREATE TRIGGER record_occupancies_inserted AFTER INSERT ON events.events REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.record_occupancies();
CREATE TRIGGER record_occupancies_updated AFTER UPDATE ON events.events REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.record_occupancies();
CREATE TRIGGER refresh_changed_listings AFTER UPDATE ON events.events REFERENCING OLD TABLE AS old_events NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION events.refresh_changed_listings();
CREATE TRIGGER set_search_config BEFORE INSERT OR UPDATE OF language ON events.events FOR EACH ROW EXECUTE FUNCTION events.set_search_config();
GRANT SELECT ON TABLE events.events TO app_read;

CREATE TABLE events.closures (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    location_id uuid,
    room_id uuid,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    time_zone text NOT NULL,
    reason text,
    ended_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT closure_ends_after_it_starts CHECK ((ends_at > starts_at)),
    CONSTRAINT closure_reason_is_readable CHECK (ops.is_text(reason)),
    CONSTRAINT closure_reason_is_short CHECK ((length(reason) <= 500))
);
COMMENT ON TABLE events.closures IS 'When an organization, a location or a room is closed: no event takes place there. Without both, all of it is closed.';
COMMENT ON COLUMN events.closures.reason IS 'The text that customers of cancelled events receive.';
COMMENT ON COLUMN events.closures.ended_at IS 'When staff ended it early. Such a closure closes nothing any more.';
ALTER TABLE ONLY events.closures ADD CONSTRAINT closures_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.closures
    ADD CONSTRAINT closed_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);
ALTER TABLE ONLY events.closures
    ADD CONSTRAINT closed_room_is_its_own FOREIGN KEY (organization_id, room_id) REFERENCES organizations.rooms(organization_id, id);
ALTER TABLE ONLY events.closures
    ADD CONSTRAINT closures_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY events.closures
    ADD CONSTRAINT closures_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);
CREATE INDEX closures_of_location ON events.closures USING btree (organization_id, location_id);
CREATE INDEX closures_of_organization ON events.closures USING btree (organization_id, ends_at);
CREATE INDEX closures_of_room ON events.closures USING btree (organization_id, room_id);
CREATE INDEX closures_of_time_zone ON events.closures USING btree (time_zone);
ALTER TABLE events.closures ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON events.closures FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY service ON events.closures TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE events.closures TO app_read, app_write;

CREATE TABLE events.inventory (
    event_id uuid NOT NULL,
    capacity events.seat_count,
    taken events.seat_count DEFAULT 0 NOT NULL,
    held events.seat_count DEFAULT 0 NOT NULL,
    waitlisted events.seat_count DEFAULT 0 NOT NULL,
    closed boolean DEFAULT false NOT NULL,
    set_aside integer DEFAULT 0 NOT NULL,
    CONSTRAINT seats_never_oversold CHECK ((((taken)::integer + (held)::integer) <= (capacity)::integer)),
    CONSTRAINT seats_set_aside_are_free CHECK (((set_aside = 0) OR ((set_aside > 0) AND ((waitlisted)::integer > 0) AND COALESCE(((((taken)::integer + (held)::integer) + set_aside) <= (capacity)::integer), false))))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='200');
COMMENT ON TABLE events.inventory IS 'Capacity and counters of an event''s seats. Triggers change them by the rule of events.adjust_inventory.';
COMMENT ON COLUMN events.inventory.capacity IS 'Null means no limit.';
COMMENT ON COLUMN events.inventory.taken IS 'Seats of bookings with status confirmed, attended or no_show.';
COMMENT ON COLUMN events.inventory.held IS 'Seats of active holds.';
COMMENT ON COLUMN events.inventory.waitlisted IS 'Waitlist entries that wait for an offer.';
COMMENT ON COLUMN events.inventory.closed IS 'The event was cancelled: no seats or waitlist entries are added.';
COMMENT ON COLUMN events.inventory.set_aside IS 'Free seats for waitlist entries: they became free while somebody waited.';
ALTER TABLE ONLY events.inventory ADD CONSTRAINT inventory_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY events.inventory
    ADD CONSTRAINT inventory_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE events.inventory ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON events.inventory TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_event ON events.inventory FOR SELECT TO anon, authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE (t.event_id = inventory.event_id))));
CREATE TRIGGER list_changed_capacity AFTER UPDATE OF capacity ON events.inventory FOR EACH ROW WHEN (((old.capacity IS NULL) <> (new.capacity IS NULL))) EXECUTE FUNCTION events.list_changed_capacity();
CREATE TRIGGER list_new_events AFTER INSERT ON events.inventory REFERENCING NEW TABLE AS new_inventory FOR EACH STATEMENT EXECUTE FUNCTION events.list_new_events();
CREATE TRIGGER mark_scarce AFTER UPDATE ON events.inventory FOR EACH ROW EXECUTE FUNCTION events.mark_scarce();
GRANT SELECT ON TABLE events.inventory TO app_read;

CREATE TABLE events.series (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    title text NOT NULL,
    description text,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    recurrence text NOT NULL,
    local_start_time time without time zone NOT NULL,
    start_date date NOT NULL,
    end_date date,
    duration_minutes integer NOT NULL,
    capacity integer,
    price_cents bigint DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    location_id uuid,
    instructor_id uuid,
    policy_id uuid,
    visibility events.visibility DEFAULT 'public'::events.visibility NOT NULL,
    status events.series_status DEFAULT 'active'::events.series_status NOT NULL,
    status_reason text,
    generated_until date,
    continues_series_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    anchor_date date,
    room_id uuid,
    resource_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT duration_is_sensible CHECK (((duration_minutes >= 10) AND (duration_minutes <= 600))),
    CONSTRAINT recurrence_is_short CHECK (((length(recurrence) >= 1) AND (length(recurrence) <= 8000))),
    CONSTRAINT series_capacity_is_sensible CHECK (((capacity >= 0) AND (capacity <= 1000000))),
    CONSTRAINT series_description_fits CHECK ((length(description) <= 20000)),
    CONSTRAINT series_ends_after_it_starts CHECK ((end_date >= start_date)),
    CONSTRAINT series_price_is_not_negative CHECK (((price_cents >= 0) AND (price_cents <= 100000000))),
    CONSTRAINT series_resources_are_few CHECK ((cardinality(resource_ids) <= 20)),
    CONSTRAINT series_texts_are_readable CHECK ((ops.is_line(title) AND ops.is_text(description) AND ops.is_text(status_reason))),
    CONSTRAINT series_title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200)))
);
COMMENT ON COLUMN events.series.recurrence IS 'RFC 5545 lines in local time without DTSTART: RRULE, and any number of RDATE and EXDATE.';
COMMENT ON COLUMN events.series.generated_until IS 'The local date up to and including which occurrences exist.';
COMMENT ON COLUMN events.series.continues_series_id IS 'The series that this one was split from.';
COMMENT ON COLUMN events.series.anchor_date IS 'The intervals of the rule are counted from the day, week, month or year of this date. Null: from start_date.';
ALTER TABLE ONLY events.series ADD CONSTRAINT series_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_category_fkey FOREIGN KEY (category) REFERENCES ref.event_categories(slug);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_continues_series_id_fkey FOREIGN KEY (continues_series_id) REFERENCES events.series(id) ON DELETE SET NULL;
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_instructor_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_policy_is_its_own FOREIGN KEY (organization_id, policy_id) REFERENCES organizations.policies(organization_id, id);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_room_is_its_own FOREIGN KEY (organization_id, room_id) REFERENCES organizations.rooms(organization_id, id);
ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);
CREATE INDEX series_by_room ON events.series USING btree (organization_id, room_id);
CREATE INDEX series_category_idx ON events.series USING btree (category);
CREATE INDEX series_continues_series_id_idx ON events.series USING btree (continues_series_id);
CREATE INDEX series_currency_idx ON events.series USING btree (currency);
CREATE INDEX series_language_idx ON events.series USING btree (language);
CREATE INDEX series_organization_id_id_idx ON events.series USING btree (organization_id, id);
CREATE INDEX series_organization_id_instructor_id_idx ON events.series USING btree (organization_id, instructor_id);
CREATE INDEX series_organization_id_location_id_idx ON events.series USING btree (organization_id, location_id);
CREATE INDEX series_organization_id_policy_id_idx ON events.series USING btree (organization_id, policy_id);
CREATE INDEX series_time_zone_idx ON events.series USING btree (time_zone);
CREATE INDEX series_to_generate ON events.series USING btree (generated_until NULLS FIRST, id) WHERE (status = 'active'::events.series_status);
ALTER TABLE events.series ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON events.series FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON events.series FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'archived'::events.series_status)));
CREATE POLICY service ON events.series TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.series FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('series');
GRANT SELECT ON TABLE events.series TO app_read;

CREATE TABLE events.holds (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    purpose events.hold_purpose NOT NULL,
    status events.hold_status DEFAULT 'active'::events.hold_status NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    held_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    seat_prices_cents bigint[],
    used_by uuid,
    CONSTRAINT held_prices_are_not_negative CHECK ((0 <= ALL (seat_prices_cents)))
);
COMMENT ON TABLE events.holds IS 'Seats reserved for a customer for a limited time. Until they expire they count like sold seats.';
COMMENT ON COLUMN events.holds.ended_at IS 'When the hold stopped reserving seats. An expired hold ends at its expiry, even if a job notices it later.';
COMMENT ON COLUMN events.holds.seat_prices_cents IS 'The price of each seat when it was held. It applies until the hold expires. Null for seats of an unpaid booking.';
COMMENT ON COLUMN events.holds.used_by IS 'The booking that used the hold or offer.';
ALTER TABLE ONLY events.holds ADD CONSTRAINT holds_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.holds
    ADD CONSTRAINT holds_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY events.holds
    ADD CONSTRAINT holds_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
CREATE INDEX active_holds_by_staff ON events.holds USING btree (held_by) WHERE ((status = 'active'::events.hold_status) AND (held_by <> customer_id));
CREATE INDEX active_holds_of_customer ON events.holds USING btree (customer_id) WHERE (status = 'active'::events.hold_status);
CREATE INDEX active_holds_of_event ON events.holds USING btree (event_id, expires_at) WHERE (status = 'active'::events.hold_status);
CREATE INDEX holds_of_customer ON events.holds USING btree (customer_id, event_id);
CREATE INDEX holds_to_expire ON events.holds USING btree (expires_at) WHERE (status = 'active'::events.hold_status);
CREATE UNIQUE INDEX one_hold_per_customer ON events.holds USING btree (event_id, customer_id, purpose) WHERE ((status = 'active'::events.hold_status) AND (purpose <> 'payment'::events.hold_purpose));
ALTER TABLE events.holds ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON events.holds FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON events.holds TO service_role USING (true) WITH CHECK (true);
CREATE POLICY staff ON events.holds FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE ((t.event_id = holds.event_id) AND (t.organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as))))));
CREATE TRIGGER add_customer AFTER INSERT ON events.holds FOR EACH ROW EXECUTE FUNCTION organizations.enter_customer_of_event();
CREATE TRIGGER count_deleted AFTER DELETE ON events.holds REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_holds();
CREATE TRIGGER count_inserted AFTER INSERT ON events.holds FOR EACH ROW EXECUTE FUNCTION events.count_holds();
CREATE TRIGGER count_updated AFTER UPDATE ON events.holds REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_holds();
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.holds FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('hold');
CREATE TRIGGER keep_price BEFORE INSERT ON events.holds FOR EACH ROW WHEN (((new.seat_prices_cents IS NULL) AND (new.purpose <> 'payment'::events.hold_purpose))) EXECUTE FUNCTION events.keep_price();
CREATE TRIGGER record_hold_end BEFORE UPDATE OF status ON events.holds FOR EACH ROW WHEN (((old.status = 'active'::events.hold_status) AND (new.status <> 'active'::events.hold_status))) EXECUTE FUNCTION events.record_hold_end();
GRANT SELECT ON TABLE events.holds TO app_read;

CREATE TABLE events.access_links (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT access_code_is_hashed CHECK ((length(code_hash) = 32)),
    CONSTRAINT access_secret_is_hashed CHECK ((length(secret_hash) = 32))
);
COMMENT ON TABLE events.access_links IS 'Secret links to events, each with a code. Anyone who has one sees and books the event, though it is private.';
COMMENT ON COLUMN events.access_links.secret_hash IS 'SHA-256 of 256 random bits in the address.';
COMMENT ON COLUMN events.access_links.code_hash IS 'SHA-256 of the event''s id and a code of 60 random bits.';
ALTER TABLE ONLY events.access_links ADD CONSTRAINT access_links_pkey PRIMARY KEY (id);
ALTER TABLE ONLY events.access_links ADD CONSTRAINT access_secret_is_unique UNIQUE (secret_hash);
ALTER TABLE ONLY events.access_links
    ADD CONSTRAINT access_links_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
CREATE INDEX access_links_of_event ON events.access_links USING btree (event_id);
ALTER TABLE events.access_links ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.attendance_marks (
    booking_id uuid NOT NULL,
    attended boolean NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    key text NOT NULL,
    CONSTRAINT mark_key_is_readable CHECK (ops.is_line(key)),
    CONSTRAINT mark_key_is_short CHECK (((length(key) >= 1) AND (length(key) <= 100)))
);
COMMENT ON TABLE events.attendance_marks IS 'The latest attendance mark of each booking. A mark with an earlier time changes nothing.';
COMMENT ON COLUMN events.attendance_marks.key IS 'The client''s id of the mark. Of two marks of the same time, the one with the greater key is the later.';
ALTER TABLE ONLY events.attendance_marks ADD CONSTRAINT one_mark_per_booking PRIMARY KEY (booking_id);
ALTER TABLE ONLY events.attendance_marks
    ADD CONSTRAINT attendance_marks_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id) ON DELETE CASCADE;
ALTER TABLE events.attendance_marks ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.booking_names (
    booking_id uuid NOT NULL,
    names text[] NOT NULL,
    written_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT names_are_few CHECK (((cardinality(names) >= 1) AND (cardinality(names) <= 20))),
    CONSTRAINT names_are_readable CHECK (ops.is_line(array_to_string(names, ' '::text))),
    CONSTRAINT names_are_short CHECK ((length(array_to_string(names, ''::text)) <= 4000))
);
COMMENT ON TABLE events.booking_names IS 'The names of the people who attend by a booking, as its customer gave them.';
ALTER TABLE ONLY events.booking_names ADD CONSTRAINT one_list_of_names PRIMARY KEY (booking_id);
ALTER TABLE ONLY events.booking_names
    ADD CONSTRAINT booking_names_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id) ON DELETE CASCADE;
CREATE INDEX booking_names_by_age ON events.booking_names USING brin (written_at);
ALTER TABLE events.booking_names ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.substitutions (
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    instructor_id uuid NOT NULL,
    absent_instructor_id uuid NOT NULL,
    note text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT nobody_substitutes_for_themselves CHECK ((instructor_id <> absent_instructor_id)),
    CONSTRAINT substitution_note_is_readable CHECK (ops.is_text(note)),
    CONSTRAINT substitution_note_is_short CHECK ((length(note) <= 500))
);
COMMENT ON TABLE events.substitutions IS 'The instructor who leads an event in place of another one. A row counts while its instructor leads the event.';
COMMENT ON COLUMN events.substitutions.note IS 'A text of staff, for staff alone.';
ALTER TABLE ONLY events.substitutions ADD CONSTRAINT substitutions_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY events.substitutions
    ADD CONSTRAINT absent_instructor_is_its_own FOREIGN KEY (organization_id, absent_instructor_id) REFERENCES organizations.instructors(organization_id, id);
ALTER TABLE ONLY events.substitutions
    ADD CONSTRAINT substitute_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);
ALTER TABLE ONLY events.substitutions
    ADD CONSTRAINT substitutions_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY events.substitutions
    ADD CONSTRAINT substitutions_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX substitutions_of_absent_instructor ON events.substitutions USING btree (organization_id, absent_instructor_id);
CREATE INDEX substitutions_of_substitute ON events.substitutions USING btree (organization_id, instructor_id);
ALTER TABLE events.substitutions ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON events.substitutions FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY service ON events.substitutions TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE events.substitutions TO app_read, app_write;

CREATE TABLE events.listings (
    event_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    organization_id uuid NOT NULL,
    series_id uuid,
    location_id uuid,
    instructor_id uuid,
    title text NOT NULL,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    price_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    price_tier text NOT NULL,
    organization_name text NOT NULL,
    location_name text,
    city text,
    country character(2),
    instructor_name text,
    lexemes tsvector NOT NULL
);
COMMENT ON TABLE events.listings IS 'Public upcoming events as they are searched. Triggers write it; the counters of seats are in events.inventory.';
COMMENT ON COLUMN events.listings.lexemes IS 'All words; of the title with t:; of title, category, place, city, instructor and organizer with n:; and facets.';
ALTER TABLE ONLY events.listings ADD CONSTRAINT listings_pkey PRIMARY KEY (event_id);
CREATE INDEX listings_by_instructor ON events.listings USING btree (instructor_id);
CREATE INDEX listings_by_lexemes ON events.listings USING gin (lexemes) WITH (fastupdate='on', gin_pending_list_limit='64');
CREATE INDEX listings_by_location ON events.listings USING btree (location_id);
CREATE INDEX listings_by_organization ON events.listings USING btree (organization_id);
CREATE INDEX listings_by_start ON events.listings USING btree (starts_at, event_id);
ALTER TABLE events.listings ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.lost_occurrences (
    event_id uuid NOT NULL,
    series_id uuid NOT NULL,
    local_start timestamp without time zone NOT NULL,
    place integer NOT NULL,
    CONSTRAINT place_is_not_negative CHECK ((place >= 0))
);
COMMENT ON TABLE events.lost_occurrences IS 'Events that were cancelled or edited individually, and whose slot of the day has no time under the series'' rule.';
COMMENT ON COLUMN events.lost_occurrences.local_start IS 'The last local start of the slot.';
COMMENT ON COLUMN events.lost_occurrences.place IS 'The place of the slot among all slots of its day, from 0.';
ALTER TABLE ONLY events.lost_occurrences ADD CONSTRAINT lost_occurrences_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY events.lost_occurrences
    ADD CONSTRAINT lost_occurrences_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY events.lost_occurrences
    ADD CONSTRAINT lost_occurrences_series_id_fkey FOREIGN KEY (series_id) REFERENCES events.series(id) ON DELETE CASCADE;
CREATE INDEX lost_occurrences_of_series ON events.lost_occurrences USING btree (series_id, local_start);
ALTER TABLE events.lost_occurrences ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.occupancies (
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    subject_id uuid GENERATED ALWAYS AS (COALESCE(room_id, instructor_id, resource_id)) STORED NOT NULL,
    room_id uuid,
    instructor_id uuid,
    resource_id uuid,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    enforced boolean NOT NULL,
    CONSTRAINT occupancy_ends_after_it_starts CHECK ((ends_at > starts_at)),
    CONSTRAINT occupancy_has_one_subject CHECK ((num_nonnulls(room_id, instructor_id, resource_id) = 1))
);
COMMENT ON TABLE events.occupancies IS 'When a room, an instructor or a resource is in use by an event that is not cancelled. A trigger writes it.';
COMMENT ON COLUMN events.occupancies.enforced IS 'Whether the constraint never_double_booked applies: the organization refuses double bookings.';
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT never_double_booked EXCLUDE USING gist (events.occupancy_period(ROW(COALESCE(room_id, instructor_id, resource_id), starts_at)::events.subject_time, ROW(COALESCE(room_id, instructor_id, resource_id), ends_at)::events.subject_time) WITH &&) WHERE (enforced);
ALTER TABLE ONLY events.occupancies ADD CONSTRAINT occupancies_pkey PRIMARY KEY (event_id, subject_id);
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT occupancies_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT occupancies_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT occupied_instructor_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT occupied_resource_is_its_own FOREIGN KEY (organization_id, resource_id) REFERENCES organizations.resources(organization_id, id);
ALTER TABLE ONLY events.occupancies
    ADD CONSTRAINT occupied_room_is_its_own FOREIGN KEY (organization_id, room_id) REFERENCES organizations.rooms(organization_id, id);
CREATE INDEX occupancies_of_instructor ON events.occupancies USING btree (organization_id, instructor_id);
CREATE INDEX occupancies_of_organization ON events.occupancies USING btree (organization_id, ends_at);
CREATE INDEX occupancies_of_resource ON events.occupancies USING btree (organization_id, resource_id);
CREATE INDEX occupancies_of_room ON events.occupancies USING btree (organization_id, room_id);
CREATE INDEX occupancies_of_subject ON events.occupancies USING btree (subject_id, starts_at);
ALTER TABLE events.occupancies ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.occurrences (
    series_id uuid NOT NULL,
    local_start timestamp without time zone NOT NULL,
    event_id uuid NOT NULL
);
COMMENT ON TABLE events.occurrences IS 'The generated local starts of a series, each once. A moved event keeps its first local start.';
ALTER TABLE ONLY events.occurrences ADD CONSTRAINT occurrences_event_id_key UNIQUE (event_id);
ALTER TABLE ONLY events.occurrences ADD CONSTRAINT occurrences_pkey PRIMARY KEY (series_id, local_start);
ALTER TABLE ONLY events.occurrences
    ADD CONSTRAINT occurrences_series_id_fkey FOREIGN KEY (series_id) REFERENCES events.series(id) ON DELETE CASCADE;
ALTER TABLE events.occurrences ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON events.occurrences TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_series_and_event ON events.occurrences FOR SELECT TO anon, authenticated USING (((EXISTS ( SELECT
   FROM events.series s
  WHERE (s.id = occurrences.series_id))) AND (EXISTS ( SELECT
   FROM events.terms t
  WHERE (t.event_id = occurrences.event_id)))));
GRANT SELECT ON TABLE events.occurrences TO app_read;

CREATE TABLE events.scarce_listings (
    event_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    scarcity integer NOT NULL,
    lexemes tsvector NOT NULL,
    CONSTRAINT scarcity_is_known CHECK (((scarcity >= 1) AND (scarcity <= 3)))
);
COMMENT ON TABLE events.scarce_listings IS 'Listed events that may be full or filling: a small set, so that a search for them does not look at all events.';
COMMENT ON COLUMN events.scarce_listings.scarcity IS '1: it may be filling, 2: it may be full, 3: one of them.';
COMMENT ON COLUMN events.scarce_listings.lexemes IS 'The lexemes of the listing, and facets of the scarcity.';
ALTER TABLE ONLY events.scarce_listings ADD CONSTRAINT scarce_listings_pkey PRIMARY KEY (event_id);
CREATE INDEX scarce_listings_by_lexemes ON events.scarce_listings USING gin (lexemes) WITH (fastupdate='on', gin_pending_list_limit='64');
ALTER TABLE events.scarce_listings ENABLE ROW LEVEL SECURITY;

CREATE TABLE events.stale_listings (
    id bigint NOT NULL,
    event_id uuid NOT NULL
);
ALTER TABLE events.stale_listings ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME events.stale_listings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE events.stale_listings IS 'Events whose listing is to be written again, such as those of a renamed place. events.refresh_stale_listings does it.';
COMMENT ON COLUMN events.stale_listings.event_id IS 'Not unique: an insert must not wait for the transaction that deletes an earlier row of the event.';
ALTER TABLE ONLY events.stale_listings ADD CONSTRAINT stale_listings_pkey PRIMARY KEY (id);
ALTER TABLE events.stale_listings ENABLE ROW LEVEL SECURITY;

CREATE VIEW events.calendar_entries WITH (security_invoker='true') AS
 SELECT e.id AS event_id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.visibility,
    e.status,
    e.starts_at,
    e.ends_at,
    e.created_at,
    e.updated_at,
    o.name AS organization_name,
    p.name AS instructor_name,
    l.name AS location_name,
    l.address AS location_address,
    l.city AS location_city,
    (((GREATEST(e.sequence, (ceil(EXTRACT(epoch FROM (e.updated_at - e.created_at))))::bigint) + o.calendar_changes) + COALESCE(l.calendar_changes, (0)::bigint)) + COALESCE(p.calendar_changes, (0)::bigint)) AS sequence
   FROM (((events.events e
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)));
COMMENT ON VIEW events.calendar_entries IS 'Calendar entries of the events that the caller may see.';
GRANT SELECT ON TABLE events.calendar_entries TO app_read;

CREATE VIEW events.booking_calendar_entries WITH (security_invoker='true') AS
 SELECT c.event_id,
    c.title,
    c.description,
    c.status,
    c.starts_at,
    c.ends_at,
    GREATEST(c.updated_at, b.cancelled_at) AS updated_at,
    c.organization_name,
    c.instructor_name,
    c.location_name,
    c.location_address,
    c.location_city,
    (c.sequence +
        CASE
            WHEN ((b.sequence = 0) AND (b.cancelled_at IS NOT NULL)) THEN GREATEST(((floor(EXTRACT(epoch FROM (b.cancelled_at - c.created_at))))::bigint + 1), (0)::bigint)
            ELSE b.sequence
        END) AS sequence,
    b.id AS booking_id,
    b.customer_id,
    (b.status)::text AS booking_status,
    (b.seats)::integer AS seats
   FROM ((events.bookings b
     JOIN events.terms t ON ((t.event_id = b.event_id)))
     JOIN events.calendar_entries c ON (((c.event_id = b.event_id) AND (c.starts_at = t.starts_at))))
  WHERE (b.status = ANY (ARRAY['confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status, 'cancelled'::events.booking_status, 'refunded'::events.booking_status]));
COMMENT ON VIEW events.booking_calendar_entries IS 'Calendar entries of the bookings that the caller may see.';
GRANT SELECT ON TABLE events.booking_calendar_entries TO app_read;

CREATE VIEW events.booking_details WITH (security_invoker='true') AS
 SELECT b.id,
    b.event_id,
    b.organization_id,
    b.customer_id,
    b.seats,
    b.guest,
    b.status,
    b.payment_method,
    b.price_cents,
    b.currency,
    b.created_at,
    b.cancelled_at,
    b.status_reason AS reason,
    b.late,
    b.fee_cents,
    e.title AS event_title,
    e.status AS event_status,
    e.starts_at,
    e.ends_at,
    e.time_zone,
    b.excused
   FROM ((events.bookings b
     JOIN events.terms t ON ((t.event_id = b.event_id)))
     JOIN events.events e ON (((e.id = b.event_id) AND (e.starts_at = t.starts_at))));
COMMENT ON VIEW events.booking_details IS 'Bookings with their events, where the caller may see both.';
GRANT SELECT ON TABLE events.booking_details TO app_read;

CREATE VIEW events.current_substitutions WITH (security_invoker='true') AS
 SELECT s.event_id,
    s.organization_id,
    s.instructor_id,
    s.absent_instructor_id,
    i.name AS absent_instructor_name,
    s.note
   FROM (events.substitutions s
     JOIN organizations.instructors i ON ((i.id = s.absent_instructor_id)))
  WHERE ((s.organization_id IN ( SELECT public.user_orgs() AS user_orgs)) OR ( SELECT ops.caller_is_service() AS caller_is_service));
COMMENT ON VIEW events.current_substitutions IS 'The instructor who leads an event in place of another one. A row counts while its instructor leads the event.';
GRANT SELECT ON TABLE events.current_substitutions TO app_read;

CREATE VIEW events.event_details WITH (security_invoker='true') AS
 SELECT e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.category,
    e.language,
    e.time_zone,
    e.starts_at,
    e.ends_at,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, (c.decimal_places)::integer) AS price_tier,
    e.policy,
    e.visibility,
    e.status,
    e.status_reason,
    e.created_at,
    e.updated_at,
    t.opens_at,
    events.sales_end_at(t.*, for_staff => false) AS closes_at,
    events.offers_end_at(t.*) AS last_offer_at,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS taken,
    (i.held)::integer AS held,
    (i.waitlisted)::integer AS waitlisted,
    events.seats_left(i.*) AS seats_left,
    events.availability_v2((i.capacity)::integer, events.seats_left(i.*)) AS availability,
    events.open_to_everybody(t.*) AS booking_open,
    events.waitlist_is_open(t.*, i.*) AS waitlist_open,
    o.slug AS organization_slug,
    o.name AS organization_name,
    e.location_id,
    l.name AS location_name,
    l.address AS location_address,
    l.city AS location_city,
    l.country AS location_country,
    e.instructor_id,
    p.name AS instructor_name,
    p.bio AS instructor_bio
   FROM ((((((events.terms t
     JOIN events.events e ON (((t.event_id = e.id) AND (t.starts_at = e.starts_at))))
     JOIN events.inventory i ON ((t.event_id = i.event_id)))
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     JOIN ref.currencies c ON ((e.currency = c.code)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)));
COMMENT ON VIEW events.event_details IS 'Events with seats, location, instructor and organization, where the caller may see them.';
GRANT SELECT ON TABLE events.event_details TO app_read;

CREATE VIEW events.own_series WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    title,
    description,
    category,
    language,
    time_zone,
    recurrence,
    local_start_time,
    start_date,
    end_date,
    duration_minutes,
    capacity,
    price_cents,
    currency,
    location_id,
    instructor_id,
    policy_id,
    visibility,
    status,
    status_reason,
    generated_until,
    continues_series_id,
    created_at,
    updated_at,
    anchor_date,
    room_id,
    resource_ids
   FROM events.series s
  WHERE ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)) OR ( SELECT ops.caller_is_service() AS caller_is_service));
COMMENT ON VIEW events.own_series IS 'The series of the organizations that the caller is a member of.';
GRANT SELECT ON TABLE events.own_series TO app_read;

CREATE FUNCTION events.accept_offer(
    entry_id uuid,
    payment_method events.payment_method DEFAULT NULL::events.payment_method,
    idempotency_key text DEFAULT NULL::text,
    promo_code text DEFAULT NULL::text,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.accept_offer IS 'Book the seats that the waitlist offered. Returns the entry with its booking.';
GRANT ALL ON FUNCTION events.accept_offer TO authenticated, service_role;

CREATE FUNCTION events.adjust_inventory(
    event_id uuid,
    taken integer,
    held integer,
    waitlisted integer,
    set_aside integer,
    customer_id uuid
) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.adjust_inventory IS 'Adjust an event''s counters, never beyond its capacity. For the counting triggers only.';

CREATE FUNCTION events.apply_attendance(
    booking events.bookings,
    attended boolean,
    waive boolean
) RETURNS events.bookings
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.apply_attendance IS 'Set the attendance of a booking, and charge or reverse the fee for not attending.';

CREATE FUNCTION events.attendance_answer(booking events.bookings) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.attendance_answer IS 'Return a booking as the responses to marks of attendance show it, with its names.';

CREATE FUNCTION events.availability_v2(capacity integer, seats_left integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.availability_v2 IS 'Return an event''s availability: available, filling, full or unlimited.';
GRANT ALL ON FUNCTION events.availability_v2 TO app_read;

CREATE FUNCTION events.book(
    event_id uuid,
    seats integer DEFAULT 1,
    payment_method events.payment_method DEFAULT NULL::events.payment_method,
    customer_id uuid DEFAULT NULL::uuid,
    guest boolean DEFAULT false,
    hold_id uuid DEFAULT NULL::uuid,
    idempotency_key text DEFAULT NULL::text,
    promo_code text DEFAULT NULL::text,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.book IS 'Book seats at an event. Idempotent per caller and key. Returns the booking as JSON text.';
GRANT ALL ON FUNCTION events.book TO authenticated, service_role;

CREATE FUNCTION events.bookable_terms(event_id uuid) RETURNS events.terms
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.bookable_terms IS 'Return an event''s terms if the caller may book it, or join its waitlist, now.';

CREATE FUNCTION events.booking_answer(
    booking_id uuid,
    event_id uuid,
    customer_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    price_cents bigint,
    currency text
) RETURNS text
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.booking_answer IS 'Return the response to a new booking, as JSON text.';

CREATE FUNCTION events.booking_history(booking_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.booking_history IS 'Return the changes and the movements of money of a booking, in the order of their time.';
GRANT ALL ON FUNCTION events.booking_history TO authenticated, service_role;

CREATE FUNCTION events.new_booking_payload(answer text, organization_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.new_booking_payload IS 'Return a new, confirmed booking as its messages store it, from the response to it.';

CREATE FUNCTION events.booking_payload(booking events.bookings) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.booking_payload IS 'Return a booking as its messages store it: ids, amounts, times and states.';

CREATE FUNCTION events.booking_request_hash(
    event_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    customer_id uuid,
    hold_id uuid,
    promo_code text,
    total_cents bigint
) RETURNS bytea
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.booking_request_hash IS 'Return a hash of a booking request.';

CREATE FUNCTION events.callers_entry(entry_id uuid) RETURNS events.waitlist_entries
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.callers_entry IS 'Return a waitlist entry that the caller may change, with its event locked.';

CREATE FUNCTION events.can_reinstate_booking(booking events.bookings) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.can_reinstate_booking IS 'Return whether a booking that was not paid in time can get its seats back.';

CREATE FUNCTION events.cancel_booking(
    booking_id uuid,
    reason text DEFAULT NULL::text,
    waive boolean DEFAULT false
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.cancel_booking IS 'Cancel a booking, and offer its seats to the waitlist. Returns the cancelled booking.';
GRANT ALL ON FUNCTION events.cancel_booking TO authenticated, service_role;

CREATE FUNCTION events.cancel_event(event_id uuid, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.cancel_event IS 'Cancel an event for its organizer. Returns the event.';
GRANT ALL ON FUNCTION events.cancel_event TO authenticated, service_role;

CREATE FUNCTION events.cancel_events(event_ids uuid[], reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.cancel_events IS 'Cancel events for their organizer, with their bookings, holds and waitlist entries. Returns how many bookings ended.';

CREATE FUNCTION events.cancelled_commitments(commitments events.commitments) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.cancelled_commitments IS 'Count the events, bookings and waitlist entries that have ended since they were locked.';

CREATE FUNCTION events.cap_holds(event_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.cap_holds IS 'Shorten an event''s active holds and offers that outlive its sales.';

CREATE FUNCTION events.change_payment_method(
    booking_id uuid,
    payment_method events.payment_method,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.change_payment_method IS 'Pay an unpaid booking by another method. Returns the booking with its payment at Stripe.';
GRANT ALL ON FUNCTION events.change_payment_method TO authenticated, service_role;

CREATE FUNCTION events.changed_fields(earlier events.events, later events.events) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.changed_fields IS 'Return the names of the fields of an event that differ and of which somebody is notified.';

CREATE FUNCTION events.check_closure(closure events.closures) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION events.check_closure IS 'Refuse times that no closure can have.';

CREATE FUNCTION events.check_references(organization_id uuid, details jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.check_references IS 'Refuse references to objects that do not exist or belong to another organization.';

CREATE FUNCTION events.check_times(starts_at timestamp with time zone, ends_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION events.check_times IS 'Refuse times that no event can have.';

CREATE FUNCTION events.close_entry(
    entry events.waitlist_entries,
    final_status events.waitlist_status,
    reason text
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.close_entry IS 'Close a waitlist entry and release the seats held for it.';

CREATE FUNCTION events.close_period(
    organization_id uuid,
    details jsonb,
    confirmed jsonb DEFAULT NULL::jsonb,
    idempotency_key text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.close_period IS 'Close an organization, a location or a room for a period, and cancel the events in it, with confirmation.';
GRANT ALL ON FUNCTION events.close_period TO authenticated, service_role;

CREATE FUNCTION events.close_refunded_booking(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.close_refunded_booking IS 'Close a booking whose price was refunded in full. Returns whether a confirmed booking was closed.';

CREATE FUNCTION events.closure_of(
    organization_id uuid,
    location_id uuid,
    room_id uuid,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone
) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.closure_of IS 'Return the first closure that closes a place at some time of a period, or null.';

CREATE FUNCTION events.complete_places(former jsonb, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.complete_places IS 'Return changes of an event or a series with a location that fits its room.';

CREATE FUNCTION events.confirm_paid_booking(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.confirm_paid_booking IS 'Confirm a booking whose payment has arrived.';

CREATE FUNCTION events.copy_details(series_id uuid, changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.copy_details IS 'Copy changed details of a series to its upcoming events.';

CREATE FUNCTION events.copy_event(event_id uuid, details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.copy_event IS 'Create a single event with the details of another one, without its bookings. Idempotent per caller and key.';
GRANT ALL ON FUNCTION events.copy_event TO authenticated, service_role;

CREATE FUNCTION events.copy_terms() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_booking() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_booking_changes() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_bookings() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_calendar_changes() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_event_changes() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_holds() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.count_named_changes(organization_id uuid, location_id uuid, instructor_id uuid) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.count_named_changes IS 'Return how often the names and addresses changed that an event shows in calendars, and lock them.';

CREATE FUNCTION events.count_seats_left(inventory events.inventory) RETURNS integer
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.count_seats_left IS 'Return how many seats of an event a newcomer can take, expired holds included. Null: no limit.';
GRANT ALL ON FUNCTION events.count_seats_left TO app_read;

CREATE FUNCTION events.count_waitlist() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.create_access_link(event_id uuid, secret_hash bytea, code_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.create_access_link IS 'Create a secret link and a code of an event, for people who may book it though private.';
GRANT ALL ON FUNCTION events.create_access_link TO authenticated, service_role;

CREATE FUNCTION events.create_event(details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.create_event IS 'Create an event without a series. Idempotent per caller and key.';
GRANT ALL ON FUNCTION events.create_event TO authenticated, service_role;

CREATE FUNCTION events.create_series(details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.create_series IS 'Create a series. Idempotent per caller and key.';
GRANT ALL ON FUNCTION events.create_series TO authenticated, service_role;

CREATE FUNCTION events.customer_dashboard(most integer DEFAULT 20) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.customer_dashboard IS 'Return a summary of the caller''s bookings, spending and waitlist entries.';
GRANT ALL ON FUNCTION events.customer_dashboard TO authenticated, service_role;

CREATE FUNCTION events.decline_offer(entry_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.decline_offer IS 'Leave the waitlist or decline an offer, and offer the seats to the next person.';
GRANT ALL ON FUNCTION events.decline_offer TO authenticated, service_role;

CREATE FUNCTION events.delete_listings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.double_bookings(
    organization_id uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    event_id uuid,
    other_event_id uuid,
    room_id uuid,
    instructor_id uuid,
    resource_id uuid,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.double_bookings IS 'List rooms, instructors and resources that two upcoming events use at the same time.';
GRANT ALL ON FUNCTION events.double_bookings TO authenticated, service_role;

CREATE FUNCTION events.drop_events(event_ids uuid[], reason text, cancel_booked boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.drop_events IS 'Delete unused events. Cancel the others, or leave them unchanged.';

CREATE FUNCTION events.edit_series(
    series_id uuid,
    changes jsonb,
    occurrences jsonb DEFAULT NULL::jsonb,
    until date DEFAULT NULL::date,
    confirmed jsonb DEFAULT NULL::jsonb,
    slots jsonb DEFAULT NULL::jsonb
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.edit_series IS 'Edit a series and all its upcoming events. Cancels bookings only with confirmation.';
GRANT ALL ON FUNCTION events.edit_series TO authenticated, service_role;

CREATE FUNCTION events.end_booking(booking events.bookings, reason text, waived boolean) RETURNS events.bookings
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.end_booking IS 'Cancel a booking by the customer''s will, and refund it by the booking''s own policy.';

CREATE FUNCTION events.end_closure(organization_id uuid, closure_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.end_closure IS 'End a closure early, so that events may be created in its time again.';
GRANT ALL ON FUNCTION events.end_closure TO authenticated, service_role;

CREATE FUNCTION events.end_reservations(
    event_id uuid,
    customer_id uuid,
    booking_id uuid,
    seats_spare integer
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.end_reservations IS 'End what a customer had reserved at an event after they booked it, and offer the rest.';

CREATE FUNCTION events.enforce_occupancies(organization_id uuid, enforced boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.enforce_occupancies IS 'Start or stop refusing double bookings of an organization.';

CREATE FUNCTION events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.ensure_customer IS 'Return the customer for whom the caller acts. Create the caller''s profile at the first sign-in.';

CREATE FUNCTION events.entry_is_open(entry events.waitlist_entries, terms events.terms) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.entry_is_open IS 'Return whether a waitlist entry can still get seats.';

CREATE FUNCTION events.event_answer(event_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.event_answer IS 'Return an event with its seats, as JSON, for staff.';

CREATE FUNCTION events.event_by_link(secret_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.event_by_link IS 'Return the details of the event of a secret link, also of a private one.';
GRANT ALL ON FUNCTION events.event_by_link TO anon, authenticated, service_role;

CREATE FUNCTION events.event_payload(event_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.event_payload IS 'Return an event with its seats as its messages store it, without the texts that staff wrote.';

CREATE FUNCTION events.event_summary(event_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.event_summary IS 'Return an event''s main facts, with its times in its own zone.';

CREATE FUNCTION events.excuse_no_show(booking_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.excuse_no_show IS 'Excuse a customer who did not come: the no-show costs no fee and does not count. Returns the booking.';
GRANT ALL ON FUNCTION events.excuse_no_show TO authenticated, service_role;

CREATE FUNCTION events.expire_entry(entry events.waitlist_entries, organization_id uuid, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.expire_entry IS 'Close a waitlist entry without seats, release the seats held for it, and notify its customer.';

CREATE FUNCTION events.expire_event_holds(
    event_id uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.expire_event_holds IS 'Expire an event''s overdue holds, unpaid bookings and offers, and offer their seats. Returns how many holds expired.';

CREATE FUNCTION events.expire_holds(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 100
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.expire_holds IS 'Expire overdue holds and offers, and offer their seats. A bounded piece of work for the schedule.';
GRANT ALL ON FUNCTION events.expire_holds TO service_role;

CREATE FUNCTION events.expire_unpaid_booking(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.expire_unpaid_booking IS 'Expire a booking whose payment was abandoned. Returns whether an unpaid booking was expired.';

CREATE FUNCTION events.expire_waitlist(at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.expire_waitlist IS 'Close the waitlist entries of events that have started. Returns their number.';

CREATE FUNCTION events.facet(name text, value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.facet IS 'Return the lexeme of a filter of the catalog.';

CREATE FUNCTION events.field_notices() RETURNS TABLE(field text, customers boolean, instructors boolean, reason text)
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.field_notices IS 'Return who is notified of a change of each field of an event or a series.';

CREATE FUNCTION events.folded(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.folded IS 'Return a text in lower case without accents.';

CREATE FUNCTION events.frequent_prefixes(
    prefixed tsquery,
    facets tsquery,
    among_scarce boolean,
    starts_from timestamp with time zone
) RETURNS integer[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION events.frequent_prefixes IS 'Return the ranks of prefixes that at least a tenth of a sample of the listings fits.';

CREATE FUNCTION events.has_access(event_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.has_access IS 'Return whether the request has a valid link or code of an event.';

CREATE FUNCTION events.held_list_cents(hold events.holds) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.held_list_cents IS 'Return the list price of all seats of a hold, in cents.';

CREATE FUNCTION events.hold_again_at(
    event_id uuid,
    customer_id uuid,
    purpose events.hold_purpose,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.hold_again_at IS 'Return when a person may hold seats of an event again, after seats that they did not use.';

CREATE FUNCTION events.hold_answer(hold events.holds, terms events.terms) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.hold_answer IS 'Return a hold as the API shows it, with the price of its seats.';

CREATE FUNCTION events.hold_seats(
    event_id uuid,
    seats integer DEFAULT 1,
    customer_id uuid DEFAULT NULL::uuid,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.hold_seats IS 'Hold seats for a customer for some minutes. Returns the hold.';
GRANT ALL ON FUNCTION events.hold_seats TO authenticated, service_role;

CREATE FUNCTION events.hold_until_paid(terms events.terms, customer_id uuid, seats integer, held_by uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.hold_until_paid IS 'Hold seats while a customer pays for them. Returns the id of the hold.';

CREATE FUNCTION events.insert_event(event events.events, capacity integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.insert_event IS 'Insert a new event with its seats, for routines that create single events.';

CREATE FUNCTION events.instructor_schedule_v2(
    instructor_id uuid,
    first_day date DEFAULT NULL::date,
    last_day date DEFAULT NULL::date,
    after_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    after_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 500
) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.instructor_schedule_v2 IS 'Return the events that an instructor leads between two days, for the instructor and staff.';
GRANT ALL ON FUNCTION events.instructor_schedule_v2 TO authenticated, service_role;

CREATE FUNCTION events.is_door_staff(event_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.is_door_staff IS 'Return whether the caller may see an event''s attendees: staff of its organization, or the instructor who leads it.';

CREATE FUNCTION events.is_first_in_waitlist(event_id uuid, customer_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.is_first_in_waitlist IS 'Return whether a customer is the first who waits for seats of an event.';

CREATE FUNCTION events.is_staff(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.is_staff IS 'Return whether the caller may act for customers of this organization.';

CREATE FUNCTION events.is_unpaid(booking events.bookings) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.is_unpaid IS 'Return whether money is still to be received for a booking.';

CREATE FUNCTION events.join_waitlist(
    event_id uuid,
    seats integer DEFAULT 1,
    customer_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.join_waitlist IS 'Join the waitlist of a full event. Returns the entry with its position and the seats on sale.';
GRANT ALL ON FUNCTION events.join_waitlist TO authenticated, service_role;

CREATE FUNCTION events.keep_price() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.keep_price IS 'Record the event''s current price for each seat of a new hold.';

CREATE FUNCTION events.late_cancellation_cents(booking events.bookings) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.late_cancellation_cents IS 'Return the cost of cancelling a confirmed booking late, in cents.';

CREATE FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.leave_waitlist IS 'Leave an event''s waitlist. Returns the entry.';
GRANT ALL ON FUNCTION events.leave_waitlist TO authenticated, service_role;

CREATE FUNCTION events.limit_held_seats(
    terms events.terms,
    customer_id uuid,
    seats integer,
    held_by uuid,
    purpose events.hold_purpose
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_held_seats IS 'Refuse to hold more unbooked seats than allowed, or to hold seats again too soon.';

CREATE FUNCTION events.limit_invoiced_seats(
    terms events.terms,
    customer_id uuid,
    seats integer,
    booked_by uuid
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_invoiced_seats IS 'Refuse more seats by invoice than a person may have unpaid, at all events together.';

CREATE FUNCTION events.limit_programme(organization_id uuid, kind text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_programme IS 'Refuse another series or single event of an organization that has the maximum number.';

CREATE FUNCTION events.limit_seats(terms events.terms, customer_id uuid, seats integer, purpose text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_seats IS 'Refuse more seats than one person may have at an event.';

CREATE FUNCTION events.limit_waiting_seats(
    terms events.terms,
    customer_id uuid,
    seats integer,
    joined_by uuid
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_waiting_seats IS 'Refuse to let a person wait for more seats than allowed, or for seats that they hold themselves.';

CREATE FUNCTION events.limit_waits(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.limit_waits IS 'Refuse another waitlist entry of a person who has the maximum number.';

CREATE FUNCTION events.list_access_links(event_id uuid) RETURNS SETOF events.access_links
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.list_access_links IS 'Return the secret links of an event, newest first, without their secrets.';
GRANT ALL ON FUNCTION events.list_access_links TO authenticated, service_role;

CREATE FUNCTION events.list_changed_capacity() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.list_new_events() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.list_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.lock_closures(organization_ids uuid[], exclusive boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_closures IS 'Let changes of times and places at organizations take turns with their closures.';

CREATE FUNCTION events.lock_commitments(event_ids uuid[]) RETURNS events.commitments
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_commitments IS 'Lock the inventories of upcoming events. Returns their live bookings and open waitlist entries.';

CREATE FUNCTION events.lock_customer(
    customer_id uuid,
    organization_id uuid,
    locks_caller boolean DEFAULT false
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_customer IS 'Lock the customer for whom the caller acts, and check the rights of both again.';

CREATE FUNCTION events.lock_inventory(event_id uuid) RETURNS events.inventory
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_inventory IS 'Lock an event''s inventory row until the transaction ends.';

CREATE FUNCTION events.lock_occupancies(organization_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_occupancies IS 'Serialize the changes of the rooms, instructors and resources in use at organizations.';

CREATE FUNCTION events.lock_people(VARIADIC people uuid[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_people IS 'Lock several people in the order of their ids, until the transaction ends. Before any event''s inventory.';

CREATE FUNCTION events.lock_person(person_id uuid) RETURNS boolean
    LANGUAGE sql;
COMMENT ON FUNCTION events.lock_person IS 'Take a person''s advisory lock until the transaction ends. Before any event''s inventory.';

CREATE FUNCTION events.lock_series_for_edit(series_id uuid) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.lock_series_for_edit IS 'Lock a series for an edit by its organization''s staff, and return it.';
GRANT ALL ON FUNCTION events.lock_series_for_edit TO authenticated, service_role;

CREATE FUNCTION events.mark_attendance(event_id uuid, marks jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.mark_attendance IS 'Record marks of attendance that a device at the door collected, each with its own result.';
GRANT ALL ON FUNCTION events.mark_attendance TO authenticated, service_role;

CREATE FUNCTION events.mark_no_shows(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 200
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.mark_no_shows IS 'Make unmarked bookings no-shows, after the time that their policy sets.';
GRANT ALL ON FUNCTION events.mark_no_shows TO service_role;

CREATE FUNCTION events.mark_scarce() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.match_listings(
    facets tsquery,
    words tsquery,
    compares boolean,
    availability text,
    among_scarce boolean,
    starts_from timestamp with time zone,
    after_id uuid,
    starts_before timestamp with time zone,
    most integer,
    when_few text
) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION events.match_listings IS 'Return the first events by start whose listings match facets and words.';

CREATE FUNCTION events.may_join_waitlist(
    terms events.terms,
    inventory events.inventory,
    customer_id uuid,
    seats integer
) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.may_join_waitlist IS 'Return whether events.join_waitlist would let a customer wait for so many seats.';

CREATE FUNCTION events.may_take_set_aside(event_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.may_take_set_aside IS 'Return whether seats that are set aside for the waitlist may be taken without an offer.';

CREATE FUNCTION events.misaligned_events(
    most integer
) RETURNS TABLE(event_id uuid, starts_at timestamp with time zone, next_start timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.misaligned_events IS 'Return coming events that do not start at their local start, by the rules of the server.';

CREATE FUNCTION events.move_booking(
    booking_id uuid,
    event_id uuid,
    payment_method events.payment_method DEFAULT NULL::events.payment_method,
    promo_code text DEFAULT NULL::text,
    total_cents bigint DEFAULT NULL::bigint,
    waive boolean DEFAULT false,
    idempotency_key text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.move_booking IS 'Move a confirmed booking to another event of the same organization. Returns the new booking.';
GRANT ALL ON FUNCTION events.move_booking TO authenticated, service_role;

CREATE FUNCTION events.notify_event_change(
    event_ids uuid[],
    previous_starts timestamp with time zone[],
    changed text[]
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.notify_event_change IS 'Notify customers and instructors about changed fields of their events.';

CREATE FUNCTION events.notify_instructors(
    event_ids uuid[],
    instructor_ids uuid[],
    duty text,
    changed text[] DEFAULT '{}'::text[]
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.notify_instructors IS 'Notify the people who lead events, once for all events of one edit.';

CREATE FUNCTION events.notify_series_change(
    event_ids uuid[],
    starts timestamp with time zone[],
    ends timestamp with time zone[],
    places uuid[],
    instructors uuid[]
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.notify_series_change IS 'Notify customers and instructors of an edited series about its changed events.';

CREATE FUNCTION events.notify_substitution(event_ids uuid[], previous_ids uuid[], next_ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.notify_substitution IS 'Notify the former instructors of events that they are released, and the new ones.';

CREATE FUNCTION events.offer_seats(
    event_id uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.offer_seats IS 'Offer free seats to the waitlist in order. Returns the number of offers.';

CREATE FUNCTION events.offers_end_at(terms events.terms) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION events.offers_end_at IS 'Return when an event''s waitlist ends: no more offers, entries and reserved seats.';
GRANT ALL ON FUNCTION events.offers_end_at TO app_read;

CREATE FUNCTION events.offers_are_open(terms events.terms, at timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION events.offers_are_open IS 'Return whether an event''s waitlist makes offers at a time.';

CREATE FUNCTION events.offers_have_ended(event_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.offers_have_ended IS 'Return whether an event''s waitlist has ended, so that seats set aside for it are on sale.';

CREATE FUNCTION events.sales_end_at(terms events.terms, for_staff boolean) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION events.sales_end_at IS 'Return when sales end: for staff at the end of the event, for others at the policy''s cut-off.';
GRANT ALL ON FUNCTION events.sales_end_at TO app_read;

CREATE FUNCTION events.open_to_everybody(terms events.terms) RETURNS boolean
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.open_to_everybody IS 'Return whether anyone may book the event now.';
GRANT ALL ON FUNCTION events.open_to_everybody TO app_read;

CREATE FUNCTION events.organization_analytics(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.organization_analytics IS 'Return an organization''s key figures, for its members.';
GRANT ALL ON FUNCTION events.organization_analytics TO authenticated, service_role;

CREATE FUNCTION events.organization_bookings(
    organization_id uuid,
    event_id uuid DEFAULT NULL::uuid,
    customer_id uuid DEFAULT NULL::uuid,
    begins_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    ends_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    statuses text[] DEFAULT NULL::text[],
    methods text[] DEFAULT NULL::text[],
    unpaid boolean DEFAULT NULL::boolean,
    words text DEFAULT NULL::text,
    after_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    after_event_id uuid DEFAULT NULL::uuid,
    after_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    id uuid,
    listed_organization_id uuid,
    listed_event_id uuid,
    event_title text,
    starts_at timestamp with time zone,
    time_zone text,
    event_status text,
    listed_customer_id uuid,
    name text,
    email text,
    seats integer,
    guest boolean,
    status text,
    payment_method text,
    price_cents bigint,
    fee_cents bigint,
    currency text,
    is_unpaid boolean,
    created_at timestamp with time zone,
    cancelled_at timestamp with time zone
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan';
COMMENT ON FUNCTION events.organization_bookings IS 'Return a page of an organization''s bookings for its staff, the latest event first.';
GRANT ALL ON FUNCTION events.organization_bookings TO authenticated, service_role;

CREATE FUNCTION events.organization_day(
    organization_id uuid,
    day date DEFAULT NULL::date,
    location_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan';
COMMENT ON FUNCTION events.organization_day IS 'Return a day of an organization for its desk: events, rooms, instructors and unpaid bookings.';
GRANT ALL ON FUNCTION events.organization_day TO authenticated, service_role;

CREATE FUNCTION events.organization_events(
    organization_id uuid,
    begins_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    ends_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    statuses text[] DEFAULT NULL::text[],
    visibility text DEFAULT NULL::text,
    location_id uuid DEFAULT NULL::uuid,
    instructor_id uuid DEFAULT NULL::uuid,
    series_id uuid DEFAULT NULL::uuid,
    words text DEFAULT NULL::text,
    newest_first boolean DEFAULT false,
    after_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    after_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    id uuid,
    listed_organization_id uuid,
    listed_series_id uuid,
    title text,
    category text,
    starts_at timestamp with time zone,
    listed_ends_at timestamp with time zone,
    time_zone text,
    status text,
    listed_visibility text,
    price_cents bigint,
    currency text,
    listed_location_id uuid,
    location_name text,
    listed_instructor_id uuid,
    instructor_name text,
    capacity integer,
    taken integer,
    held integer,
    waitlisted integer,
    seats_left integer
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan';
COMMENT ON FUNCTION events.organization_events IS 'Return a page of an organization''s events for its members, with drafts and private ones.';
GRANT ALL ON FUNCTION events.organization_events TO authenticated, service_role;

CREATE FUNCTION events.payment_method_answer(booking events.bookings) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.payment_method_answer IS 'Return a booking with its payment at Stripe, as the API shows it.';

CREATE FUNCTION events.place_booking(
    booking_id uuid,
    terms events.terms,
    customer_id uuid,
    seats integer,
    guest boolean,
    payment_method events.payment_method,
    quote payments.quotes,
    hold_id uuid,
    booked_by uuid
) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.place_booking IS 'Write a booking with its payment and its message, after the calling routine has checked it.';

CREATE FUNCTION events.policy_snapshot(policy_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.policy_snapshot IS 'Return a policy''s rules as JSON, to be stored with an event.';

CREATE FUNCTION events.price_tier(price_cents bigint, decimal_places integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.price_tier IS 'Return the price tier of a seat: free, under_20, under_50 or more.';
GRANT ALL ON FUNCTION events.price_tier TO app_read;

CREATE FUNCTION events.promote_waitlist(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.promote_waitlist IS 'Offer an event''s free seats to its waitlist now. Returns the open offers.';
GRANT ALL ON FUNCTION events.promote_waitlist TO authenticated, service_role;

CREATE FUNCTION events.promote_waitlists(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 100
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.promote_waitlists IS 'Offer free seats to all waitlists. A bounded piece of work for the schedule.';
GRANT ALL ON FUNCTION events.promote_waitlists TO service_role;

CREATE FUNCTION events.queue_for_event(event_id uuid) RETURNS boolean
    LANGUAGE sql;
COMMENT ON FUNCTION events.queue_for_event IS 'Wait for a turn at an event. The turn ends with the transaction.';

CREATE FUNCTION events.queue_missing_listings() RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.queue_missing_listings IS 'Queue the upcoming public events that have no listing.';

CREATE FUNCTION events.quoted_lexeme(lexeme text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.quoted_lexeme IS 'Return a lexeme as it is written in the text of a query.';

CREATE FUNCTION events.rank_few_listings(
    whole tsquery,
    prefixed tsquery,
    everywhere tsquery,
    facets tsquery,
    among_scarce boolean,
    rank_most integer,
    most integer
) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION events.rank_few_listings IS 'Return all matches of words and facets with their ranks, if they are few; null otherwise.';

CREATE FUNCTION events.rank_query(
    rank integer,
    whole tsquery,
    prefixed tsquery,
    everywhere tsquery,
    is_first boolean
) RETURNS tsquery
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.rank_query IS 'Return the query for the listings of one rank, which no other rank returns.';

CREATE FUNCTION events.read_booking_details(booking_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.read_booking_details IS 'Return a booking with its reason and its event, as GET /bookings/{id} does.';

CREATE FUNCTION events.realign_events(most integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.realign_events IS 'Move coming events to their local start after the rules of a time zone have changed.';
GRANT ALL ON FUNCTION events.realign_events TO service_role;

CREATE FUNCTION events.recheck_terms(booking_id uuid, idempotency_key text, total_cents bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.recheck_terms IS 'Apply terms that changed while a free booking waited for its event, or refuse the booking.';

CREATE FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.record_attendance IS 'Record that a customer attended an event or did not. Returns the booking.';
GRANT ALL ON FUNCTION events.record_attendance TO authenticated, service_role;

CREATE FUNCTION events.record_hold_end() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.record_move() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.record_occupancies() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.record_occurrences(slice jsonb, until date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.record_occurrences IS 'Create the missing events of series for the given occurrences. Returns the number of new events.';
GRANT ALL ON FUNCTION events.record_occurrences TO authenticated, service_role;

CREATE FUNCTION events.refresh_changed_listings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.refresh_listings(event_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refresh_listings IS 'Write the listings of events that the transaction changed.';

CREATE FUNCTION events.refresh_stale_listings(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refresh_stale_listings IS 'Write up to `most` queued listings again; returns their number.';
GRANT ALL ON FUNCTION events.refresh_stale_listings TO service_role;

CREATE FUNCTION events.refuse_after_no_shows(terms events.terms) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_after_no_shows IS 'Refuse a customer who did not come too often to book online.';

CREATE FUNCTION events.refuse_already_booked(event_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_already_booked IS 'Refuse with already_booked and the id of the existing booking.';

CREATE FUNCTION events.refuse_archived(organization organizations.organizations) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_archived IS 'Refuse to create an event or a series in an archived organization.';

CREATE FUNCTION events.refuse_closed_event(terms events.terms) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_closed_event IS 'Refuse to book an event that is closed to the caller, and report the reason.';

CREATE FUNCTION events.refuse_closed_times() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.refuse_difference(
    quote payments.quotes,
    event_id uuid,
    seats integer,
    missing_cents bigint
) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_difference IS 'Refuse to move a booking, because the difference of the prices cannot be taken at once.';

CREATE FUNCTION events.refuse_repeated_hold(event_id uuid, customer_id uuid, purpose events.hold_purpose) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_repeated_hold IS 'Refuse to hold seats of an event too soon after unused seats of the same person.';

CREATE FUNCTION events.refuse_sold_out(event_id uuid, customer_id uuid, seats integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.refuse_sold_out IS 'Refuse with sold_out, the number of seats on sale, and whether the customer may wait for the seats.';

CREATE FUNCTION events.release_hold(hold_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.release_hold IS 'Release a hold before it expires. Returns the hold.';
GRANT ALL ON FUNCTION events.release_hold TO authenticated, service_role;

CREATE FUNCTION events.remaining_seats(event_id uuid, policy jsonb, customer_id uuid, purpose text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.remaining_seats IS 'Return how many more seats a person may have at an event.';

CREATE FUNCTION events.require_cancelled_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_cancelled_at IS 'Refuse a cancelled booking that has no time of cancellation.';

CREATE FUNCTION events.require_confirmation(cancelled jsonb, confirmed jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_confirmation IS 'Refuse to cancel more bookings or waitlist entries than the caller has confirmed.';

CREATE FUNCTION events.require_door_staff(event_id uuid) RETURNS events.terms
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_door_staff IS 'Return an event''s terms, or refuse a caller who may not see its attendees.';

CREATE FUNCTION events.require_organization(
    organization_id uuid,
    VARIADIC roles organizations.member_role[]
) RETURNS organizations.organizations
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_organization IS 'Return an organization, or refuse a caller who has none of these roles in it.';

CREATE FUNCTION events.require_seats(terms events.terms, customer_id uuid, seats integer, guest boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_seats IS 'Refuse unless enough seats are on sale, after expiring overdue holds.';

CREATE FUNCTION events.require_series(series_id uuid, VARIADIC roles organizations.member_role[]) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_series IS 'Lock a series, or refuse a caller who has none of these roles in its organization.';

CREATE FUNCTION events.require_staff(event_id uuid, VARIADIC roles organizations.member_role[]) RETURNS events.terms
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_staff IS 'Return an event''s terms, or refuse a caller who has none of these roles in its organization.';

CREATE FUNCTION events.require_waitlist(
    terms events.terms,
    inventory events.inventory,
    customer_id uuid,
    seats integer
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.require_waitlist IS 'Refuse unless a customer may wait for so many seats of an event.';

CREATE FUNCTION events.reschedule_occurrences(
    series_id uuid,
    occurrences jsonb,
    until date,
    slots jsonb DEFAULT NULL::jsonb
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.reschedule_occurrences IS 'Move, create, delete or cancel a series'' upcoming events to match its changed rule.';

CREATE FUNCTION events.reserved_seats(
    event_id uuid,
    customer_id uuid,
    named_hold_id uuid DEFAULT NULL::uuid
) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.reserved_seats IS 'Return how many seats of an event are reserved for a customer, by holds and by an offer.';

CREATE FUNCTION events.resolve_payment_method(
    terms events.terms,
    quote payments.quotes,
    seats integer,
    payment_method events.payment_method,
    idempotency_key text,
    total_cents bigint
) RETURNS events.payment_method
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.resolve_payment_method IS 'Return the payment method of a booking, or refuse it with its price and the possible methods.';

CREATE FUNCTION events.return_seats(
    booking_id uuid,
    seats integer,
    waive boolean DEFAULT false,
    idempotency_key text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.return_seats IS 'Give some seats of a confirmed booking back, and keep `seats` of them. Returns the booking.';
GRANT ALL ON FUNCTION events.return_seats TO authenticated, service_role;

CREATE FUNCTION events.revoke_access_link(event_id uuid, link_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.revoke_access_link IS 'Revoke a secret link of an event and its code.';
GRANT ALL ON FUNCTION events.revoke_access_link TO authenticated, service_role;

CREATE FUNCTION events.roster_v2(
    event_id uuid,
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    booking_id uuid,
    customer_id uuid,
    name text,
    email text,
    seats smallint,
    guest boolean,
    status events.booking_status,
    payment_method text,
    created_at timestamp with time zone,
    names text[]
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.roster_v2 IS 'Return an event''s attendees, for its staff. One page, ordered by booking id.';
GRANT ALL ON FUNCTION events.roster_v2 TO authenticated, service_role;

CREATE FUNCTION events.scarcity(capacity integer, taken integer, held integer, waitlisted integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.scarcity IS 'Return whether an event may be filling (1), full (2), one of them (3) or neither (0), by its counters.';

CREATE FUNCTION events.scarcity_facets(scarcity integer) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.scarcity_facets IS 'Return the facets of an event that may be filling (1), full (2), or one of them (3).';

CREATE FUNCTION events.search_listings(
    q text DEFAULT NULL::text,
    city text DEFAULT NULL::text,
    category text DEFAULT NULL::text,
    organization_id uuid DEFAULT NULL::uuid,
    series_id uuid DEFAULT NULL::uuid,
    instructor_id uuid DEFAULT NULL::uuid,
    availability text DEFAULT NULL::text,
    price text DEFAULT NULL::text,
    starts_from timestamp with time zone DEFAULT NULL::timestamp with time zone,
    starts_before timestamp with time zone DEFAULT NULL::timestamp with time zone,
    after_rank integer DEFAULT NULL::integer,
    after_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    after_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 20
) RETURNS TABLE(rank integer, listing events.listed_event)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION events.search_listings IS 'Return a page of public upcoming events, by the rank of their words, then by start.';
GRANT ALL ON FUNCTION events.search_listings TO app_read;

CREATE FUNCTION events.search_terms(q text, OUT whole tsquery, OUT prefixed tsquery) RETURNS record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION events.search_terms IS 'Return a search text as queries: with whole words, and with the last word as a prefix.';

CREATE FUNCTION events.seats_left(inventory events.inventory) RETURNS integer
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.seats_left IS 'Return the seats of an event that search, details and refusals show. Null: no limit.';
GRANT ALL ON FUNCTION events.seats_left TO app_read;

CREATE FUNCTION events.seats_on_sale(inventory events.inventory) RETURNS integer
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.seats_on_sale IS 'Return how many seats of an event a newcomer can take, by its counters. Null: no limit.';

CREATE FUNCTION events.secret_calendar(
    secret_hash bytea,
    first timestamp with time zone,
    most integer
) RETURNS TABLE(
    event_id uuid,
    title text,
    description text,
    status text,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    updated_at timestamp with time zone,
    organization_name text,
    instructor_name text,
    location_name text,
    location_address text,
    location_city text,
    sequence bigint,
    booking_id uuid,
    booking_status text,
    seats integer
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.secret_calendar IS 'Return the calendar entries of the bookings of the person who has this secret address.';
GRANT ALL ON FUNCTION events.secret_calendar TO anon;

CREATE FUNCTION events.series_answer(series_id uuid, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.series_answer IS 'Return the response to the creation of a series, the same for each request with its key.';
GRANT ALL ON FUNCTION events.series_answer TO authenticated, service_role;

CREATE FUNCTION events.series_family(series_id uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.series_family IS 'Return the ids of all series that were split from the same series, with the given one.';
GRANT ALL ON FUNCTION events.series_family TO app_read;

CREATE FUNCTION events.series_slots(
    series_id uuid,
    first_date date
) RETURNS TABLE(event_id uuid, local_start timestamp without time zone, place integer, is_exception boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.series_slots IS 'Return the events of a series from a local date on, with their slots, for an edit of its rule.';
GRANT ALL ON FUNCTION events.series_slots TO authenticated, service_role;

CREATE FUNCTION events.series_to_extend(series_ids uuid[]) RETURNS SETOF events.series
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.series_to_extend IS 'Lock active series and return them, to generate their events in this transaction.';
GRANT ALL ON FUNCTION events.series_to_extend TO service_role;

CREATE FUNCTION events.series_to_generate(
    until date,
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.series_to_generate IS 'Return the ids of series to generate, after an id, in their order.';
GRANT ALL ON FUNCTION events.series_to_generate TO service_role;

CREATE FUNCTION events.set_booking_names(booking_id uuid, names text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.set_booking_names IS 'Name the people who attend by a booking, or return their names.';
GRANT ALL ON FUNCTION events.set_booking_names TO authenticated, service_role;

CREATE FUNCTION events.set_capacities(event_ids uuid[], capacity integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.set_capacities IS 'Give events a capacity, never below their sold and held seats, and offer new seats to their waitlists.';

CREATE FUNCTION events.set_capacity(event_id uuid, capacity integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.set_capacity IS 'Give an event a capacity, never below its sold and held seats.';

CREATE FUNCTION events.set_search_config() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION events.set_series_status(
    series_id uuid,
    status events.series_status,
    reason text DEFAULT NULL::text
) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.set_series_status IS 'Pause, resume or archive a series.';
GRANT ALL ON FUNCTION events.set_series_status TO authenticated, service_role;

CREATE FUNCTION events.set_terms_archived(organization_id uuid, archived boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.set_terms_archived IS 'Close or open the upcoming events of an organization that is archived or opened again.';

CREATE FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.split_series IS 'Split a series at a local date. Returns the new series, which has the events from that date.';
GRANT ALL ON FUNCTION events.split_series TO authenticated, service_role;

CREATE FUNCTION events.substitute_instructor(
    event_id uuid,
    instructor_id uuid,
    note text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.substitute_instructor IS 'Let another instructor lead one event, and remember in whose place. Returns the event.';
GRANT ALL ON FUNCTION events.substitute_instructor TO authenticated, service_role;

CREATE FUNCTION events.tagged_query(tag text, words tsquery) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.tagged_query IS 'Return a query of words for words with a tag.';

CREATE FUNCTION events.tagged_words(tag text, words tsvector) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.tagged_words IS 'Return words of a text for search with a tag before each.';

CREATE FUNCTION events.text_words(config regconfig, value text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.text_words IS 'Return the words of a text for search.';

CREATE FUNCTION events.time_block(moment timestamp with time zone, bits integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.time_block IS 'Return the number of the block of 2^bits seconds that contains a time.';

CREATE FUNCTION events.umlauts_joined(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.umlauts_joined IS 'Return a folded text with two letters that may spell an umlaut as one: zuerich is zurich.';

CREATE FUNCTION events.umlauts_spelled(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.umlauts_spelled IS 'Return a composed text with German umlauts as two letters.';

CREATE FUNCTION events.undo_unpaid_booking(booking_id uuid, reason text, quiet boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.undo_unpaid_booking IS 'Expire a booking that cannot be paid, and return everything that it used.';

CREATE FUNCTION events.update_event(event_id uuid, changes jsonb, confirmed jsonb DEFAULT NULL::jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.update_event IS 'Edit one event. Closes waitlist entries only with confirmation. Returns the event.';
GRANT ALL ON FUNCTION events.update_event TO authenticated, service_role;

CREATE FUNCTION events.use_access_code(access_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.use_access_code IS 'Let this transaction book the event whose link or code has this hash.';
GRANT ALL ON FUNCTION events.use_access_code TO authenticated, service_role;

CREATE FUNCTION events.use_reservations(
    event_id uuid,
    customer_id uuid,
    named_hold_id uuid,
    booking_id uuid,
    OUT seats integer,
    OUT hold_id uuid
) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.use_reservations IS 'Turn all seats that are reserved for a customer at an event into free seats, for the booking that follows.';

CREATE FUNCTION events.waitlist_answer(entry_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.waitlist_answer IS 'Return a waitlist entry with its position, as JSON.';

CREATE FUNCTION events.waitlist_is_open(terms events.terms, inventory events.inventory) RETURNS boolean
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION events.waitlist_is_open IS 'Return whether customers may join an event''s waitlist for a seat now.';
GRANT ALL ON FUNCTION events.waitlist_is_open TO app_read;

CREATE FUNCTION events.waitlist_payload(entry events.waitlist_entries, organization_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.waitlist_payload IS 'Return a waitlist entry as the API and its messages have it.';

CREATE FUNCTION events.waitlist_place(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.waitlist_place IS 'Return the caller''s newest entry on an event''s waitlist, with its position.';
GRANT ALL ON FUNCTION events.waitlist_place TO authenticated, service_role;

CREATE FUNCTION events.waitlist_roster(
    event_id uuid,
    after integer DEFAULT 0,
    most integer DEFAULT 100
) RETURNS TABLE(
    entry_id uuid,
    customer_id uuid,
    name text,
    seats smallint,
    place integer,
    status events.waitlist_status,
    offer_expires_at timestamp with time zone,
    joined_at timestamp with time zone
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.waitlist_roster IS 'Return an event''s waitlist in order, for its staff. One page, ordered by place.';
GRANT ALL ON FUNCTION events.waitlist_roster TO authenticated, service_role;

CREATE FUNCTION events.window_facets(
    starts_from timestamp with time zone,
    starts_before timestamp with time zone
) RETURNS tsquery
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.window_facets IS 'Return the blocks of time that cover a window, as facets.';

CREATE FUNCTION events.words_apart(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION events.words_apart IS 'Return a text in composed form, with spaces for the signs between words.';

CREATE FUNCTION events.write_listings(event_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION events.write_listings IS 'Write the listings of events as the events and their names are. The caller has locked the listings.';

CREATE PROCEDURE events.guard_states()
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE SCHEMA messaging;
COMMENT ON SCHEMA messaging IS 'Messages to people (e-mails, notifications, reminders) and webhooks to subscribers.';
GRANT USAGE ON SCHEMA messaging TO app_read, app_write;

CREATE TABLE messaging.webhook_endpoints (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    topics text[],
    description text DEFAULT ''::text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text,
    failing_since timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    previous_secret_expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT disabled_reason_is_known CHECK ((disabled_reason = ANY (ARRAY['by_hand'::text, 'gone'::text, 'failing'::text, 'no_admin'::text]))),
    CONSTRAINT disabled_says_when_and_why CHECK (((enabled = (disabled_at IS NULL)) AND (enabled = (disabled_reason IS NULL)))),
    CONSTRAINT endpoint_description_is_readable CHECK (ops.is_text(description)),
    CONSTRAINT endpoint_description_is_short CHECK ((length(description) <= 500)),
    CONSTRAINT endpoint_url_is_plain CHECK (((url ~ '^https?://[!-~]+$'::text) AND (length(url) <= 2000))),
    CONSTRAINT failing_has_failures CHECK (((failing_since IS NULL) = (failures = 0))),
    CONSTRAINT failures_are_counted CHECK ((failures >= 0)),
    CONSTRAINT topics_are_some CHECK (((cardinality(topics) >= 1) AND (cardinality(topics) <= 100)))
);
COMMENT ON TABLE messaging.webhook_endpoints IS 'URLs to which an organization''s messages are sent as webhooks.';
COMMENT ON COLUMN messaging.webhook_endpoints.topics IS 'The topics that it receives; null: all.';
COMMENT ON COLUMN messaging.webhook_endpoints.failing_since IS 'The first failed attempt since the last success.';
ALTER TABLE ONLY messaging.webhook_endpoints ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);
ALTER TABLE ONLY messaging.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX webhook_endpoints_organization_id_id_idx ON messaging.webhook_endpoints USING btree (organization_id, id);
ALTER TABLE messaging.webhook_endpoints ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON messaging.webhook_endpoints TO service_role USING (true) WITH CHECK (true);
CREATE POLICY staff ON messaging.webhook_endpoints FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
GRANT SELECT ON TABLE messaging.webhook_endpoints TO app_read;

CREATE TABLE messaging.deliveries (
    outbox_id bigint NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    status text NOT NULL,
    provider_id text,
    attempts integer DEFAULT 1 NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    lease_until timestamp with time zone,
    user_id uuid,
    uncertain boolean DEFAULT false NOT NULL,
    CONSTRAINT channel_is_known CHECK ((channel = 'email'::text)),
    CONSTRAINT delivery_status_is_known CHECK ((status = ANY (ARRAY['sending'::text, 'sent'::text, 'failed'::text])))
);
COMMENT ON TABLE messaging.deliveries IS 'E-mails by message and recipient. The key prevents a repeated message from being sent twice.';
COMMENT ON COLUMN messaging.deliveries.lease_until IS 'A worker is sending it until then. Afterwards that worker counts as dead, and another one sends it again.';
COMMENT ON COLUMN messaging.deliveries.uncertain IS 'An attempt ended without a known result, so the next one is marked as sent again.';
ALTER TABLE ONLY messaging.deliveries ADD CONSTRAINT deliveries_pkey PRIMARY KEY (outbox_id, channel, recipient);
ALTER TABLE ONLY messaging.deliveries
    ADD CONSTRAINT deliveries_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX deliveries_by_age ON messaging.deliveries USING brin (created_at);
CREATE INDEX deliveries_of_user ON messaging.deliveries USING btree (user_id);
CREATE INDEX deliveries_unfinished ON messaging.deliveries USING btree (created_at) WHERE (status = 'sending'::text);
CREATE INDEX deliveries_without_person ON messaging.deliveries USING btree (lower(recipient)) WHERE (user_id IS NULL);
ALTER TABLE messaging.deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON messaging.deliveries TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE messaging.deliveries TO app_write;

CREATE TABLE messaging.notifications (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid,
    outbox_id bigint NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone,
    about_id uuid
);
COMMENT ON COLUMN messaging.notifications.about_id IS 'The customer whom the text is about, if the reader is another person. Erasing that customer deletes it.';
ALTER TABLE ONLY messaging.notifications ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);
ALTER TABLE ONLY messaging.notifications ADD CONSTRAINT told_once UNIQUE (outbox_id, user_id);
ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT notifications_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX notifications_about ON messaging.notifications USING btree (about_id) WHERE (about_id IS NOT NULL);
CREATE INDEX notifications_by_age ON messaging.notifications USING brin (created_at);
CREATE INDEX notifications_of_user ON messaging.notifications USING btree (user_id, id);
CREATE INDEX notifications_organization_id_idx ON messaging.notifications USING btree (organization_id);
CREATE INDEX unread_notifications ON messaging.notifications USING btree (user_id) WHERE (read_at IS NULL);
ALTER TABLE messaging.notifications ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON messaging.notifications FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON messaging.notifications TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE messaging.notifications TO app_read, app_write;

CREATE TABLE messaging.preferences (
    user_id uuid NOT NULL,
    family text NOT NULL,
    channel text NOT NULL,
    delivery text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT channel_of_preference_is_known CHECK ((channel = ANY (ARRAY['app'::text, 'email'::text]))),
    CONSTRAINT delivery_of_preference_is_known CHECK ((delivery = ANY (ARRAY['immediately'::text, 'off'::text]))),
    CONSTRAINT family_is_a_name CHECK ((family ~ '^[a-z][a-z_]{0,39}$'::text))
);
COMMENT ON TABLE messaging.preferences IS 'How a person receives the messages of a family on a channel. Without a row: immediately.';
COMMENT ON COLUMN messaging.preferences.family IS 'As the catalogue of topics names it. Topics without a family, such as payments and cancellations, are always sent.';
ALTER TABLE ONLY messaging.preferences ADD CONSTRAINT preferences_pkey PRIMARY KEY (user_id, family, channel);
ALTER TABLE ONLY messaging.preferences
    ADD CONSTRAINT preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
ALTER TABLE messaging.preferences ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON messaging.preferences FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON messaging.preferences TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE messaging.preferences TO app_read, app_write;

CREATE TABLE messaging.reminded_events (
    event_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE messaging.reminded_events IS 'Events whose reminders have all been written for this due time. They are not checked again.';
COMMENT ON COLUMN messaging.reminded_events.due_at IS 'The start minus the organization''s reminder hours. An event that is moved has a new due time and is due again.';
ALTER TABLE ONLY messaging.reminded_events ADD CONSTRAINT reminded_events_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY messaging.reminded_events
    ADD CONSTRAINT reminded_events_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;
ALTER TABLE messaging.reminded_events ENABLE ROW LEVEL SECURITY;

CREATE TABLE messaging.reminders (
    booking_id uuid NOT NULL,
    reminded_at timestamp with time zone DEFAULT now() NOT NULL,
    starts_at timestamp with time zone
);
COMMENT ON TABLE messaging.reminders IS 'Bookings whose customers were reminded. Each is reminded once, even if the event is moved afterwards.';
COMMENT ON COLUMN messaging.reminders.starts_at IS 'The start that the reminder named; null in rows from before the column.';
ALTER TABLE ONLY messaging.reminders ADD CONSTRAINT reminders_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY messaging.reminders
    ADD CONSTRAINT reminders_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id) ON DELETE CASCADE;
CREATE INDEX reminders_by_age ON messaging.reminders USING brin (reminded_at);
ALTER TABLE messaging.reminders ENABLE ROW LEVEL SECURITY;

CREATE TABLE messaging.unsubscribe_keys (
    id integer NOT NULL,
    inner_secret bytea NOT NULL,
    outer_secret bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT inner_secret_is_long CHECK ((length(inner_secret) >= 64)),
    CONSTRAINT outer_secret_is_long CHECK ((length(outer_secret) >= 64))
);
ALTER TABLE messaging.unsubscribe_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME messaging.unsubscribe_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE messaging.unsubscribe_keys IS 'Random keys that sign the links to unsubscribe. The newest one signs, and all verify: a deleted key ends its links.';
ALTER TABLE ONLY messaging.unsubscribe_keys ADD CONSTRAINT unsubscribe_keys_pkey PRIMARY KEY (id);
ALTER TABLE messaging.unsubscribe_keys ENABLE ROW LEVEL SECURITY;

CREATE TABLE messaging.webhook_attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    status_code integer,
    error text,
    response text,
    CONSTRAINT response_is_short CHECK ((length(response) <= 1024))
);
COMMENT ON TABLE messaging.webhook_attempts IS 'The result of each attempt. An attempt whose worker died has no row.';
COMMENT ON COLUMN messaging.webhook_attempts.response IS 'The first 1,024 characters of the response''s body.';
ALTER TABLE ONLY messaging.webhook_attempts ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number);
ALTER TABLE ONLY messaging.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES messaging.webhook_deliveries(id) ON DELETE CASCADE;
ALTER TABLE messaging.webhook_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON messaging.webhook_attempts TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_delivery ON messaging.webhook_attempts FOR SELECT TO authenticated USING ((delivery_id IN ( SELECT d.id
   FROM messaging.webhook_deliveries d)));
GRANT SELECT ON TABLE messaging.webhook_attempts TO app_read;

CREATE TABLE messaging.webhook_deliveries (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    endpoint_id uuid NOT NULL,
    outbox_id bigint,
    topic text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    lease_until timestamp with time zone,
    last_status_code integer,
    last_error text,
    last_duration_ms integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_at timestamp with time zone,
    CONSTRAINT delivered_says_when CHECK (((status <> 'delivered'::text) OR (delivered_at IS NOT NULL))),
    CONSTRAINT only_pending_is_leased CHECK (((status = 'pending'::text) OR (lease_until IS NULL))),
    CONSTRAINT pending_has_a_next_attempt CHECK (((status = 'pending'::text) = (next_attempt_at IS NOT NULL))),
    CONSTRAINT tries_are_attempts CHECK (((tries >= 0) AND (tries <= attempts))),
    CONSTRAINT webhook_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');
COMMENT ON TABLE messaging.webhook_deliveries IS 'Messages to an endpoint. The id is the webhook-id, the same for every attempt.';
COMMENT ON COLUMN messaging.webhook_deliveries.outbox_id IS 'The message in the outbox; null for a requested test.';
COMMENT ON COLUMN messaging.webhook_deliveries.attempts IS 'The number of all attempts that were started.';
COMMENT ON COLUMN messaging.webhook_deliveries.tries IS 'The number of attempts started since it was created or last resent by hand.';
COMMENT ON COLUMN messaging.webhook_deliveries.lease_until IS 'A worker is sending it until then; afterwards another may.';
ALTER TABLE ONLY messaging.webhook_deliveries ADD CONSTRAINT one_delivery_a_cause UNIQUE (endpoint_id, outbox_id);
ALTER TABLE ONLY messaging.webhook_deliveries ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY messaging.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES messaging.webhook_endpoints(id) ON DELETE CASCADE;
CREATE INDEX webhook_deliveries_by_age ON messaging.webhook_deliveries USING brin (created_at);
CREATE INDEX webhook_deliveries_due ON messaging.webhook_deliveries USING btree (endpoint_id, next_attempt_at, outbox_id) WHERE (status = 'pending'::text);
CREATE INDEX webhook_deliveries_in_flight ON messaging.webhook_deliveries USING btree (endpoint_id, key) WHERE (lease_until IS NOT NULL);
CREATE INDEX webhook_deliveries_of_customer ON messaging.webhook_deliveries USING btree (((payload ->> 'customer_id'::text)));
CREATE INDEX webhook_deliveries_of_endpoint ON messaging.webhook_deliveries USING btree (endpoint_id, id);
ALTER TABLE messaging.webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON messaging.webhook_deliveries TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_endpoint ON messaging.webhook_deliveries FOR SELECT TO authenticated USING ((endpoint_id IN ( SELECT e.id
   FROM messaging.webhook_endpoints e)));
GRANT SELECT ON TABLE messaging.webhook_deliveries TO app_read;

CREATE TABLE messaging.webhook_secrets (
    endpoint_id uuid NOT NULL,
    secret text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    sealed text,
    key_id text GENERATED ALWAYS AS (split_part(sealed, '.'::text, 2)) STORED,
    CONSTRAINT sealed_names_its_key CHECK (((sealed ~ '^v1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{80,}$'::text) AND (length(sealed) <= 500))),
    CONSTRAINT secret_is_long_enough CHECK ((secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'::text)),
    CONSTRAINT secret_is_sealed_or_plain CHECK ((num_nonnulls(secret, sealed) = 1))
);
COMMENT ON TABLE messaging.webhook_secrets IS 'Secrets that sign deliveries: the current one, and replaced ones until they expire.';
COMMENT ON COLUMN messaging.webhook_secrets.secret IS 'A plain secret that was stored before sealing existed. The job seal_webhook_secrets empties it.';
COMMENT ON COLUMN messaging.webhook_secrets.sealed IS 'AES-256-GCM with the endpoint''s id as associated data: v1, the key''s id, and nonce and ciphertext in base64url.';
ALTER TABLE ONLY messaging.webhook_secrets ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY messaging.webhook_secrets
    ADD CONSTRAINT webhook_secrets_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES messaging.webhook_endpoints(id) ON DELETE CASCADE;
CREATE UNIQUE INDEX webhook_secret_current ON messaging.webhook_secrets USING btree (endpoint_id) WHERE (expires_at IS NULL);
CREATE INDEX webhook_secrets_by_key ON messaging.webhook_secrets USING btree (key_id, id);
CREATE INDEX webhook_secrets_of_endpoint ON messaging.webhook_secrets USING btree (endpoint_id);
ALTER TABLE messaging.webhook_secrets ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER new_secrets_are_sealed BEFORE INSERT OR UPDATE OF secret ON messaging.webhook_secrets FOR EACH ROW WHEN ((new.secret IS NOT NULL)) EXECUTE FUNCTION messaging.refuse_plain_secret();

CREATE VIEW messaging.webhook_endpoint_details WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    url,
    topics,
    description,
    enabled,
    disabled_at,
    disabled_reason,
    failing_since,
    failures,
    previous_secret_expires_at,
    created_at,
    updated_at
   FROM messaging.webhook_endpoints e
  WHERE (organization_id = (NULLIF((( SELECT ops.claims() AS claims) ->> 'org_id'::text), ''::text))::uuid);
COMMENT ON VIEW messaging.webhook_endpoint_details IS 'The endpoints of the organization that the caller acts for, without secrets.';
GRANT SELECT ON TABLE messaging.webhook_endpoint_details TO app_read;

CREATE VIEW messaging.webhook_delivery_details WITH (security_invoker='true') AS
 SELECT d.id,
    d.endpoint_id,
    d.topic,
    d.payload,
    d.occurred_at,
    d.status,
    d.attempts,
    d.next_attempt_at,
    d.last_status_code,
    d.last_error,
    d.last_duration_ms,
    d.created_at,
    d.delivered_at,
    ( SELECT COALESCE(jsonb_agg((to_jsonb(a.*) - 'delivery_id'::text) ORDER BY a.number), '[]'::jsonb) AS "coalesce"
           FROM messaging.webhook_attempts a
          WHERE (a.delivery_id = d.id)) AS history
   FROM (messaging.webhook_deliveries d
     JOIN messaging.webhook_endpoint_details e ON ((e.id = d.endpoint_id)));
COMMENT ON VIEW messaging.webhook_delivery_details IS 'Deliveries to the endpoints of the caller''s organization, with the result of each attempt.';
GRANT SELECT ON TABLE messaging.webhook_delivery_details TO app_read;

CREATE FUNCTION messaging.add_webhook_secret(
    endpoint_id uuid,
    sealed_secret text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.add_webhook_secret IS 'Give an endpoint a new sealed secret, and let the previous one expire after a day.';

CREATE FUNCTION messaging.claim_webhook_deliveries(
    most integer DEFAULT 64,
    per_endpoint integer DEFAULT 8,
    lease_seconds integer DEFAULT 90,
    at timestamp with time zone DEFAULT statement_timestamp(),
    sealed boolean DEFAULT false
) RETURNS TABLE(
    id uuid,
    endpoint_id uuid,
    url text,
    secrets text[],
    topic text,
    key text,
    payload jsonb,
    occurred_at timestamp with time zone,
    attempt integer,
    try integer
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.claim_webhook_deliveries IS 'Lease due deliveries and return them with the secrets that sign them.';
GRANT ALL ON FUNCTION messaging.claim_webhook_deliveries TO service_role;

CREATE FUNCTION messaging.create_webhook_endpoint(
    id uuid,
    url text,
    topics text[],
    description text,
    sealed_secret text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.create_webhook_endpoint IS 'Create an endpoint for the caller''s organization, with its sealed secret.';
GRANT ALL ON FUNCTION messaging.create_webhook_endpoint TO authenticated, service_role;

CREATE FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.delete_webhook_endpoint IS 'Delete an endpoint with its secrets and deliveries.';
GRANT ALL ON FUNCTION messaging.delete_webhook_endpoint TO authenticated, service_role;

CREATE FUNCTION messaging.disable_webhook_endpoint(
    endpoint_id uuid,
    reason text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.disable_webhook_endpoint IS 'Stop all deliveries to an endpoint; returns whether it was enabled.';

CREATE FUNCTION messaging.endpoint_payload(endpoint messaging.webhook_endpoints) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION messaging.endpoint_payload IS 'Return an endpoint that was disabled as its message stores it.';

CREATE FUNCTION messaging.fan_out_webhooks(
    happenings jsonb,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.fan_out_webhooks IS 'Create a delivery of each message for each endpoint that subscribes to its topic; returns the number.';
GRANT ALL ON FUNCTION messaging.fan_out_webhooks TO service_role;

CREATE FUNCTION messaging.finish_notification(
    outbox_id bigint,
    email text,
    provider_id text DEFAULT NULL::text,
    error text DEFAULT NULL::text,
    permanent boolean DEFAULT false,
    uncertain boolean DEFAULT false,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.finish_notification IS 'Record that an e-mail was sent, has failed permanently, or can be retried.';
GRANT ALL ON FUNCTION messaging.finish_notification TO service_role;

CREATE FUNCTION messaging.finish_webhook_deliveries(
    results jsonb,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.finish_webhook_deliveries IS 'Record the results of delivery attempts, and disable failing endpoints; returns the counts.';
GRANT ALL ON FUNCTION messaging.finish_webhook_deliveries TO service_role;

CREATE FUNCTION messaging.is_family(family text) RETURNS boolean
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION messaging.is_family IS 'Return whether people can switch off a family of topics by this name.';

CREATE FUNCTION messaging.is_wanted(user_id uuid, family text, channel text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.is_wanted IS 'Return whether a person receives the messages of a family on a channel.';

CREATE FUNCTION messaging.mark_notification_read(notification_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.mark_notification_read IS 'Mark one of the caller''s notifications as read.';
GRANT ALL ON FUNCTION messaging.mark_notification_read TO authenticated, service_role;

CREATE FUNCTION messaging.mark_notifications_read(up_to_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.mark_notifications_read IS 'Mark the caller''s notifications as read: all of them, or those up to one.';
GRANT ALL ON FUNCTION messaging.mark_notifications_read TO authenticated, service_role;

CREATE FUNCTION messaging.message_facts(topic text, payload jsonb) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION messaging.message_facts IS 'Return the values of a payload under the names that the texts of its topic use.';

CREATE FUNCTION messaging.notification_reason(topic text, payload jsonb) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.notification_reason IS 'Return the reason for a cancellation or an expired waitlist entry, from its own row.';

CREATE FUNCTION messaging.recipients(
    topic text,
    payload jsonb,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(user_id uuid, email text, name text, language text, organization_id uuid, facts jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.recipients IS 'Return the receivers of a message, their languages, and the facts for its text.';
GRANT ALL ON FUNCTION messaging.recipients TO service_role;

CREATE FUNCTION messaging.refuse_plain_secret() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION messaging.require_webhook_endpoint(endpoint_id uuid) RETURNS messaging.webhook_endpoints
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.require_webhook_endpoint IS 'Lock and return an endpoint of the caller''s organization, for one of its admins.';

CREATE FUNCTION messaging.resend_webhook_delivery(
    delivery_id uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.resend_webhook_delivery IS 'Send a delivery again now, under the same webhook-id; returns its id.';
GRANT ALL ON FUNCTION messaging.resend_webhook_delivery TO authenticated, service_role;

CREATE FUNCTION messaging.rotate_webhook_secret(
    endpoint_id uuid,
    sealed_secret text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.rotate_webhook_secret IS 'Replace an endpoint''s secret by a sealed one; the previous one stays valid for a day.';
GRANT ALL ON FUNCTION messaging.rotate_webhook_secret TO authenticated, service_role;

CREATE FUNCTION messaging.seal_webhook_secrets(secrets jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.seal_webhook_secrets IS 'Store secrets sealed by the current key in place of their earlier form.';
GRANT ALL ON FUNCTION messaging.seal_webhook_secrets TO service_role;

CREATE FUNCTION messaging.send_reminders(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 2000,
    events_most integer DEFAULT 500
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.send_reminders IS 'Remind customers of events that start soon; returns the number, and whether there may be more.';
GRANT ALL ON FUNCTION messaging.send_reminders TO service_role;

CREATE FUNCTION messaging.set_preferences(changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.set_preferences IS 'Change how the caller receives messages.';
GRANT ALL ON FUNCTION messaging.set_preferences TO authenticated, service_role;

CREATE FUNCTION messaging.start_notification(
    outbox_id bigint,
    topic text,
    user_id uuid,
    organization_id uuid,
    subject text,
    body text,
    email text,
    lease_seconds integer DEFAULT 120,
    at timestamp with time zone DEFAULT statement_timestamp(),
    family text DEFAULT NULL::text
) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.start_notification IS 'Add a notification and lease the sending of its e-mail; returns send, send_again, done or busy.';
GRANT ALL ON FUNCTION messaging.start_notification TO service_role;

CREATE FUNCTION messaging.test_webhook_endpoint(
    endpoint_id uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.test_webhook_endpoint IS 'Send a test message to an endpoint; returns the id of its delivery.';
GRANT ALL ON FUNCTION messaging.test_webhook_endpoint TO authenticated, service_role;

CREATE FUNCTION messaging.topic_audience(topic text) RETURNS text
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION messaging.topic_audience IS 'Return the audience of a topic; null where nobody is notified.';

CREATE FUNCTION messaging.unsubscribe(token text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.unsubscribe IS 'Stop the e-mails of a family to a person, by the signed token of one of them.';
GRANT ALL ON FUNCTION messaging.unsubscribe TO anon, authenticated, service_role;

CREATE FUNCTION messaging.unsubscribe_signature(key_id integer, user_id uuid, family text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.unsubscribe_signature IS 'Return the signature of a person and a family by a key, in hexadecimal.';

CREATE FUNCTION messaging.unsubscribe_token(user_id uuid, family text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.unsubscribe_token IS 'Return the signed token by which a person stops the e-mails of a family.';
GRANT ALL ON FUNCTION messaging.unsubscribe_token TO service_role;

CREATE FUNCTION messaging.update_webhook_endpoint(
    endpoint_id uuid,
    changes jsonb,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.update_webhook_endpoint IS 'Change an endpoint''s URL, topics or description, enable it or disable it.';
GRANT ALL ON FUNCTION messaging.update_webhook_endpoint TO authenticated, service_role;

CREATE FUNCTION messaging.webhook_data(topic text, payload jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.webhook_data IS 'Return the object that a webhook carries: the stored payload with the texts of its object.';

CREATE FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.webhook_delivery_answer IS 'Return a delivery as the API shows it, within the statement that changed it.';
GRANT ALL ON FUNCTION messaging.webhook_delivery_answer TO authenticated, service_role;

CREATE FUNCTION messaging.webhook_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.webhook_organization IS 'Return the organization that the caller acts for, as one of its admins.';

CREATE FUNCTION messaging.webhook_secrets_to_seal(
    key_id text,
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(id uuid, endpoint_id uuid, secret text, sealed text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION messaging.webhook_secrets_to_seal IS 'Lock and return secrets that are plain or sealed by an earlier key.';
GRANT ALL ON FUNCTION messaging.webhook_secrets_to_seal TO service_role;

CREATE SCHEMA ops;
COMMENT ON SCHEMA ops IS 'Operations: identity, limits, jobs, metrics, alerts, retention, the access log.';
GRANT USAGE ON SCHEMA ops TO app_read, app_write, marquee_people, marquee_public, marquee_service;

CREATE TABLE ops.alert_rules (
    name text NOT NULL,
    metric text NOT NULL,
    aggregate text NOT NULL,
    window_seconds integer NOT NULL,
    comparison text DEFAULT '>'::text NOT NULL,
    threshold double precision NOT NULL,
    for_seconds integer DEFAULT 0 NOT NULL,
    cool_down_seconds integer DEFAULT 300 NOT NULL,
    severity text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT aggregate_is_known CHECK ((aggregate = ANY (ARRAY['p95'::text, 'average'::text, 'maximum'::text, 'count'::text, 'rate'::text, 'latest'::text]))),
    CONSTRAINT comparison_is_known CHECK ((comparison = ANY (ARRAY['>'::text, '<'::text]))),
    CONSTRAINT cool_down_is_sensible CHECK (((cool_down_seconds >= 0) AND (cool_down_seconds <= 86400))),
    CONSTRAINT for_is_sensible CHECK (((for_seconds >= 0) AND (for_seconds <= 86400))),
    CONSTRAINT severity_is_known CHECK ((severity = ANY (ARRAY['warning'::text, 'critical'::text]))),
    CONSTRAINT window_is_sensible CHECK (((window_seconds >= 10) AND (window_seconds <= 86400)))
);
ALTER TABLE ONLY ops.alert_rules ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (name);
ALTER TABLE ops.alert_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.alert_rules TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.alert_rules TO app_write;

CREATE TABLE ops.alerts (
    id bigint NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    value double precision,
    pending_since timestamp with time zone NOT NULL,
    fired_at timestamp with time zone,
    resolved_at timestamp with time zone
);
ALTER TABLE ops.alerts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON COLUMN ops.alerts.pending_since IS 'When the threshold was first crossed; it fires after the rule''s for_seconds.';
ALTER TABLE ONLY ops.alerts ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_rule_fkey FOREIGN KEY (rule) REFERENCES ops.alert_rules(name) ON UPDATE CASCADE ON DELETE CASCADE;
CREATE INDEX alerts_by_age ON ops.alerts USING btree (rule, id DESC);
CREATE UNIQUE INDEX one_open_alert_per_rule ON ops.alerts USING btree (rule) WHERE (resolved_at IS NULL);
ALTER TABLE ops.alerts ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.alerts TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.alerts TO app_write;

CREATE TABLE ops.retention (
    table_name text NOT NULL,
    column_name text NOT NULL,
    rule text DEFAULT ''::text NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    period interval,
    is_old text,
    at_end text,
    on_erasure text NOT NULL,
    found_by text,
    replacement text,
    reason text,
    period_least interval,
    period_most interval,
    CONSTRAINT change_names_its_rows CHECK (((on_erasure <> ALL (ARRAY['null'::text, 'replace'::text])) OR (found_by IS NOT NULL))),
    CONSTRAINT deleted_rows_are_named CHECK (((kind <> 'row'::text) OR (on_erasure <> 'delete'::text) OR (found_by IS NOT NULL))),
    CONSTRAINT end_is_known CHECK ((at_end = ANY (ARRAY['delete'::text, 'null'::text, 'replace'::text]))),
    CONSTRAINT erasure_is_known CHECK ((on_erasure = ANY (ARRAY['delete'::text, 'null'::text, 'replace'::text, 'keep'::text]))),
    CONSTRAINT keeping_personal_data_has_a_reason CHECK (((on_erasure <> 'keep'::text) OR (kind = ANY (ARRAY['row'::text, 'code'::text, 'content'::text, 'system'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['row'::text, 'person'::text, 'name'::text, 'address'::text, 'text'::text, 'document'::text, 'secret'::text, 'code'::text, 'content'::text, 'system'::text]))),
    CONSTRAINT only_rows_are_deleted_at_the_end CHECK ((((at_end = 'delete'::text) AND (kind = 'row'::text)) OR (at_end <> 'delete'::text))),
    CONSTRAINT period_bounds_are_given_together CHECK (((period_least IS NULL) = (period_most IS NULL))),
    CONSTRAINT period_has_a_rule CHECK (((period IS NULL) OR (rule <> ''::text))),
    CONSTRAINT period_is_not_negative CHECK ((period >= '00:00:00'::interval)),
    CONSTRAINT period_is_within_bounds CHECK (((period >= period_least) AND (period <= period_most))),
    CONSTRAINT period_says_what_ends_how CHECK ((((period IS NULL) = (is_old IS NULL)) AND ((period IS NULL) = (at_end IS NULL)))),
    CONSTRAINT replacement_is_given CHECK (((replacement IS NOT NULL) OR ((on_erasure <> 'replace'::text) AND (at_end IS DISTINCT FROM 'replace'::text))))
);
ALTER TABLE ops.retention ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.retention_place_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE ops.retention IS 'The content of each column, its retention period, and its handling at erasure. See docs/operate/privacy.md.';
COMMENT ON COLUMN ops.retention.table_name IS 'With its schema; of a partitioned table the parent.';
COMMENT ON COLUMN ops.retention.column_name IS 'A column, or * for the whole row.';
COMMENT ON COLUMN ops.retention.rule IS 'The name of the period, which is its key in the result of ops.clean_up. Empty for a column without its own period.';
COMMENT ON COLUMN ops.retention.place IS 'Erasure follows this order.';
COMMENT ON COLUMN ops.retention.kind IS 'person: a person''s id. code: ids of things or listed words. content: an organization''s. system: text that the system writes.';
COMMENT ON COLUMN ops.retention.is_old IS 'A condition on the row r; $1 is the start of the period.';
COMMENT ON COLUMN ops.retention.found_by IS 'A condition on the row r: $1 is the person''s id, $2 their verified addresses, present and former, in lower case, $3 the names of their instructor pages.';
COMMENT ON COLUMN ops.retention.replacement IS 'An expression over the row r.';
COMMENT ON COLUMN ops.retention.period_least IS 'The shortest period that may be set. Null: the period is fixed.';
COMMENT ON COLUMN ops.retention.period_most IS 'The longest period that may be set.';
ALTER TABLE ONLY ops.retention ADD CONSTRAINT retention_pkey PRIMARY KEY (table_name, column_name, rule);
ALTER TABLE ops.retention ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.retention TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.retention TO app_write;

CREATE TABLE ops.access_log (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    accessed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    organization_id uuid,
    caller_id uuid,
    caller_role text NOT NULL,
    operation text NOT NULL,
    event_id uuid,
    people text[] DEFAULT '{}'::text[] NOT NULL,
    row_count bigint NOT NULL,
    request_id text,
    CONSTRAINT operation_is_a_name CHECK ((operation ~ '^[a-z][a-z_]{0,63}$'::text)),
    CONSTRAINT request_id_is_short CHECK ((length(request_id) <= 200)),
    CONSTRAINT rows_were_read CHECK ((row_count > 0)),
    CONSTRAINT service_has_no_id CHECK (((caller_id IS NOT NULL) OR (caller_role = 'service_role'::text)))
)
PARTITION BY RANGE (accessed_at);
-- Partitions: access_log_<year>_<month>, access_log_default.
COMMENT ON TABLE ops.access_log IS 'Reads of other people''s personal data. Append-only, kept for 13 months.';
COMMENT ON COLUMN ops.access_log.organization_id IS 'The organization of the people. A read has one row for each organization.';
COMMENT ON COLUMN ops.access_log.caller_id IS 'The person who read the data; null for the service.';
COMMENT ON COLUMN ops.access_log.people IS 'Ids of the people or raters whose data the rows hold; empty if the rows name nobody.';
ALTER TABLE ONLY ops.access_log ADD CONSTRAINT access_log_pkey PRIMARY KEY (accessed_at, id);
CREATE INDEX access_log_of_organization ON ONLY ops.access_log USING btree (organization_id, accessed_at, id);
CREATE INDEX access_log_of_people ON ONLY ops.access_log USING gin (people);
ALTER TABLE ops.access_log ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ops.access_log FOR EACH ROW EXECUTE FUNCTION ops.refuse_access_change();
ALTER TABLE ops.access_log ENABLE ALWAYS TRIGGER refuse_change;
CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON ops.access_log FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_access_change();
ALTER TABLE ops.access_log ENABLE ALWAYS TRIGGER refuse_truncation;

CREATE TABLE ops.alert_recipients (
    email text NOT NULL,
    severity_least text DEFAULT 'warning'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT recipient_can_be_written CHECK (ops.is_address(email)),
    CONSTRAINT severity_least_is_known CHECK ((severity_least = ANY (ARRAY['warning'::text, 'critical'::text])))
);
COMMENT ON TABLE ops.alert_recipients IS 'Addresses that receive an e-mail when an alert fires or resolves.';
ALTER TABLE ONLY ops.alert_recipients ADD CONSTRAINT alert_recipients_pkey PRIMARY KEY (email);
CREATE INDEX recipients_of_address ON ops.alert_recipients USING btree (lower(email));
ALTER TABLE ops.alert_recipients ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.alert_recipients TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.alert_recipients TO app_write;

CREATE TABLE ops.export_rules (
    table_name text NOT NULL,
    found_by text,
    reason text,
    CONSTRAINT table_is_exported_or_has_a_reason CHECK (((found_by IS NULL) <> (reason IS NULL)))
);
COMMENT ON TABLE ops.export_rules IS 'How the rows about a person are found for their export, for each table with personal data; or why it is left out.';
COMMENT ON COLUMN ops.export_rules.found_by IS 'A condition on the row r, where $1 is the person''s id and $2 are their addresses. It must have an index.';
ALTER TABLE ONLY ops.export_rules ADD CONSTRAINT export_rules_pkey PRIMARY KEY (table_name);
ALTER TABLE ops.export_rules ENABLE ROW LEVEL SECURITY;

CREATE TABLE ops.health_checks (
    name text NOT NULL,
    status text NOT NULL,
    value double precision,
    unit text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT health_is_known CHECK ((status = ANY (ARRAY['healthy'::text, 'warning'::text, 'critical'::text])))
);
ALTER TABLE ONLY ops.health_checks ADD CONSTRAINT health_checks_pkey PRIMARY KEY (name);
ALTER TABLE ops.health_checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.health_checks TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.health_checks TO app_write;

CREATE TABLE ops.idempotency_keys (
    caller_id uuid NOT NULL,
    operation text NOT NULL,
    key character varying(255) NOT NULL,
    request_hash bytea NOT NULL,
    response text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE ops.idempotency_keys IS 'The first response to each keyed request. It is kept for a week and repeated exactly.';
ALTER TABLE ONLY ops.idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, operation, key);
ALTER TABLE ops.idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.idempotency_keys TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.idempotency_keys TO app_write;

CREATE TABLE ops.job_runs (
    id bigint NOT NULL,
    job text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    succeeded boolean,
    result jsonb,
    error text
);
ALTER TABLE ops.job_runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.job_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE ONLY ops.job_runs ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);
CREATE INDEX job_runs_by_age ON ops.job_runs USING brin (started_at);
CREATE INDEX job_runs_of_job ON ops.job_runs USING btree (job, id DESC);
ALTER TABLE ops.job_runs ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.job_runs TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.job_runs TO app_write;

CREATE TABLE ops.jobs (
    name text NOT NULL,
    late_after_seconds integer NOT NULL,
    expected_since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT lateness_is_positive CHECK ((late_after_seconds > 0))
);
COMMENT ON TABLE ops.jobs IS 'Jobs that must succeed regularly. A job without a success for late_after_seconds is late.';
ALTER TABLE ONLY ops.jobs ADD CONSTRAINT jobs_pkey PRIMARY KEY (name);
ALTER TABLE ops.jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.jobs TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.jobs TO app_write;

CREATE TABLE ops.limits (
    name text NOT NULL,
    value integer NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT limit_is_not_negative CHECK ((value >= 0)),
    CONSTRAINT one_booking_fits CHECK (((name <> 'seats_per_person_and_event'::text) OR (value >= 20)))
);
COMMENT ON TABLE ops.limits IS 'Limits that apply in all organizations. Change `value` without a deployment; a deleted row means no limit.';
ALTER TABLE ONLY ops.limits ADD CONSTRAINT limits_pkey PRIMARY KEY (name);
ALTER TABLE ops.limits ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.limits TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.limits TO app_write;

CREATE TABLE ops.migrations (
    file text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE ops.migrations IS 'The migrations that ran, with the checksums of their files.';
ALTER TABLE ONLY ops.migrations ADD CONSTRAINT migrations_pkey PRIMARY KEY (file);
ALTER TABLE ops.migrations ENABLE ROW LEVEL SECURITY;

CREATE TABLE ops.partition_policies (
    table_name text NOT NULL,
    months_behind integer DEFAULT 1 NOT NULL,
    months_ahead integer NOT NULL,
    retention_months integer,
    CONSTRAINT months_ahead_is_sensible CHECK (((months_ahead >= 1) AND (months_ahead <= 60))),
    CONSTRAINT months_behind_is_sensible CHECK (((months_behind >= 0) AND (months_behind <= 120))),
    CONSTRAINT retention_is_sensible CHECK (((retention_months >= 1) AND (retention_months <= 240)))
);
COMMENT ON TABLE ops.partition_policies IS 'Tables partitioned by month: the months created ahead, and the months after which one is dropped (null: never).';
COMMENT ON COLUMN ops.partition_policies.table_name IS 'With its schema: events.events.';
ALTER TABLE ONLY ops.partition_policies ADD CONSTRAINT partition_policies_pkey PRIMARY KEY (table_name);
ALTER TABLE ops.partition_policies ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.partition_policies TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.partition_policies TO app_write;

CREATE TABLE ops.performance_metrics (
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY RANGE (recorded_at);
-- Partitions: performance_metrics_<year>_<month>, performance_metrics_default.
CREATE INDEX performance_metrics_by_name ON ONLY ops.performance_metrics USING btree (name, recorded_at);
ALTER TABLE ops.performance_metrics ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.performance_metrics TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.performance_metrics TO app_write;

CREATE TABLE ops.performance_metrics_hourly (
    hour timestamp with time zone NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    minimum double precision NOT NULL,
    maximum double precision NOT NULL,
    p50 double precision NOT NULL,
    p95 double precision NOT NULL
);
ALTER TABLE ONLY ops.performance_metrics_hourly
    ADD CONSTRAINT performance_metrics_hourly_pkey PRIMARY KEY (name, unit, hour);
ALTER TABLE ops.performance_metrics_hourly ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.performance_metrics_hourly TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.performance_metrics_hourly TO app_write;

CREATE TABLE ops.rate_limit_rules (
    operation text NOT NULL,
    per_minute integer NOT NULL,
    burst integer NOT NULL,
    address_per_minute integer NOT NULL,
    address_burst integer NOT NULL,
    CONSTRAINT address_burst_is_positive CHECK ((address_burst > 0)),
    CONSTRAINT address_rate_is_positive CHECK ((address_per_minute > 0)),
    CONSTRAINT burst_is_positive CHECK ((burst > 0)),
    CONSTRAINT rate_is_positive CHECK ((per_minute > 0))
);
COMMENT ON TABLE ops.rate_limit_rules IS 'How often a caller, and a source address, may call an operation.';
ALTER TABLE ONLY ops.rate_limit_rules ADD CONSTRAINT rate_limit_rules_pkey PRIMARY KEY (operation);
ALTER TABLE ops.rate_limit_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.rate_limit_rules TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.rate_limit_rules TO app_write;

CREATE UNLOGGED TABLE ops.rate_limits (
    operation text NOT NULL,
    subject text NOT NULL,
    full_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE ops.rate_limits IS 'Token buckets, stored as the time when each will be full again. Unlogged: a crash only refills them.';
ALTER TABLE ONLY ops.rate_limits ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (operation, subject);
ALTER TABLE ops.rate_limits ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.rate_limits TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.rate_limits TO app_write;

CREATE TABLE ops.repeatables (
    file text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE ops.repeatables IS 'The routines and views that exist, with the checksums of their files.';
ALTER TABLE ONLY ops.repeatables ADD CONSTRAINT repeatables_pkey PRIMARY KEY (file);
ALTER TABLE ops.repeatables ENABLE ROW LEVEL SECURITY;

CREATE TABLE ops.state_history (
    id bigint NOT NULL,
    machine text NOT NULL,
    subject_id uuid NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    actor_id uuid,
    actor_role text NOT NULL,
    reason text,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ops.state_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.state_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE ops.state_history IS 'Every change of state, with its caller and reason. The first state is the creation of the row itself.';
ALTER TABLE ONLY ops.state_history ADD CONSTRAINT state_history_pkey PRIMARY KEY (id);
CREATE INDEX state_history_by_age ON ops.state_history USING brin (changed_at);
CREATE INDEX state_history_of_subject ON ops.state_history USING btree (subject_id, id);
CREATE INDEX state_reasons_by_age ON ops.state_history USING btree (changed_at) WHERE (reason IS NOT NULL);
ALTER TABLE ops.state_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.state_history TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.state_history TO app_write;

CREATE TABLE ops.transitions (
    machine text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    CONSTRAINT state_changes CHECK ((from_state <> to_state))
);
COMMENT ON TABLE ops.transitions IS 'The allowed changes of state. ops.enforce_transition refuses all others.';
ALTER TABLE ONLY ops.transitions ADD CONSTRAINT transitions_pkey PRIMARY KEY (machine, from_state, to_state);
ALTER TABLE ops.transitions ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON ops.transitions TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE ops.transitions TO app_write;

CREATE VIEW ops.active_alerts WITH (security_invoker='true') AS
 SELECT a.id,
    a.rule,
    a.severity,
    r.metric,
    r.aggregate,
    r.comparison,
    r.threshold,
    a.value,
    a.pending_since,
    a.fired_at
   FROM (ops.alerts a
     JOIN ops.alert_rules r ON ((r.name = a.rule)))
  WHERE ((a.fired_at IS NOT NULL) AND (a.resolved_at IS NULL));
COMMENT ON VIEW ops.active_alerts IS 'Alerts that have fired and are not resolved.';
GRANT SELECT ON TABLE ops.active_alerts TO app_write;

CREATE FUNCTION ops.is_text(value text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.is_text IS 'Return whether a text of several lines is readable: as ops.is_line, but tabs and line ends are allowed.';

CREATE FUNCTION ops.uuid_v7() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE;
COMMENT ON FUNCTION ops.uuid_v7 IS 'Return a UUID of version 7, which sorts by the time of its creation.';
GRANT ALL ON FUNCTION ops.uuid_v7 TO app_read, app_write;

CREATE FUNCTION ops.is_line(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.is_line IS 'Return whether a text is one readable line: no control characters, and none that open or close a writing direction.';

CREATE FUNCTION ops.act_as(claims jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.act_as IS 'Set the caller''s claims and role for the rest of this transaction.';
GRANT ALL ON FUNCTION ops.act_as TO marquee_people, marquee_public, marquee_service;

CREATE FUNCTION ops.add_accesses(operation text, read jsonb, event_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.add_accesses IS 'Record in the access log that the caller read other people''s personal data.';

CREATE FUNCTION ops.after_migration() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.after_migration IS 'Create partitions, refresh time zones, revoke the right to temporary objects.';

CREATE FUNCTION ops.age_figure(
    name text,
    since timestamp with time zone,
    warning double precision,
    critical double precision,
    at timestamp with time zone
) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.age_figure IS 'Return an age in seconds as a health figure.';

CREATE FUNCTION ops.alert_payload(alert ops.alerts, rule ops.alert_rules) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION ops.alert_payload IS 'Return an alert with its rule as its messages store it.';

CREATE FUNCTION ops.answered_id(answer text) RETURNS uuid
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION ops.answered_id IS 'Return the id of the object in a stored response.';

CREATE FUNCTION ops.apply_retention(rule ops.retention, at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.apply_retention IS 'Apply one rule of ops.retention to rows that are older than its period; returns the number of rows.';

CREATE FUNCTION ops.begin_job(job text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.begin_job IS 'Record that a job starts; returns the number of the run.';
GRANT ALL ON FUNCTION ops.begin_job TO service_role;

CREATE FUNCTION ops.begin_preview() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.begin_preview IS 'Remember where the messages and state changes of this transaction start, for ops.preview_effects.';
GRANT ALL ON FUNCTION ops.begin_preview TO authenticated, service_role;

CREATE FUNCTION ops.caller_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.caller_id IS 'Return the id of the profile that calls; null for anonymous callers and services.';
GRANT ALL ON FUNCTION ops.caller_id TO app_read, app_write;

CREATE FUNCTION ops.caller_is_owner() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.caller_is_owner IS 'Return whether the database''s owner reads directly, and for no caller.';

CREATE FUNCTION ops.caller_is_service() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.caller_is_service IS 'Return whether the login, the role and the claims are those of a schedule, a queue or another service.';
GRANT ALL ON FUNCTION ops.caller_is_service TO app_read, app_write;

CREATE FUNCTION ops.check_health(
    database_ms double precision DEFAULT NULL::double precision,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.check_health IS 'Collect, rate and record the system''s health figures; returns the worst status and each figure''s.';
GRANT ALL ON FUNCTION ops.check_health TO service_role;

CREATE FUNCTION ops.claim_outbox(
    most integer DEFAULT 500,
    lease_seconds integer DEFAULT 60,
    after bigint DEFAULT 0,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(
    id bigint,
    topic text,
    key text,
    payload jsonb,
    correlation_id text,
    created_at timestamp with time zone,
    attempts integer
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.claim_outbox IS 'Lease the next messages to relay, in id order and in order for each key.';
GRANT ALL ON FUNCTION ops.claim_outbox TO service_role;

CREATE FUNCTION ops.claims() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.claims IS 'Return the verified claims of this transaction''s caller; null for anonymous callers and where none are set.';
GRANT ALL ON FUNCTION ops.claims TO app_read, app_write;

CREATE FUNCTION ops.clean_up(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 5000
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.clean_up IS 'Delete or empty data whose retention period is over; returns the rows for each rule, and whether there is more.';
GRANT ALL ON FUNCTION ops.clean_up TO service_role;

CREATE FUNCTION ops.collect_health_figures(
    before jsonb DEFAULT '{}'::jsonb,
    database_ms double precision DEFAULT NULL::double precision,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.collect_health_figures IS 'Return the figures of the system''s health, with a status for each.';

CREATE FUNCTION ops.complete_events(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 500
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.complete_events IS 'Complete scheduled events that have ended; returns the number, and whether there may be more.';
GRANT ALL ON FUNCTION ops.complete_events TO service_role;

CREATE FUNCTION ops.continue_migration() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.continue_migration IS 'Do one bounded step of the work that follows a migration; returns whether more remains.';

CREATE FUNCTION ops.count_drift(event_ids uuid[]) RETURNS TABLE(event_id uuid, counted jsonb, found jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.count_drift IS 'Return those of the given events whose counters differ from their rows.';
GRANT ALL ON FUNCTION ops.count_drift TO service_role;

CREATE FUNCTION ops.create_partition(parent regclass, month date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.create_partition IS 'Create a month''s partition; returns the number of rows moved out of the default one, or null when it exists.';

CREATE FUNCTION ops.local_instant(
    local_time timestamp without time zone,
    time_zone text
) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.local_instant IS 'Return the instant of a wall-clock time in a time zone, the first of two.';
GRANT ALL ON FUNCTION ops.local_instant TO app_read;

CREATE FUNCTION ops.day_end(
    starts_at timestamp with time zone,
    days integer,
    time_zone text
) RETURNS timestamp with time zone
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION ops.day_end IS 'Return the end of the last day of a period of n days, in a time zone.';

CREATE FUNCTION ops.drop_partitions(parent regclass, ended_by timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.drop_partitions IS 'Detach and drop the partitions that ended by a time; those still referenced are kept.';

CREATE FUNCTION ops.enforce_transition() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.enforce_transition IS 'Refuse unknown changes of state; record the others with actor and reason.';

CREATE FUNCTION ops.erase_person(user_id uuid, emails text[], instructor_names text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.erase_person IS 'Delete, empty or replace a person''s data, by the rules of ops.retention; returns the number of rows for each table.';

CREATE FUNCTION ops.evaluate_alerts(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.evaluate_alerts IS 'Raise and resolve alerts by their rules; returns the names of the rules.';
GRANT ALL ON FUNCTION ops.evaluate_alerts TO service_role;

CREATE FUNCTION ops.fail_outbox(
    ids bigint[],
    error text,
    permanent boolean DEFAULT false,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.fail_outbox IS 'Schedule a later attempt for messages that could not be sent, or park them; returns the number of messages parked.';
GRANT ALL ON FUNCTION ops.fail_outbox TO service_role;

CREATE FUNCTION ops.finish_job(
    run_id bigint,
    result jsonb DEFAULT NULL::jsonb,
    error text DEFAULT NULL::text
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.finish_job IS 'Record that a job''s run ended; without an error it succeeded.';
GRANT ALL ON FUNCTION ops.finish_job TO service_role;

CREATE FUNCTION ops.finish_outbox(
    ids bigint[],
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.finish_outbox IS 'Mark messages as relayed; returns the number of messages that were not relayed before.';
GRANT ALL ON FUNCTION ops.finish_outbox TO service_role;

CREATE FUNCTION ops.first_answer(operation text, key text, request jsonb) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.first_answer IS 'Return the response to the first request with the caller''s key, or null if this is the first.';

CREATE FUNCTION ops.get_booking_performance_summary(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.get_booking_performance_summary IS 'Return booking durations, message counts and the error rate of the last 24 hours.';
GRANT ALL ON FUNCTION ops.get_booking_performance_summary TO service_role;

CREATE FUNCTION ops.get_system_health_summary(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.get_system_health_summary IS 'Return the state of every check, alert and job, and booking figures.';
GRANT ALL ON FUNCTION ops.get_system_health_summary TO service_role;

CREATE FUNCTION ops.health_status(
    value double precision,
    warning double precision,
    critical double precision
) RETURNS text
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION ops.health_status IS 'Return the status of a figure by the limits of warning and critical.';

CREATE FUNCTION ops.idempotent_answer(caller_id uuid, operation text, key text, request_hash bytea) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.idempotent_answer IS 'Return the response to the first request with the caller''s key, or null.';

CREATE FUNCTION ops.is_address(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION ops.is_address IS 'Return whether an e-mail address has a form that mail software accepts.';

CREATE FUNCTION ops.is_own_row(inserted_by xid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.is_own_row IS 'Return whether this transaction, or a block in it, inserted a row, by the row''s xmin.';

CREATE FUNCTION ops.is_partition_shift(earlier timestamp with time zone, later timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.is_partition_shift IS 'Return whether two times of a row differ by the shift of ops.create_partition.';

CREATE FUNCTION ops.job_states(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(
    job text,
    last_started_at timestamp with time zone,
    last_succeeded_at timestamp with time zone,
    last_error text,
    late boolean,
    failing boolean
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.job_states IS 'Return the last start and success of each expected job, and whether it is late or failing.';
GRANT ALL ON FUNCTION ops.job_states TO service_role;

CREATE FUNCTION ops.keep_answer(operation text, key text, answer jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.keep_answer IS 'Store the response to the first request with the caller''s key, and return it.';

CREATE FUNCTION ops.limit_value(name text) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.limit_value IS 'Return a limit''s value; null: there is no limit.';

CREATE FUNCTION ops.list_accesses(
    person text DEFAULT NULL::text,
    before_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    before_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    id uuid,
    accessed_at timestamp with time zone,
    organization_id uuid,
    operation text,
    caller_id uuid,
    caller_name text,
    caller_role text,
    event_id uuid,
    people text[],
    row_count bigint,
    request_id text
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.list_accesses IS 'List the reads of personal data of an organization''s people, the newest first.';
GRANT ALL ON FUNCTION ops.list_accesses TO authenticated, service_role;

CREATE FUNCTION ops.maintain_partitions(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.maintain_partitions IS 'Create the partitions ahead of every partitioned table, empty its default partition, and drop expired months.';
GRANT ALL ON FUNCTION ops.maintain_partitions TO service_role;

CREATE FUNCTION ops.metric_aggregate(
    metric text,
    aggregate text,
    window_seconds integer,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.metric_aggregate IS 'Return one number for a metric over a window of time.';
GRANT ALL ON FUNCTION ops.metric_aggregate TO service_role;

CREATE FUNCTION ops.move_days(
    at timestamp with time zone,
    days integer,
    time_zone text
) RETURNS timestamp with time zone
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION ops.move_days IS 'Return the instant a number of calendar days later at the same wall-clock time of a time zone.';

CREATE FUNCTION ops.notify_alert(topic text, alert_id bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.notify_alert IS 'Write the outbox message about an alert.';

CREATE FUNCTION ops.partition_bounds(
    parent regclass
) RETURNS TABLE(partition regclass, starts_at timestamp with time zone, ends_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.partition_bounds IS 'Return a table''s partitions and their bounds in time.';
GRANT ALL ON FUNCTION ops.partition_bounds TO service_role;

CREATE FUNCTION ops.partition_states(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(table_name text, months_ahead integer, months_wanted integer, in_default integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.partition_states IS 'Return each partitioned table''s months ahead and rows in its default partition.';
GRANT ALL ON FUNCTION ops.partition_states TO service_role;

CREATE FUNCTION ops.planned_months(parent regclass, at timestamp with time zone) RETURNS SETOF date
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.planned_months IS 'Return the coming months of the rows in a table''s default partition.';

CREATE FUNCTION ops.preview_effects() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.preview_effects IS 'Count what this transaction has done to people, bookings, payments and messages.';
GRANT ALL ON FUNCTION ops.preview_effects TO authenticated, service_role;

CREATE FUNCTION ops.record_access(operation text, read jsonb, event_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.record_access IS 'Record that a statement of the caller returns personal data of others, in an organization of which they are a member.';
GRANT ALL ON FUNCTION ops.record_access TO authenticated, service_role;

CREATE FUNCTION ops.record_job(
    job text,
    seconds double precision,
    result jsonb,
    error text DEFAULT NULL::text
) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.record_job IS 'Record a job''s run after it ended, with its duration and result; returns the number of the run.';
GRANT ALL ON FUNCTION ops.record_job TO service_role;

CREATE FUNCTION ops.record_metrics(metrics jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.record_metrics IS 'Write a batch of measurements; returns the number.';
GRANT ALL ON FUNCTION ops.record_metrics TO service_role;

CREATE FUNCTION ops.record_samples(metrics jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.record_samples IS 'Record durations and failures of requests, with any caller''s rights; returns the number of samples.';
GRANT ALL ON FUNCTION ops.record_samples TO app_read;

CREATE FUNCTION ops.refuse_access_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION ops.release_outbox(ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.release_outbox IS 'Give back claimed messages that were not attempted; returns the number of messages.';
GRANT ALL ON FUNCTION ops.release_outbox TO service_role;

CREATE FUNCTION ops.roll_up_metrics(
    at timestamp with time zone DEFAULT statement_timestamp(),
    hours_most integer DEFAULT 48
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION ops.roll_up_metrics IS 'Sum metrics up by the hour; returns the number of hours covered.';
GRANT ALL ON FUNCTION ops.roll_up_metrics TO service_role;

CREATE FUNCTION ops.set_retention_period(rule text, period interval) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.set_retention_period IS 'Set the period of a rule of ops.retention, within its bounds.';
GRANT ALL ON FUNCTION ops.set_retention_period TO service_role;

CREATE FUNCTION ops.take_token(operation text, subject text, per_minute integer, burst integer) RETURNS double precision
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.take_token IS 'Take one token from a bucket; returns null when it was taken, and otherwise the seconds to wait.';

CREATE FUNCTION ops.take_tokens(operation text, address text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.take_tokens IS 'Take one token from the caller''s bucket and one from the address''s.';
GRANT ALL ON FUNCTION ops.take_tokens TO app_read;

CREATE FUNCTION ops.unpark_outbox(topic text DEFAULT NULL::text, most integer DEFAULT 1000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.unpark_outbox IS 'Make parked messages available again; returns the number of messages.';
GRANT ALL ON FUNCTION ops.unpark_outbox TO service_role;

CREATE FUNCTION ops.verify_counters(after uuid DEFAULT NULL::uuid, most integer DEFAULT 1000) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.verify_counters IS 'Compare the counters of a page of events with their rows; returns the differing events and the place to continue.';
GRANT ALL ON FUNCTION ops.verify_counters TO service_role;

CREATE FUNCTION ops.zone_offsets(
    time_zones text[],
    instants timestamp with time zone[]
) RETURNS TABLE(time_zone text, offsets integer[])
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.zone_offsets IS 'Return the offsets from UTC of time zones at given instants, in seconds.';
GRANT ALL ON FUNCTION ops.zone_offsets TO service_role;

CREATE FUNCTION ops.zones_in_use() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION ops.zones_in_use IS 'Return the names of the time zones of organizations, places, series and coming events.';
GRANT ALL ON FUNCTION ops.zones_in_use TO service_role;

CREATE SCHEMA organizations;
COMMENT ON SCHEMA organizations IS 'Tenants with their members, locations, policies and payout accounts.';
GRANT USAGE ON SCHEMA organizations TO app_read, app_write;

CREATE TYPE organizations.member_role AS ENUM (
    'viewer',
    'editor',
    'admin',
    'owner',
    'instructor',
    'front_desk',
    'accountant'
);

CREATE TABLE organizations.organizations (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    country character(2) NOT NULL,
    currency character(3) NOT NULL,
    time_zone text NOT NULL,
    language character(2) DEFAULT 'en'::bpchar NOT NULL,
    branding jsonb DEFAULT '{}'::jsonb NOT NULL,
    online_hold_minutes integer DEFAULT 15 NOT NULL,
    desk_hold_minutes integer DEFAULT 5 NOT NULL,
    offer_minutes integer DEFAULT 15 NOT NULL,
    last_offer_minutes integer DEFAULT 60 NOT NULL,
    offers_most integer DEFAULT 2 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    reminder_hours integer DEFAULT 24 NOT NULL,
    calendar_changes bigint DEFAULT 0 NOT NULL,
    slug_changed_at timestamp with time zone,
    archived_at timestamp with time zone,
    double_booking text DEFAULT 'report'::text NOT NULL,
    CONSTRAINT branding_is_an_object CHECK ((jsonb_typeof(branding) = 'object'::text)),
    CONSTRAINT branding_is_readable CHECK ((ops.is_text((branding)::text) AND ((branding)::text !~ '(^|[^\\])(\\\\)*\\(u00[01]|[bf])'::text))),
    CONSTRAINT desk_hold_is_short CHECK (((desk_hold_minutes >= 1) AND (desk_hold_minutes <= 120))),
    CONSTRAINT double_booking_is_known CHECK ((double_booking = ANY (ARRAY['refuse'::text, 'report'::text]))),
    CONSTRAINT last_offer_is_before_the_start CHECK (((last_offer_minutes >= 0) AND (last_offer_minutes <= 10080))),
    CONSTRAINT offer_is_short CHECK (((offer_minutes >= 1) AND (offer_minutes <= 1440))),
    CONSTRAINT online_hold_is_short CHECK (((online_hold_minutes >= 1) AND (online_hold_minutes <= 120))),
    CONSTRAINT organization_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT organization_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT reminder_is_within_a_week CHECK (((reminder_hours >= 0) AND (reminder_hours <= 168))),
    CONSTRAINT slug_is_no_id CHECK ((slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text)),
    CONSTRAINT slug_is_plain CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 80))),
    CONSTRAINT somebody_gets_an_offer CHECK (((offers_most >= 1) AND (offers_most <= 10)))
);
COMMENT ON COLUMN organizations.organizations.offer_minutes IS 'How long a waitlist offer reserves its seats.';
COMMENT ON COLUMN organizations.organizations.last_offer_minutes IS 'Waitlist offers stop this many minutes before the event starts.';
COMMENT ON COLUMN organizations.organizations.offers_most IS 'A person leaves the waitlist after this many expired offers. Each earlier one moves them to its end.';
COMMENT ON COLUMN organizations.organizations.reminder_hours IS 'Customers receive a reminder this many hours before the start; 0: none.';
COMMENT ON COLUMN organizations.organizations.calendar_changes IS 'The number of changes of the name, for SEQUENCE of calendars.';
COMMENT ON COLUMN organizations.organizations.slug_changed_at IS 'When the slug changed last: it may change once in 30 days. Null: never.';
COMMENT ON COLUMN organizations.organizations.archived_at IS 'An archived organization takes no new bookings, holds and waitlist entries; null: it is open.';
COMMENT ON COLUMN organizations.organizations.double_booking IS 'refuse: two events never have one room, instructor or resource at the same time. report: they are only listed.';
ALTER TABLE ONLY organizations.organizations ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.organizations ADD CONSTRAINT organizations_slug_key UNIQUE (slug);
ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);
ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);
ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);
CREATE INDEX organizations_country_idx ON organizations.organizations USING btree (country);
CREATE INDEX organizations_currency_idx ON organizations.organizations USING btree (currency);
CREATE INDEX organizations_language_idx ON organizations.organizations USING btree (language);
CREATE INDEX organizations_time_zone_idx ON organizations.organizations USING btree (time_zone);
ALTER TABLE organizations.organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON organizations.organizations FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY service ON organizations.organizations TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER claim_slug_inserted AFTER INSERT ON organizations.organizations FOR EACH ROW EXECUTE FUNCTION organizations.claim_slug();
CREATE TRIGGER claim_slug_updated AFTER UPDATE OF slug ON organizations.organizations FOR EACH ROW WHEN ((old.slug IS DISTINCT FROM new.slug)) EXECUTE FUNCTION organizations.claim_slug();
CREATE TRIGGER count_calendar_changes BEFORE UPDATE OF name ON organizations.organizations FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION events.count_calendar_changes();
CREATE TRIGGER list_renamed AFTER UPDATE OF name ON organizations.organizations FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION events.list_renamed('organization_id');
GRANT SELECT ON TABLE organizations.organizations TO app_read, app_write;

CREATE TABLE organizations.customers (
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    walk_in boolean DEFAULT false NOT NULL,
    email text,
    phone text,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    blocked_at timestamp with time zone,
    blocked_by uuid,
    block_reason text,
    words text[] DEFAULT '{}'::text[] NOT NULL,
    sort_name text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    request_hash bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT address_of_walk_in_can_be_written CHECK (ops.is_address(email)),
    CONSTRAINT block_reason_is_readable CHECK ((((length(block_reason) >= 1) AND (length(block_reason) <= 500)) AND ops.is_text(block_reason))),
    CONSTRAINT only_blocked_customers_have_a_reason CHECK (((blocked_at IS NOT NULL) OR ((blocked_by IS NULL) AND (block_reason IS NULL)))),
    CONSTRAINT only_walk_ins_have_entered_addresses CHECK ((walk_in OR ((email IS NULL) AND (phone IS NULL)))),
    CONSTRAINT phone_can_be_dialled CHECK (((phone ~ '^\+?[0-9][0-9 ()./-]{3,29}$'::text) AND ops.is_line(phone))),
    CONSTRAINT request_is_hashed CHECK ((length(request_hash) = 32)),
    CONSTRAINT tags_are_valid CHECK (organizations.are_tags(tags))
);
COMMENT ON TABLE organizations.customers IS 'People who came to an organization, and walk-ins: people without an account, whom its staff entered.';
COMMENT ON COLUMN organizations.customers.email IS 'The address of a walk-in as staff entered it. It is not verified, so nothing but a code to claim the record is sent.';
COMMENT ON COLUMN organizations.customers.words IS 'The words by which the customer is found, sorted: of the name, the address, the phone number and the tags.';
COMMENT ON COLUMN organizations.customers.sort_name IS 'The name in lower case without accents. Empty: no name.';
COMMENT ON COLUMN organizations.customers.request_hash IS 'SHA-256 of the caller and the Idempotency-Key that created a walk-in.';
ALTER TABLE ONLY organizations.customers ADD CONSTRAINT customers_pkey PRIMARY KEY (organization_id, customer_id);
ALTER TABLE ONLY organizations.customers
    ADD CONSTRAINT customers_blocked_by_fkey FOREIGN KEY (blocked_by) REFERENCES users.profiles(id) ON DELETE SET NULL;
ALTER TABLE ONLY organizations.customers
    ADD CONSTRAINT customers_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.customers
    ADD CONSTRAINT customers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE UNIQUE INDEX blocked_customers ON organizations.customers USING btree (organization_id, customer_id) WHERE (blocked_at IS NOT NULL);
CREATE INDEX customers_by_blocker ON organizations.customers USING btree (blocked_by) WHERE (blocked_by IS NOT NULL);
CREATE INDEX customers_by_name ON organizations.customers USING btree (organization_id, sort_name, customer_id);
CREATE INDEX customers_of_person ON organizations.customers USING btree (customer_id);
CREATE UNIQUE INDEX one_walk_in_per_address ON organizations.customers USING btree (organization_id, lower(email)) WHERE (email IS NOT NULL);
CREATE UNIQUE INDEX one_walk_in_per_request ON organizations.customers USING btree (request_hash) WHERE (request_hash IS NOT NULL);
CREATE INDEX walk_ins_of_organization ON organizations.customers USING btree (organization_id, created_at) WHERE walk_in;
ALTER TABLE organizations.customers ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER describe_customer BEFORE INSERT OR UPDATE ON organizations.customers FOR EACH ROW EXECUTE FUNCTION organizations.describe_customer();
CREATE TRIGGER index_customer AFTER INSERT OR UPDATE ON organizations.customers FOR EACH ROW EXECUTE FUNCTION organizations.index_customer();

CREATE TABLE organizations.invitations (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    email text NOT NULL,
    role organizations.member_role NOT NULL,
    language character(2) NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    invited_by uuid,
    accepted_by uuid,
    sends integer DEFAULT 1 NOT NULL,
    sent_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT invitation_expires_later CHECK ((expires_at > sent_at)),
    CONSTRAINT invitation_is_sent CHECK ((sends > 0)),
    CONSTRAINT invitation_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'accepted'::text, 'declined'::text, 'revoked'::text, 'expired'::text]))),
    CONSTRAINT invited_address_can_be_written CHECK (ops.is_address(email)),
    CONSTRAINT only_accepted_invitation_names_a_member CHECK (((accepted_by IS NULL) OR (status = 'accepted'::text))),
    CONSTRAINT ownership_is_only_transferred CHECK ((role <> 'owner'::organizations.member_role)),
    CONSTRAINT pending_invitation_has_not_ended CHECK (((status = 'pending'::text) = (ended_at IS NULL)))
);
COMMENT ON TABLE organizations.invitations IS 'Invitations by e-mail to become a member. Only a person with the invited address, verified, can accept one.';
COMMENT ON COLUMN organizations.invitations.status IS 'pending, accepted, declined, revoked or expired. A pending invitation after expires_at also counts as expired.';
COMMENT ON COLUMN organizations.invitations.invited_by IS 'Null for the service, and after the erasure of the person.';
COMMENT ON COLUMN organizations.invitations.sends IS 'The number of e-mails. Each one ends the codes of earlier ones.';
ALTER TABLE ONLY organizations.invitations ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.invitations
    ADD CONSTRAINT invitations_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES users.profiles(id) ON DELETE SET NULL;
ALTER TABLE ONLY organizations.invitations
    ADD CONSTRAINT invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users.profiles(id) ON DELETE SET NULL;
ALTER TABLE ONLY organizations.invitations
    ADD CONSTRAINT invitations_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);
ALTER TABLE ONLY organizations.invitations
    ADD CONSTRAINT invitations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX invitations_by_inviter ON organizations.invitations USING btree (invited_by, sent_at);
CREATE INDEX invitations_by_language ON organizations.invitations USING btree (language);
CREATE INDEX invitations_by_member ON organizations.invitations USING btree (accepted_by);
CREATE INDEX invitations_of_address ON organizations.invitations USING btree (lower(email));
CREATE INDEX invitations_of_organization ON organizations.invitations USING btree (organization_id, id);
CREATE UNIQUE INDEX one_pending_invitation ON organizations.invitations USING btree (organization_id, lower(email)) WHERE (status = 'pending'::text);
ALTER TABLE organizations.invitations ENABLE ROW LEVEL SECURITY;

CREATE TABLE organizations.ownership_offers (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    offered_by uuid NOT NULL,
    offered_to uuid NOT NULL,
    stays_as organizations.member_role NOT NULL,
    status text DEFAULT 'offered'::text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT former_owner_stays_as_owner_or_admin CHECK ((stays_as = ANY (ARRAY['owner'::organizations.member_role, 'admin'::organizations.member_role]))),
    CONSTRAINT offer_status_is_known CHECK ((status = ANY (ARRAY['offered'::text, 'accepted'::text, 'declined'::text, 'withdrawn'::text, 'expired'::text]))),
    CONSTRAINT open_offer_has_not_ended CHECK (((status = 'offered'::text) = (ended_at IS NULL))),
    CONSTRAINT ownership_goes_to_another_person CHECK ((offered_by <> offered_to))
);
COMMENT ON TABLE organizations.ownership_offers IS 'Offers of owners to make another member an owner. The ownership changes only if that member accepts.';
COMMENT ON COLUMN organizations.ownership_offers.stays_as IS 'The role of the offering owner after the transfer: owner for shared ownership, or admin.';
COMMENT ON COLUMN organizations.ownership_offers.status IS 'offered, accepted, declined, withdrawn or expired. An open offer after expires_at also counts as expired.';
ALTER TABLE ONLY organizations.ownership_offers ADD CONSTRAINT ownership_offers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.ownership_offers
    ADD CONSTRAINT ownership_offers_offered_by_fkey FOREIGN KEY (offered_by) REFERENCES users.profiles(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.ownership_offers
    ADD CONSTRAINT ownership_offers_offered_to_fkey FOREIGN KEY (offered_to) REFERENCES users.profiles(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.ownership_offers
    ADD CONSTRAINT ownership_offers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE UNIQUE INDEX one_open_ownership_offer ON organizations.ownership_offers USING btree (organization_id) WHERE (status = 'offered'::text);
CREATE INDEX ownership_offers_by_owner ON organizations.ownership_offers USING btree (offered_by);
CREATE INDEX ownership_offers_of_organization ON organizations.ownership_offers USING btree (organization_id, id);
CREATE INDEX ownership_offers_to_member ON organizations.ownership_offers USING btree (offered_to);
ALTER TABLE organizations.ownership_offers ENABLE ROW LEVEL SECURITY;
CREATE POLICY owners ON organizations.ownership_offers FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY parties ON organizations.ownership_offers FOR SELECT TO authenticated USING ((((( SELECT ops.caller_id() AS caller_id) = offered_by) OR (( SELECT ops.caller_id() AS caller_id) = offered_to)) AND (organization_id IN ( SELECT public.user_orgs() AS user_orgs))));
CREATE POLICY service ON organizations.ownership_offers TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.ownership_offers TO app_read, app_write;

CREATE TABLE organizations.policies (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    opens_days_before integer,
    closes_minutes_before integer DEFAULT 0 NOT NULL,
    cancel_hours_before integer DEFAULT 24 NOT NULL,
    late_fee_cents bigint DEFAULT 0 NOT NULL,
    late_credit_lost boolean DEFAULT true NOT NULL,
    no_show_fee_cents bigint DEFAULT 0 NOT NULL,
    refund_to text DEFAULT 'original'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seats_max_per_person integer DEFAULT 20,
    late_refund_percent integer,
    archived_at timestamp with time zone,
    no_show_after_minutes integer,
    blocked_after_no_shows integer,
    no_shows_within_days integer DEFAULT 90 NOT NULL,
    CONSTRAINT cancel_within_a_quarter CHECK (((cancel_hours_before >= 0) AND (cancel_hours_before <= 2160))),
    CONSTRAINT closes_within_a_month CHECK (((closes_minutes_before >= '-1440'::integer) AND (closes_minutes_before <= 43200))),
    CONSTRAINT late_fee_is_not_negative CHECK ((late_fee_cents >= 0)),
    CONSTRAINT late_refund_is_a_percentage CHECK (((late_refund_percent >= 0) AND (late_refund_percent <= 100))),
    CONSTRAINT no_show_fee_is_not_negative CHECK ((no_show_fee_cents >= 0)),
    CONSTRAINT no_show_within_a_week CHECK (((no_show_after_minutes >= 0) AND (no_show_after_minutes <= 10080))),
    CONSTRAINT no_shows_are_counted CHECK (((blocked_after_no_shows >= 1) AND (blocked_after_no_shows <= 100))),
    CONSTRAINT no_shows_within_two_years CHECK (((no_shows_within_days >= 1) AND (no_shows_within_days <= 730))),
    CONSTRAINT opens_within_two_years CHECK (((opens_days_before >= 0) AND (opens_days_before <= 730))),
    CONSTRAINT policy_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT policy_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT refund_to_is_known CHECK ((refund_to = ANY (ARRAY['original'::text, 'wallet'::text]))),
    CONSTRAINT seats_per_person_are_sensible CHECK (((seats_max_per_person >= 1) AND (seats_max_per_person <= 1000)))
);
COMMENT ON COLUMN organizations.policies.opens_days_before IS 'Booking opens this many days before the start; null: at once.';
COMMENT ON COLUMN organizations.policies.closes_minutes_before IS 'Sales end this many minutes before the start; negative: after it.';
COMMENT ON COLUMN organizations.policies.seats_max_per_person IS 'The most seats of one customer at an event, with guests, holds and waitlist entries; null: the platform''s maximum.';
COMMENT ON COLUMN organizations.policies.late_refund_percent IS 'The share of the price that a late cancellation refunds. Null: all but the late fee, and nothing without a late fee.';
COMMENT ON COLUMN organizations.policies.no_show_after_minutes IS 'A confirmed booking without a mark becomes a no-show this many minutes after the end; null: never.';
COMMENT ON COLUMN organizations.policies.blocked_after_no_shows IS 'A customer with this many no-shows cannot book online; null: no limit.';
COMMENT ON COLUMN organizations.policies.no_shows_within_days IS 'How long a no-show counts for blocked_after_no_shows, from the start of its event.';
ALTER TABLE ONLY organizations.policies ADD CONSTRAINT policies_organization_id_id_key UNIQUE (organization_id, id);
ALTER TABLE ONLY organizations.policies ADD CONSTRAINT policies_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.policies
    ADD CONSTRAINT policies_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.policies ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON organizations.policies FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY service ON organizations.policies TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.policies TO app_read, app_write;

CREATE TABLE organizations.tax_rates (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    category text DEFAULT 'standard'::text NOT NULL,
    valid_from date NOT NULL,
    rate_bps integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT own_tax_rate_is_a_share CHECK (((rate_bps >= 0) AND (rate_bps <= 10000)))
);
COMMENT ON TABLE organizations.tax_rates IS 'Tax rates of an organization by date, in hundredths of a percent, which replace those of its country there.';
COMMENT ON COLUMN organizations.tax_rates.category IS 'A category of events that has a rate of its own (ref.event_categories), else standard: all others.';
COMMENT ON COLUMN organizations.tax_rates.rate_bps IS 'Null: from this day the rate of the country applies again.';
ALTER TABLE ONLY organizations.tax_rates
    ADD CONSTRAINT one_tax_rate_from_a_day UNIQUE (organization_id, category, valid_from);
ALTER TABLE ONLY organizations.tax_rates ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.tax_rates
    ADD CONSTRAINT tax_rates_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.tax_rates ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON organizations.tax_rates FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY service ON organizations.tax_rates TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.tax_rates TO app_read, app_write;

CREATE TABLE organizations.customer_notes (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    author_id uuid,
    note text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customer_note_is_readable CHECK ((((length(note) >= 1) AND (length(note) <= 2000)) AND ops.is_text(note)))
);
COMMENT ON TABLE organizations.customer_notes IS 'Notes of an organization''s staff about its customers.';
COMMENT ON COLUMN organizations.customer_notes.author_id IS 'Null for the service, and after the erasure of the person.';
ALTER TABLE ONLY organizations.customer_notes ADD CONSTRAINT customer_notes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.customer_notes
    ADD CONSTRAINT customer_notes_author_id_fkey FOREIGN KEY (author_id) REFERENCES users.profiles(id) ON DELETE SET NULL;
ALTER TABLE ONLY organizations.customer_notes
    ADD CONSTRAINT notes_of_a_customer FOREIGN KEY (organization_id, customer_id) REFERENCES organizations.customers(organization_id, customer_id) ON DELETE CASCADE;
CREATE INDEX notes_by_age ON organizations.customer_notes USING btree (created_at);
CREATE INDEX notes_by_author ON organizations.customer_notes USING btree (author_id) WHERE (author_id IS NOT NULL);
CREATE INDEX notes_of_customer ON organizations.customer_notes USING btree (customer_id, organization_id, id);
ALTER TABLE organizations.customer_notes ENABLE ROW LEVEL SECURITY;

CREATE TABLE organizations.instructors (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid,
    name text NOT NULL,
    bio text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    calendar_changes bigint DEFAULT 0 NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT instructor_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT instructor_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(bio)))
);
COMMENT ON TABLE organizations.instructors IS 'People who lead events, as the public sees them. An instructor who signs in is linked to a profile.';
COMMENT ON COLUMN organizations.instructors.calendar_changes IS 'The number of changes of the name, for SEQUENCE of calendars.';
ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_organization_id_id_key UNIQUE (organization_id, id);
ALTER TABLE ONLY organizations.instructors ADD CONSTRAINT instructors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE SET NULL;
CREATE INDEX instructors_user_id_idx ON organizations.instructors USING btree (user_id);
ALTER TABLE organizations.instructors ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON organizations.instructors FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY service ON organizations.instructors TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER count_calendar_changes BEFORE UPDATE OF name ON organizations.instructors FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION events.count_calendar_changes();
CREATE TRIGGER list_renamed AFTER UPDATE OF name ON organizations.instructors FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION events.list_renamed('instructor_id');
GRANT SELECT ON TABLE organizations.instructors TO app_read, app_write;

CREATE TABLE organizations.locations (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    address text,
    city text NOT NULL,
    country character(2) NOT NULL,
    time_zone text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    calendar_changes bigint DEFAULT 0 NOT NULL,
    capacity integer,
    latitude numeric(8,6),
    longitude numeric(9,6),
    accessibility text,
    directions text,
    archived_at timestamp with time zone,
    CONSTRAINT coordinates_are_complete CHECK (((latitude IS NULL) = (longitude IS NULL))),
    CONSTRAINT latitude_is_on_earth CHECK (((latitude >= ('-90'::integer)::numeric) AND (latitude <= (90)::numeric))),
    CONSTRAINT location_capacity_is_sensible CHECK (((capacity >= 1) AND (capacity <= 1000000))),
    CONSTRAINT location_descriptions_are_readable CHECK ((ops.is_text(accessibility) AND ops.is_text(directions) AND (length(accessibility) <= 5000) AND (length(directions) <= 5000))),
    CONSTRAINT location_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT location_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(address) AND ops.is_line(city))),
    CONSTRAINT longitude_is_on_earth CHECK (((longitude >= ('-180'::integer)::numeric) AND (longitude <= (180)::numeric)))
);
COMMENT ON COLUMN organizations.locations.calendar_changes IS 'The number of changes of the name, address and city, for SEQUENCE of calendars.';
ALTER TABLE ONLY organizations.locations ADD CONSTRAINT locations_organization_id_id_key UNIQUE (organization_id, id);
ALTER TABLE ONLY organizations.locations ADD CONSTRAINT locations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);
ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);
CREATE INDEX locations_country_idx ON organizations.locations USING btree (country);
CREATE INDEX locations_lower_idx ON organizations.locations USING btree (lower(city));
CREATE INDEX locations_time_zone_idx ON organizations.locations USING btree (time_zone);
ALTER TABLE organizations.locations ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON organizations.locations FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY service ON organizations.locations TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER count_calendar_changes BEFORE UPDATE OF name, address, city ON organizations.locations FOR EACH ROW WHEN ((((old.name IS DISTINCT FROM new.name) OR (old.address IS DISTINCT FROM new.address)) OR (old.city IS DISTINCT FROM new.city))) EXECUTE FUNCTION events.count_calendar_changes();
CREATE TRIGGER list_renamed AFTER UPDATE OF name, city, country ON organizations.locations FOR EACH ROW WHEN ((((old.name IS DISTINCT FROM new.name) OR (old.city IS DISTINCT FROM new.city)) OR (old.country IS DISTINCT FROM new.country))) EXECUTE FUNCTION events.list_renamed('location_id');
GRANT SELECT ON TABLE organizations.locations TO app_read, app_write;

CREATE TABLE organizations.business_details (
    organization_id uuid NOT NULL,
    legal_name text,
    street text,
    postal_code text,
    city text,
    contact_email text,
    contact_phone text,
    website text,
    tax_number text,
    invoice_due_days integer DEFAULT 14 NOT NULL,
    invoice_note text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT business_texts_are_readable CHECK ((ops.is_line(legal_name) AND ops.is_line(street) AND ops.is_line(postal_code) AND ops.is_line(city) AND ops.is_line(website) AND ops.is_text(invoice_note))),
    CONSTRAINT city_is_short CHECK (((length(city) >= 1) AND (length(city) <= 100))),
    CONSTRAINT contact_email_is_an_address CHECK (ops.is_address(contact_email)),
    CONSTRAINT invoice_is_due_within_a_quarter CHECK (((invoice_due_days >= 1) AND (invoice_due_days <= 90))),
    CONSTRAINT invoice_note_is_short CHECK (((length(invoice_note) >= 1) AND (length(invoice_note) <= 1000))),
    CONSTRAINT legal_name_is_short CHECK (((length(legal_name) >= 1) AND (length(legal_name) <= 200))),
    CONSTRAINT phone_is_international CHECK ((contact_phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT postal_code_is_short CHECK (((length(postal_code) >= 1) AND (length(postal_code) <= 20))),
    CONSTRAINT street_is_short CHECK (((length(street) >= 1) AND (length(street) <= 200))),
    CONSTRAINT tax_number_is_compact CHECK ((tax_number ~ '^[A-Z0-9]{4,20}$'::text)),
    CONSTRAINT website_is_https CHECK (((website ~ '^https://[^\s]+$'::text) AND (length(website) <= 500)))
);
COMMENT ON TABLE organizations.business_details IS 'The legal side of an organization, for its staff and its invoices. Without a row, nothing is known.';
COMMENT ON COLUMN organizations.business_details.tax_number IS 'The number of its value-added tax, as the country writes it without spaces and punctuation.';
COMMENT ON COLUMN organizations.business_details.invoice_due_days IS 'An invoice is due this many days after its issue.';
COMMENT ON COLUMN organizations.business_details.invoice_note IS 'A text at the end of each invoice.';
ALTER TABLE ONLY organizations.business_details ADD CONSTRAINT business_details_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY organizations.business_details
    ADD CONSTRAINT business_details_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.business_details ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON organizations.business_details FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON organizations.business_details TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.business_details TO app_read, app_write;

CREATE TABLE organizations.changes (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    actor_id uuid,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    before jsonb,
    after jsonb,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT after_is_an_object CHECK ((jsonb_typeof(after) = 'object'::text)),
    CONSTRAINT before_is_an_object CHECK ((jsonb_typeof(before) = 'object'::text)),
    CONSTRAINT change_kind_is_a_name CHECK (((kind ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$'::text) AND (length(kind) <= 80))),
    CONSTRAINT something_changed CHECK ((before IS DISTINCT FROM after))
);
COMMENT ON TABLE organizations.changes IS 'Every change of an organization''s settings, terms and people. organizations.record_change writes it.';
COMMENT ON COLUMN organizations.changes.actor_id IS 'The person who made the change; null for the service.';
COMMENT ON COLUMN organizations.changes.kind IS 'The object and the fact, such as room.created.';
COMMENT ON COLUMN organizations.changes.before IS 'The changed members with their former values; null for a new object. People appear as ids only.';
COMMENT ON COLUMN organizations.changes.after IS 'The changed members with their new values; null for a deleted object.';
ALTER TABLE ONLY organizations.changes ADD CONSTRAINT changes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.changes
    ADD CONSTRAINT changes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX changes_by_age ON organizations.changes USING brin (created_at);
CREATE INDEX changes_of_organization ON organizations.changes USING btree (organization_id, id);
CREATE INDEX changes_of_subject ON organizations.changes USING btree (subject_id, id);
ALTER TABLE organizations.changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY owners ON organizations.changes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON organizations.changes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.changes TO app_read, app_write;

CREATE TABLE organizations.customer_words (
    organization_id uuid NOT NULL,
    word text NOT NULL COLLATE pg_catalog."C",
    customer_id uuid NOT NULL
);
COMMENT ON TABLE organizations.customer_words IS 'The index of organizations.customers.words: one row for each word of a customer.';
ALTER TABLE ONLY organizations.customer_words
    ADD CONSTRAINT customer_words_pkey PRIMARY KEY (organization_id, word, customer_id);
ALTER TABLE ONLY organizations.customer_words
    ADD CONSTRAINT words_of_a_customer FOREIGN KEY (organization_id, customer_id) REFERENCES organizations.customers(organization_id, customer_id) ON DELETE CASCADE;
CREATE INDEX customer_words_of_person ON organizations.customer_words USING btree (customer_id, organization_id);
ALTER TABLE organizations.customer_words ENABLE ROW LEVEL SECURITY;

CREATE TABLE organizations.invitation_codes (
    secret_hash bytea NOT NULL,
    invitation_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_is_hashed CHECK ((length(secret_hash) = 32))
);
COMMENT ON TABLE organizations.invitation_codes IS 'The codes of pending invitations. An e-mail that is possibly sent twice contains two valid codes.';
COMMENT ON COLUMN organizations.invitation_codes.secret_hash IS 'SHA-256 of 256 random bits.';
ALTER TABLE ONLY organizations.invitation_codes ADD CONSTRAINT invitation_codes_pkey PRIMARY KEY (secret_hash);
ALTER TABLE ONLY organizations.invitation_codes
    ADD CONSTRAINT invitation_codes_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES organizations.invitations(id) ON DELETE CASCADE;
CREATE INDEX invitation_codes_of_invitation ON organizations.invitation_codes USING btree (invitation_id);
ALTER TABLE organizations.invitation_codes ENABLE ROW LEVEL SECURITY;

CREATE TABLE organizations.memberships (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role organizations.member_role NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY organizations.memberships ADD CONSTRAINT memberships_pkey PRIMARY KEY (user_id, organization_id);
ALTER TABLE ONLY organizations.memberships
    ADD CONSTRAINT memberships_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY organizations.memberships
    ADD CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX memberships_organization_id_role_idx ON organizations.memberships USING btree (organization_id, role);
ALTER TABLE organizations.memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY admins ON organizations.memberships FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON organizations.memberships FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON organizations.memberships TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER keep_owner_on_delete AFTER DELETE ON organizations.memberships FOR EACH ROW WHEN ((old.role = 'owner'::organizations.member_role)) EXECUTE FUNCTION organizations.keep_owner();
CREATE TRIGGER keep_owner_on_update AFTER UPDATE ON organizations.memberships FOR EACH ROW WHEN (((old.role = 'owner'::organizations.member_role) AND (((new.role IS DISTINCT FROM 'owner'::organizations.member_role) OR (new.organization_id IS DISTINCT FROM old.organization_id)) OR (new.user_id IS DISTINCT FROM old.user_id)))) EXECUTE FUNCTION organizations.keep_owner();
CREATE TRIGGER record_change AFTER INSERT OR DELETE OR UPDATE OF role ON organizations.memberships FOR EACH ROW EXECUTE FUNCTION organizations.record_membership();
GRANT SELECT ON TABLE organizations.memberships TO app_read, app_write;

CREATE TABLE organizations.payout_accounts (
    organization_id uuid NOT NULL,
    stripe_account_id text NOT NULL,
    charges_enabled boolean DEFAULT false NOT NULL,
    payouts_enabled boolean DEFAULT false NOT NULL,
    details_submitted boolean DEFAULT false NOT NULL,
    requirements jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE organizations.payout_accounts IS 'The Connect account through which Stripe pays an organizer.';
ALTER TABLE ONLY organizations.payout_accounts ADD CONSTRAINT payout_accounts_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY organizations.payout_accounts
    ADD CONSTRAINT payout_accounts_stripe_account_id_key UNIQUE (stripe_account_id);
ALTER TABLE ONLY organizations.payout_accounts
    ADD CONSTRAINT payout_accounts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.payout_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON organizations.payout_accounts FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON organizations.payout_accounts TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.payout_accounts TO app_read;

CREATE TABLE organizations.payout_settings (
    organization_id uuid NOT NULL,
    fee_bps integer DEFAULT 500 NOT NULL,
    fee_refunded boolean DEFAULT true NOT NULL,
    invoices_allowed boolean DEFAULT false NOT NULL,
    payment_minutes integer DEFAULT 15 NOT NULL,
    CONSTRAINT fee_is_a_share CHECK (((fee_bps >= 0) AND (fee_bps <= 10000))),
    CONSTRAINT payment_time_is_short CHECK (((payment_minutes >= 1) AND (payment_minutes <= 120)))
);
COMMENT ON TABLE organizations.payout_settings IS 'The platform''s share of an organizer''s sales, and the payment methods of its customers. Without a row the defaults apply.';
COMMENT ON COLUMN organizations.payout_settings.fee_bps IS 'The platform''s share of a sale, in hundredths of a percent.';
COMMENT ON COLUMN organizations.payout_settings.fee_refunded IS 'Whether the platform''s share is refunded with a refund.';
COMMENT ON COLUMN organizations.payout_settings.payment_minutes IS 'How long seats are reserved for a customer who pays by card or TWINT.';
ALTER TABLE ONLY organizations.payout_settings ADD CONSTRAINT payout_settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY organizations.payout_settings
    ADD CONSTRAINT payout_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.payout_settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON organizations.payout_settings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON organizations.payout_settings TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.payout_settings TO app_read, app_write;

CREATE TABLE organizations.resources (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    archived_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT resource_description_is_short CHECK ((length(description) <= 5000)),
    CONSTRAINT resource_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT resource_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(description)))
);
COMMENT ON TABLE organizations.resources IS 'Things that only one event can use at a time, such as a projector or a set of mats.';
ALTER TABLE ONLY organizations.resources ADD CONSTRAINT resources_organization_id_id_key UNIQUE (organization_id, id);
ALTER TABLE ONLY organizations.resources ADD CONSTRAINT resources_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.resources
    ADD CONSTRAINT resources_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE organizations.resources ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON organizations.resources FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY service ON organizations.resources TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.resources TO app_read, app_write;

CREATE TABLE organizations.rooms (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    location_id uuid NOT NULL,
    name text NOT NULL,
    capacity integer,
    accessibility text,
    archived_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT room_accessibility_is_short CHECK ((length(accessibility) <= 5000)),
    CONSTRAINT room_capacity_is_sensible CHECK (((capacity >= 1) AND (capacity <= 1000000))),
    CONSTRAINT room_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT room_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(accessibility)))
);
COMMENT ON TABLE organizations.rooms IS 'Rooms of a location. Two events may not have one room at the same time.';
ALTER TABLE ONLY organizations.rooms ADD CONSTRAINT rooms_organization_id_id_key UNIQUE (organization_id, id);
ALTER TABLE ONLY organizations.rooms ADD CONSTRAINT rooms_pkey PRIMARY KEY (id);
ALTER TABLE ONLY organizations.rooms
    ADD CONSTRAINT room_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);
ALTER TABLE ONLY organizations.rooms
    ADD CONSTRAINT rooms_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX rooms_of_location ON organizations.rooms USING btree (organization_id, location_id);
ALTER TABLE organizations.rooms ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON organizations.rooms FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY service ON organizations.rooms TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.rooms TO app_read, app_write;

CREATE TABLE organizations.slugs (
    slug text NOT NULL,
    organization_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT used_slug_is_plain CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 80)))
);
COMMENT ON TABLE organizations.slugs IS 'Every slug that an organization has or had. A former slug redirects, and no other organization may take it.';
ALTER TABLE ONLY organizations.slugs ADD CONSTRAINT slugs_pkey PRIMARY KEY (slug);
ALTER TABLE ONLY organizations.slugs
    ADD CONSTRAINT slugs_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX slugs_of_organization ON organizations.slugs USING btree (organization_id);
ALTER TABLE organizations.slugs ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON organizations.slugs FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY service ON organizations.slugs TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE organizations.slugs TO app_read, app_write;

CREATE FUNCTION organizations.caller_is(
    organization_id uuid,
    VARIADIC roles organizations.member_role[]
) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.caller_is IS 'Return whether the caller has one of these roles in the organization.';
GRANT ALL ON FUNCTION organizations.caller_is TO app_read, app_write;

CREATE FUNCTION organizations.accept_invitation(secret_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.accept_invitation IS 'Make the caller a member by the code of an invitation.';
GRANT ALL ON FUNCTION organizations.accept_invitation TO authenticated, service_role;

CREATE FUNCTION organizations.add_customer_note(
    organization_id uuid,
    customer_id uuid,
    note text,
    idempotency_key text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.add_customer_note IS 'Add a note about a customer.';
GRANT ALL ON FUNCTION organizations.add_customer_note TO authenticated, service_role;

CREATE FUNCTION organizations.add_walk_in(
    organization_id uuid,
    details jsonb,
    default_language text,
    request_hash bytea DEFAULT NULL::bytea
) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.add_walk_in IS 'Write a person without an account, and return their id.';

CREATE FUNCTION organizations.answer_ownership_offer(offer_id uuid, answer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.answer_ownership_offer IS 'Accept, decline or withdraw an ownership offer.';
GRANT ALL ON FUNCTION organizations.answer_ownership_offer TO authenticated, service_role;

CREATE FUNCTION organizations.are_tags(value text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION organizations.are_tags IS 'Return whether these are valid tags: at most 20, each of 1 to 40 characters of one line without commas.';

CREATE FUNCTION organizations.block_customer(
    organization_id uuid,
    customer_id uuid,
    reason text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.block_customer IS 'Refuse a customer from now on, until they are unblocked.';
GRANT ALL ON FUNCTION organizations.block_customer TO authenticated, service_role;

CREATE FUNCTION organizations.change_member_role(
    organization_id uuid,
    user_id uuid,
    role organizations.member_role
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.change_member_role IS 'Give a member another role, as an owner or admin.';
GRANT ALL ON FUNCTION organizations.change_member_role TO authenticated, service_role;

CREATE FUNCTION organizations.check_country(details jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.check_country IS 'Refuse a country that Marquee does not know.';

CREATE FUNCTION organizations.claim_slug() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.create_customer(organization_id uuid, details jsonb, idempotency_key text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.create_customer IS 'Enter a person without an account, for whom staff can then book.';
GRANT ALL ON FUNCTION organizations.create_customer TO authenticated, service_role;

CREATE FUNCTION organizations.create_organization(details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.create_organization IS 'Create an organization, whose owner is the caller. Idempotent per caller and key.';
GRANT ALL ON FUNCTION organizations.create_organization TO authenticated, service_role;

CREATE FUNCTION organizations.customer_answer(customer organizations.customers, profile users.profiles) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.customer_answer IS 'Return a customer as the API shows it to staff.';

CREATE FUNCTION organizations.customer_at_address(organization_id uuid, address text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.customer_at_address IS 'Return the customer of an organization with an e-mail address, or null.';

CREATE FUNCTION organizations.customer_words(name text, address text, phone text, tags text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.customer_words IS 'Return the words by which a customer is found, each once, sorted.';

CREATE FUNCTION organizations.decline_invitation(secret_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.decline_invitation IS 'Decline the invitation of a code.';
GRANT ALL ON FUNCTION organizations.decline_invitation TO authenticated, service_role;

CREATE FUNCTION organizations.delete_customer_note(organization_id uuid, customer_id uuid, note_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.delete_customer_note IS 'Delete a note about a customer.';
GRANT ALL ON FUNCTION organizations.delete_customer_note TO authenticated, service_role;

CREATE FUNCTION organizations.describe_customer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.describe_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.end_invitation(
    invitation organizations.invitations,
    status text,
    accepted_by uuid DEFAULT NULL::uuid
) RETURNS organizations.invitations
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.end_invitation IS 'Give a locked pending invitation its final status, delete its codes, and record it.';

CREATE FUNCTION organizations.end_offer(
    offer organizations.ownership_offers,
    status text
) RETURNS organizations.ownership_offers
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.end_offer IS 'Give a locked open ownership offer its final status, and record it.';

CREATE FUNCTION organizations.end_offers(organization_id uuid, user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.end_offers IS 'Withdraw the open ownership offer by or to a member whose membership changes or ends.';

CREATE FUNCTION organizations.enter_account_holder() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.enter_customer(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.enter_customer IS 'Enter a person into the customers of an organization, unless they are there.';

CREATE FUNCTION organizations.enter_customer_of_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.enter_customer_of_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.has_customer(organization_id uuid, customer_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.has_customer IS 'Return whether a person is a customer of an organization.';

CREATE FUNCTION organizations.import_customers(
    organization_id uuid,
    rows jsonb,
    dry_run boolean DEFAULT false
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.import_customers IS 'Enter the people of a list who are not there yet, and return a result for each.';
GRANT ALL ON FUNCTION organizations.import_customers TO authenticated, service_role;

CREATE FUNCTION organizations.index_customer() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION organizations.invitation_status(invitation organizations.invitations) RETURNS text
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION organizations.invitation_status IS 'Return an invitation''s status; a pending one is expired after its time.';

CREATE FUNCTION organizations.invitation_answer(invitation organizations.invitations) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION organizations.invitation_answer IS 'Return an invitation as the API shows it to owners and admins.';

CREATE FUNCTION organizations.invitation_of_code(secret_hash bytea) RETURNS organizations.invitations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.invitation_of_code IS 'Lock and return the invitation of a code, for the person whom it invites.';

CREATE FUNCTION organizations.invitation_payload(invitation organizations.invitations) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION organizations.invitation_payload IS 'Return the message about a sent invitation.';

CREATE FUNCTION organizations.invite_member(
    organization_id uuid,
    email text,
    role organizations.member_role,
    language text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.invite_member IS 'Invite the owner of an e-mail address to become a member with a role.';
GRANT ALL ON FUNCTION organizations.invite_member TO authenticated, service_role;

CREATE FUNCTION organizations.is_party_of_offer(offer organizations.ownership_offers) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.is_party_of_offer IS 'Return whether the caller is a member and a party of an offer, or an owner.';

CREATE FUNCTION organizations.issue_invitation_code(
    invitation_id uuid,
    sends integer,
    secret_hash bytea
) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.issue_invitation_code IS 'Store the hash of the code that an e-mail with an invitation contains. Return whether the e-mail is still wanted.';
GRANT ALL ON FUNCTION organizations.issue_invitation_code TO service_role;

CREATE FUNCTION organizations.keep_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.keep_owner IS 'Refuse a change that leaves an organization without an owner.';

CREATE FUNCTION organizations.leave_organization(organization_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.leave_organization IS 'End the caller''s own membership.';
GRANT ALL ON FUNCTION organizations.leave_organization TO authenticated, service_role;

CREATE FUNCTION organizations.limit_invitations(organization_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.limit_invitations IS 'Refuse another e-mail with an invitation beyond the limits of a day.';

CREATE FUNCTION organizations.limit_places(number_there bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.limit_places IS 'Refuse another location, room, instructor or resource beyond the limit.';

CREATE FUNCTION organizations.limit_walk_ins(organization_id uuid, number integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.limit_walk_ins IS 'Refuse more walk-ins than an organization may enter in 24 hours.';

CREATE FUNCTION organizations.list_changes(
    organization_id uuid,
    before_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    id uuid,
    kind text,
    subject_id uuid,
    actor_id uuid,
    actor_name text,
    before jsonb,
    after jsonb,
    created_at timestamp with time zone
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_changes IS 'Return the changes of an organization with their authors, for its owners. One page, newest first.';
GRANT ALL ON FUNCTION organizations.list_changes TO authenticated, service_role;

CREATE FUNCTION organizations.list_customers(
    organization_id uuid,
    q text DEFAULT NULL::text,
    tag text DEFAULT NULL::text,
    blocked boolean DEFAULT NULL::boolean,
    after_key text DEFAULT NULL::text,
    after_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(answer jsonb, key text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_sort TO 'off';
COMMENT ON FUNCTION organizations.list_customers IS 'Return a page of an organization''s customers for its staff.';
GRANT ALL ON FUNCTION organizations.list_customers TO authenticated, service_role;

CREATE FUNCTION organizations.list_invitations(
    organization_id uuid,
    invitation_status text DEFAULT NULL::text,
    before_id uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(answer jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_invitations IS 'Return an organization''s invitations, for its owners and admins. One page, newest first.';
GRANT ALL ON FUNCTION organizations.list_invitations TO authenticated, service_role;

CREATE FUNCTION organizations.list_members(
    organization_id uuid,
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    user_id uuid,
    name text,
    email text,
    role organizations.member_role,
    created_at timestamp with time zone
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_members IS 'Return an organization''s members, for its owners and admins. One page, ordered by the person''s id.';
GRANT ALL ON FUNCTION organizations.list_members TO authenticated, service_role;

CREATE FUNCTION organizations.list_memberships(
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(
    organization_id uuid,
    name text,
    slug text,
    role organizations.member_role,
    created_at timestamp with time zone
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_memberships IS 'Return the organizations for which the caller may act, with the role in each. One page.';
GRANT ALL ON FUNCTION organizations.list_memberships TO authenticated, service_role;

CREATE FUNCTION organizations.list_places(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_places IS 'Return all locations, rooms, instructors and resources of an organization, by name.';
GRANT ALL ON FUNCTION organizations.list_places TO authenticated, service_role;

CREATE FUNCTION organizations.list_policies(organization_id uuid) RETURNS SETOF organizations.policies
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_policies IS 'Return the booking policies of an organization, by name.';
GRANT ALL ON FUNCTION organizations.list_policies TO authenticated, service_role;

CREATE FUNCTION organizations.list_tax_rates(organization_id uuid) RETURNS SETOF organizations.tax_rates
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.list_tax_rates IS 'Return an organization''s own tax rates, the latest day first.';
GRANT ALL ON FUNCTION organizations.list_tax_rates TO authenticated, service_role;

CREATE FUNCTION organizations.lock_customer_record(
    organization_id uuid,
    customer_id uuid
) RETURNS organizations.customers
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.lock_customer_record IS 'Lock a customer for a change by staff, and return the record.';

CREATE FUNCTION organizations.lock_members(organization_id uuid, VARIADIC people uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.lock_members IS 'Lock the memberships of owners and admins, and of these people, in the order of their ids.';

CREATE FUNCTION organizations.lock_organization(
    organization_id uuid,
    VARIADIC roles organizations.member_role[]
) RETURNS organizations.organizations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.lock_organization IS 'Lock an organization''s row, or refuse a caller who has none of these roles in it.';

CREATE FUNCTION organizations.lock_walk_ins(organization_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.lock_walk_ins IS 'Take the advisory lock of an organization''s walk-ins until the transaction ends.';

CREATE FUNCTION organizations.may_manage(organization_id uuid, role organizations.member_role) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.may_manage IS 'Return whether the caller may give a role to members, change it and end it.';

CREATE FUNCTION organizations.note_answer(note organizations.customer_notes) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.note_answer IS 'Return a note about a customer as the API shows it.';

CREATE FUNCTION organizations.offer_ownership(
    organization_id uuid,
    user_id uuid,
    stays_as organizations.member_role DEFAULT 'admin'::organizations.member_role
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.offer_ownership IS 'Offer a member the ownership of the organization, for seven days.';
GRANT ALL ON FUNCTION organizations.offer_ownership TO authenticated, service_role;

CREATE FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.orgs_as IS 'Return the organizations in which the caller has one of these roles.';
GRANT ALL ON FUNCTION organizations.orgs_as TO app_read, app_write;

CREATE FUNCTION organizations.ownership_offer_payload(offer organizations.ownership_offers) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION organizations.ownership_offer_payload IS 'Return the message about an offered ownership, for the member who decides.';

CREATE FUNCTION organizations.ownership_offer_status(offer organizations.ownership_offers) RETURNS text
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION organizations.ownership_offer_status IS 'Return an offer''s status; an open one is expired after its time.';
GRANT ALL ON FUNCTION organizations.ownership_offer_status TO authenticated, service_role;

CREATE FUNCTION organizations.phone_digits(phone text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION organizations.phone_digits IS 'Return the digits of a phone number without leading zeros.';

CREATE FUNCTION organizations.query_words(q text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.query_words IS 'Return the prefixes that a search for customers looks for, at most six.';

CREATE FUNCTION organizations.record_change(
    organization_id uuid,
    kind text,
    subject_id uuid,
    before jsonb,
    after jsonb
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.record_change IS 'Record a change of an organization''s settings, terms or people.';

CREATE FUNCTION organizations.record_invitation(
    fact text,
    before organizations.invitations,
    after organizations.invitations
) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.record_invitation IS 'Record a fact about an invitation in the organization''s changes, without the address.';

CREATE FUNCTION organizations.record_membership() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.record_membership IS 'Record a new, changed or ended membership in the organization''s changes.';

CREATE FUNCTION organizations.recorded_settings(settings jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION organizations.recorded_settings IS 'Return an organization''s settings without the times that the system sets.';

CREATE FUNCTION organizations.refuse_blocked(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.refuse_blocked IS 'Refuse a customer whom the organization has blocked.';

CREATE FUNCTION organizations.remove_member(organization_id uuid, user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.remove_member IS 'End the membership of another person.';
GRANT ALL ON FUNCTION organizations.remove_member TO authenticated, service_role;

CREATE FUNCTION organizations.require_customer(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.require_customer IS 'Refuse a person whom the caller may not name as a customer of an organization.';

CREATE FUNCTION organizations.require_customer_record(
    organization_id uuid,
    customer_id uuid,
    VARIADIC roles organizations.member_role[]
) RETURNS organizations.customers
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.require_customer_record IS 'Return a customer, or refuse a caller who has none of these roles.';

CREATE FUNCTION organizations.require_invitation(invitation_id uuid) RETURNS organizations.invitations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.require_invitation IS 'Lock and return an invitation that the caller may send again or revoke.';

CREATE FUNCTION organizations.require_manageable(organization_id uuid, role organizations.member_role) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.require_manageable IS 'Refuse a caller who may not give or end a role.';

CREATE FUNCTION organizations.resend_invitation(invitation_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.resend_invitation IS 'Send a pending invitation again, valid for seven days from now.';
GRANT ALL ON FUNCTION organizations.resend_invitation TO authenticated, service_role;

CREATE FUNCTION organizations.revoke_invitation(invitation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.revoke_invitation IS 'End a pending invitation, whose codes stop working at once.';
GRANT ALL ON FUNCTION organizations.revoke_invitation TO authenticated, service_role;

CREATE FUNCTION organizations.save_instructor(
    organization_id uuid,
    changes jsonb,
    instructor_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.save_instructor IS 'Create an instructor, or change or archive one. Returns the instructor.';
GRANT ALL ON FUNCTION organizations.save_instructor TO authenticated, service_role;

CREATE FUNCTION organizations.save_location(
    organization_id uuid,
    changes jsonb,
    location_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.save_location IS 'Create a location, or change or archive one. Returns the location.';
GRANT ALL ON FUNCTION organizations.save_location TO authenticated, service_role;

CREATE FUNCTION organizations.save_policy(
    organization_id uuid,
    changes jsonb,
    policy_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.save_policy IS 'Create a booking policy, or change or archive one. Returns the policy.';
GRANT ALL ON FUNCTION organizations.save_policy TO authenticated, service_role;

CREATE FUNCTION organizations.save_resource(
    organization_id uuid,
    changes jsonb,
    resource_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.save_resource IS 'Create a resource, or change or archive one. Returns the resource.';
GRANT ALL ON FUNCTION organizations.save_resource TO authenticated, service_role;

CREATE FUNCTION organizations.save_room(
    organization_id uuid,
    changes jsonb,
    room_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.save_room IS 'Create a room, or change or archive one. Returns the room.';
GRANT ALL ON FUNCTION organizations.save_room TO authenticated, service_role;

CREATE FUNCTION organizations.search_words(value text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.search_words IS 'Return the words of a text in lower case without accents, each once, sorted.';

CREATE FUNCTION organizations.set_archived(organization_id uuid, archived boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.set_archived IS 'Archive an organization, or open it again. Returns the organization.';
GRANT ALL ON FUNCTION organizations.set_archived TO authenticated, service_role;

CREATE FUNCTION organizations.set_platform_terms(organization_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.set_platform_terms IS 'Set the platform''s share of an organization''s sales, and its payment methods. For the service.';
GRANT ALL ON FUNCTION organizations.set_platform_terms TO service_role;

CREATE FUNCTION organizations.set_tax_rate(
    organization_id uuid,
    category text,
    valid_from date,
    rate_bps integer DEFAULT NULL::integer
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.set_tax_rate IS 'Set an organization''s own tax rate for a category of events from a day on.';
GRANT ALL ON FUNCTION organizations.set_tax_rate TO authenticated, service_role;

CREATE FUNCTION organizations.settings_answer(organization_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.settings_answer IS 'Return an organization with its settings and business details, as JSON, for its staff.';

CREATE FUNCTION organizations.show_customer(organization_id uuid, customer_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.show_customer IS 'Return a customer with everything that the organization has about them.';
GRANT ALL ON FUNCTION organizations.show_customer TO authenticated, service_role;

CREATE FUNCTION organizations.show_settings(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.show_settings IS 'Return an organization with its settings and business details.';
GRANT ALL ON FUNCTION organizations.show_settings TO authenticated, service_role;

CREATE FUNCTION organizations.unblock_customer(organization_id uuid, customer_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.unblock_customer IS 'Let a blocked customer book again.';
GRANT ALL ON FUNCTION organizations.unblock_customer TO authenticated, service_role;

CREATE FUNCTION organizations.update_customer(organization_id uuid, customer_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.update_customer IS 'Change the tags of a customer, and the details of a walk-in.';
GRANT ALL ON FUNCTION organizations.update_customer TO authenticated, service_role;

CREATE FUNCTION organizations.update_organization(organization_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.update_organization IS 'Change an organization''s settings and business details. Returns the organization.';
GRANT ALL ON FUNCTION organizations.update_organization TO authenticated, service_role;

CREATE FUNCTION organizations.write_business_details(organization_id uuid, changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION organizations.write_business_details IS 'Change members of an organization''s business details.';

CREATE SCHEMA payments;
COMMENT ON SCHEMA payments IS 'The ledger, and the payments, refunds, credits, invoices and payouts that post to it.';
GRANT USAGE ON SCHEMA payments TO app_read, app_write;

CREATE TYPE payments.account_type AS ENUM (
    'cash',
    'escrow',
    'receivable',
    'payable',
    'revenue',
    'fees',
    'taxes',
    'credits',
    'clearing',
    'unclaimed'
);

CREATE TYPE payments.credit_kind AS ENUM (
    'wallet',
    'pass'
);

CREATE TYPE payments.credit_source AS ENUM (
    'purchase',
    'grant',
    'refund',
    'promotion'
);

CREATE TYPE payments.intent_status AS ENUM (
    'created',
    'open',
    'processing',
    'succeeded',
    'cancelled'
);

CREATE TYPE payments.invoice_kind AS ENUM (
    'invoice',
    'credit_note'
);

CREATE TYPE payments.owner_kind AS ENUM (
    'organization',
    'user',
    'platform'
);

CREATE TYPE payments.promo_kind AS ENUM (
    'percent',
    'amount',
    'credits'
);

CREATE TYPE payments.purchase_status AS ENUM (
    'pending',
    'granted',
    'refunded',
    'expired'
);

CREATE TYPE payments.refund_status AS ENUM (
    'created',
    'pending',
    'succeeded',
    'failed'
);

CREATE TYPE payments.webhook_status AS ENUM (
    'received',
    'failed',
    'handled',
    'ignored',
    'parked'
);

CREATE DOMAIN payments.cents AS bigint
	CONSTRAINT payment_cents_are_not_negative CHECK ((VALUE >= 0));

CREATE DOMAIN payments.credit_amount AS bigint
	CONSTRAINT credits_are_some CHECK ((VALUE > 0));

CREATE DOMAIN payments.credit_rest AS bigint
	CONSTRAINT credits_never_below_zero CHECK ((VALUE >= 0));

CREATE DOMAIN payments.credit_use AS text
	CONSTRAINT credits_are_used_for_a_price_or_a_fee CHECK ((VALUE = ANY (ARRAY['price'::text, 'no_show'::text, 'late_cancellation'::text])));

CREATE DOMAIN payments.guarded_cents AS bigint
	CONSTRAINT balance_never_below_zero CHECK ((VALUE >= 0));

CREATE DOMAIN payments.signed_cents AS bigint
	CONSTRAINT cents_are_not_zero CHECK ((VALUE <> 0));

CREATE DOMAIN payments.slug AS character varying(60)
	CONSTRAINT slug_is_plain CHECK (((VALUE)::text ~ '^[a-z]+([_.][a-z]+)*$'::text));

CREATE TABLE payments.quotes (
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    list_cents payments.cents NOT NULL,
    discount_cents payments.cents NOT NULL,
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    total_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    tax_country character(2) NOT NULL,
    tax_category text NOT NULL,
    tax_bps integer NOT NULL,
    tax_added boolean NOT NULL,
    promo_code_id uuid,
    CONSTRAINT discount_is_part_of_the_price CHECK (((discount_cents)::bigint <= (list_cents)::bigint)),
    CONSTRAINT total_is_net_and_tax CHECK (((total_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint)))
);
COMMENT ON TABLE payments.quotes IS 'The computed price of a paid booking: list price, discount, tax and total.';
COMMENT ON COLUMN payments.quotes.tax_added IS 'Whether the tax was added to the price, as is the custom in the country.';
ALTER TABLE ONLY payments.quotes ADD CONSTRAINT quotes_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_promo_code_id_fkey FOREIGN KEY (promo_code_id) REFERENCES payments.promo_codes(id);
CREATE INDEX quotes_customer_id_idx ON payments.quotes USING btree (customer_id);
CREATE INDEX quotes_organization_id_idx ON payments.quotes USING btree (organization_id);
CREATE INDEX quotes_promo_code_id_idx ON payments.quotes USING btree (promo_code_id) WHERE (promo_code_id IS NOT NULL);
ALTER TABLE payments.quotes ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.quotes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.quotes FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.quotes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.quotes TO app_read;

CREATE TABLE payments.tills (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    location_id uuid,
    currency character(3) NOT NULL,
    opened_by uuid,
    opened_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE payments.tills IS 'Tills of an organization: one for each currency, and one more for each location that has its own.';
COMMENT ON COLUMN payments.tills.location_id IS 'Null for the till of all places without their own.';
ALTER TABLE ONLY payments.tills
    ADD CONSTRAINT one_till_per_place_and_currency UNIQUE NULLS NOT DISTINCT (organization_id, location_id, currency);
ALTER TABLE ONLY payments.tills ADD CONSTRAINT tills_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.tills
    ADD CONSTRAINT tills_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.tills
    ADD CONSTRAINT tills_location_id_fkey FOREIGN KEY (location_id) REFERENCES organizations.locations(id);
ALTER TABLE ONLY payments.tills
    ADD CONSTRAINT tills_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX tills_currency_idx ON payments.tills USING btree (currency);
CREATE INDEX tills_location_id_idx ON payments.tills USING btree (location_id) WHERE (location_id IS NOT NULL);
ALTER TABLE payments.tills ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.tills FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.tills TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.tills TO app_read;

CREATE TABLE payments.intents (
    id uuid NOT NULL,
    booking_id uuid,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    amount_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    status payments.intent_status DEFAULT 'created'::payments.intent_status NOT NULL,
    stripe_payment_intent_id text,
    client_secret text,
    stripe_charge_id text,
    stripe_fee_cents payments.cents,
    last_error jsonb,
    observed_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone DEFAULT (now() + '00:00:30'::interval) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    succeeded_at timestamp with time zone,
    purchase_id uuid,
    CONSTRAINT intent_goes_through_stripe CHECK ((method = ANY (ARRAY['card'::events.payment_method, 'twint'::events.payment_method]))),
    CONSTRAINT intent_is_for_one_thing CHECK ((num_nonnulls(booking_id, purchase_id) = 1))
);
COMMENT ON TABLE payments.intents IS 'Payments through Stripe: created before the request to Stripe, and completed by its reports.';
COMMENT ON COLUMN payments.intents.id IS 'The id of the booking or purchase. Stripe''s idempotency key contains it.';
COMMENT ON COLUMN payments.intents.observed_at IS 'When Stripe had the recorded state. An earlier observation does not overwrite it.';
COMMENT ON COLUMN payments.intents.available_at IS 'The sweep processes the payment from this time on.';
ALTER TABLE ONLY payments.intents ADD CONSTRAINT intents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.intents ADD CONSTRAINT intents_stripe_payment_intent_id_key UNIQUE (stripe_payment_intent_id);
ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);
CREATE INDEX client_secrets_by_age ON payments.intents USING btree (created_at) WHERE (client_secret IS NOT NULL);
CREATE INDEX intents_customer_id_id_idx ON payments.intents USING btree (customer_id, id);
CREATE INDEX intents_organization_id_id_idx ON payments.intents USING btree (organization_id, id);
CREATE INDEX intents_unsettled ON payments.intents USING btree (available_at) WHERE (status = ANY (ARRAY['created'::payments.intent_status, 'open'::payments.intent_status, 'processing'::payments.intent_status]));
CREATE UNIQUE INDEX one_intent_per_booking ON payments.intents USING btree (booking_id);
CREATE UNIQUE INDEX one_intent_per_purchase ON payments.intents USING btree (purchase_id) WHERE (purchase_id IS NOT NULL);
ALTER TABLE payments.intents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON payments.intents FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.intents TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.intents FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('intent');
GRANT SELECT ON TABLE payments.intents TO app_read;

CREATE TABLE payments.accounts (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    owner_kind payments.owner_kind NOT NULL,
    owner_id uuid,
    organization_id uuid,
    type payments.account_type NOT NULL,
    currency character(3) NOT NULL,
    guarded boolean GENERATED ALWAYS AS ((type = ANY (ARRAY['escrow'::payments.account_type, 'credits'::payments.account_type]))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT only_the_platform_is_nobody CHECK (((owner_kind = 'platform'::payments.owner_kind) = (owner_id IS NULL))),
    CONSTRAINT only_users_have_accounts_within_an_organization CHECK (((organization_id IS NULL) OR (owner_kind = 'user'::payments.owner_kind)))
);
COMMENT ON TABLE payments.accounts IS 'Accounts of the ledger by owner, type and currency. Created by payments.account, never changed.';
COMMENT ON COLUMN payments.accounts.organization_id IS 'The organization of a user''s account. A wallet is a user''s account of type credits within an organization.';
COMMENT ON COLUMN payments.accounts.guarded IS 'Its balance may not go below zero.';
ALTER TABLE ONLY payments.accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT one_account_per_owner_type_and_currency UNIQUE NULLS NOT DISTINCT (owner_id, type, currency, organization_id, owner_kind);
ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT accounts_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT accounts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX accounts_within_organization ON payments.accounts USING btree (organization_id) WHERE (organization_id IS NOT NULL);
ALTER TABLE payments.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY bookkeepers ON payments.accounts FOR SELECT TO authenticated USING ((
CASE
    WHEN (owner_kind = 'organization'::payments.owner_kind) THEN owner_id
    ELSE organization_id
END IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.accounts FOR SELECT TO authenticated USING (((owner_kind = 'user'::payments.owner_kind) AND (owner_id = ( SELECT ops.caller_id() AS caller_id))));
CREATE POLICY service ON payments.accounts TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER enter_account_holder AFTER INSERT ON payments.accounts FOR EACH ROW WHEN (((new.owner_kind = 'user'::payments.owner_kind) AND (new.organization_id IS NOT NULL))) EXECUTE FUNCTION organizations.enter_account_holder();
CREATE TRIGGER open_balance AFTER INSERT ON payments.accounts FOR EACH ROW WHEN (new.guarded) EXECUTE FUNCTION payments.open_balance();
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.accounts FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_ledger_change();
ALTER TABLE payments.accounts ENABLE ALWAYS TRIGGER refuse_change;
GRANT SELECT ON TABLE payments.accounts TO app_read;

CREATE TABLE payments.entries (
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    amount_cents payments.signed_cents NOT NULL
);
COMMENT ON TABLE payments.entries IS 'The change of one account by a transaction: debit positive, credit negative, in the account''s currency.';
COMMENT ON COLUMN payments.entries.line IS 'From 1. Every statement that writes entries must write line 1 of their transaction, so that none is added later.';
ALTER TABLE ONLY payments.entries ADD CONSTRAINT entries_come_with_their_transaction PRIMARY KEY (transaction_id, line);
ALTER TABLE payments.entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.entries TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_account ON payments.entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = entries.account_id))));
CREATE TRIGGER follow_entries AFTER INSERT ON payments.entries REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION payments.apply_new_entries();
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.entries FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_ledger_change();
ALTER TABLE payments.entries ENABLE ALWAYS TRIGGER refuse_change;
GRANT SELECT ON TABLE payments.entries TO app_read;

CREATE TABLE payments.transactions (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    kind payments.slug NOT NULL,
    reference_type payments.slug,
    reference_id uuid,
    idempotency_key character varying(255) NOT NULL,
    description text,
    occurred_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reverses_id uuid,
    actor_id uuid DEFAULT ops.caller_id()
);
COMMENT ON TABLE payments.transactions IS 'Transactions of the ledger. The posting routines insert them in one statement with their entries.';
COMMENT ON COLUMN payments.transactions.occurred_at IS 'The time of the occurrence; recorded_at is the time of the insert.';
COMMENT ON COLUMN payments.transactions.actor_id IS 'The person who caused it; null for a service.';
ALTER TABLE ONLY payments.transactions ADD CONSTRAINT one_transaction_per_key UNIQUE (idempotency_key);
ALTER TABLE ONLY payments.transactions ADD CONSTRAINT transactions_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX one_reversal_per_transaction ON payments.transactions USING btree (reverses_id) WHERE (reverses_id IS NOT NULL);
ALTER TABLE payments.transactions ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.transactions TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_entry ON payments.transactions FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.entries e
  WHERE (e.transaction_id = transactions.id))));
CREATE TRIGGER check_transactions AFTER INSERT ON payments.transactions REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION payments.check_transactions();
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.transactions FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_ledger_change();
ALTER TABLE payments.transactions ENABLE ALWAYS TRIGGER refuse_change;
GRANT SELECT ON TABLE payments.transactions TO app_read;

CREATE TABLE payments.credit_lots (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    kind payments.credit_kind NOT NULL,
    source payments.credit_source NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    account_id uuid,
    currency character(3),
    amount payments.credit_amount NOT NULL,
    remaining payments.credit_rest NOT NULL,
    lapsed payments.credit_rest DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    categories text[],
    booking_id uuid,
    purchase_id uuid,
    refund_id uuid,
    note text,
    granted_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    frozen_at timestamp with time zone,
    spent_cents payments.credit_rest,
    CONSTRAINT credit_note_is_readable CHECK (ops.is_text(note)),
    CONSTRAINT credit_note_is_short CHECK ((length(note) <= 500)),
    CONSTRAINT lot_holds_no_more_than_was_given CHECK ((((remaining)::bigint + (lapsed)::bigint) <= (amount)::bigint)),
    CONSTRAINT only_passes_admit_to_categories CHECK (((kind = 'pass'::payments.credit_kind) OR (categories IS NULL))),
    CONSTRAINT wallet_lots_are_money CHECK ((((kind = 'wallet'::payments.credit_kind) = (account_id IS NOT NULL)) AND ((kind = 'wallet'::payments.credit_kind) = (currency IS NOT NULL))))
);
COMMENT ON TABLE payments.credit_lots IS 'Credits that a customer received at an organization: wallet money in cents, or units of a pass.';
COMMENT ON COLUMN payments.credit_lots.account_id IS 'The wallet in the ledger. Its balance is the sum of the remaining amounts of its lots. Null for passes.';
COMMENT ON COLUMN payments.credit_lots.remaining IS 'The unused amount. Changed only while the wallet''s balance is locked, or, for a pass, the lot itself.';
COMMENT ON COLUMN payments.credit_lots.lapsed IS 'The amount that expired, was taken back, or returned in a lot of its own.';
COMMENT ON COLUMN payments.credit_lots.booking_id IS 'The booking whose promo code granted it.';
COMMENT ON COLUMN payments.credit_lots.frozen_at IS 'Since when the credits cannot be used: a dispute holds their payment, or the customer owes a part of it.';
COMMENT ON COLUMN payments.credit_lots.spent_cents IS 'The spent part of a promo code''s credits when their booking ended: the customer has paid for it. Null: not ended.';
ALTER TABLE ONLY payments.credit_lots ADD CONSTRAINT credit_lots_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_account_id_fkey FOREIGN KEY (account_id) REFERENCES payments.accounts(id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);
ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES payments.refunds(id);
CREATE INDEX credit_lots_booking_id_idx ON payments.credit_lots USING btree (booking_id) WHERE (booking_id IS NOT NULL);
CREATE INDEX credit_lots_currency_idx ON payments.credit_lots USING btree (currency);
CREATE INDEX credit_lots_customer_id_id_idx ON payments.credit_lots USING btree (customer_id, id);
CREATE INDEX credit_lots_organization_id_kind_id_idx ON payments.credit_lots USING btree (organization_id, kind, id);
CREATE INDEX credit_lots_purchase_id_idx ON payments.credit_lots USING btree (purchase_id) WHERE (purchase_id IS NOT NULL);
CREATE INDEX credit_notes_by_age ON payments.credit_lots USING btree (created_at) WHERE (note IS NOT NULL);
CREATE INDEX live_passes ON payments.credit_lots USING btree (customer_id, organization_id, expires_at, id) WHERE ((kind = 'pass'::payments.credit_kind) AND ((remaining)::bigint > 0));
CREATE INDEX live_wallet_lots ON payments.credit_lots USING btree (account_id, expires_at, id) WHERE ((remaining)::bigint > 0);
CREATE INDEX lots_of_account ON payments.credit_lots USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX lots_to_expire ON payments.credit_lots USING btree (expires_at) WHERE (((remaining)::bigint > 0) AND (expires_at < 'infinity'::timestamp with time zone));
CREATE UNIQUE INDEX one_lot_per_refund ON payments.credit_lots USING btree (refund_id) WHERE (refund_id IS NOT NULL);
ALTER TABLE payments.credit_lots ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.credit_lots FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.credit_lots FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.credit_lots TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER add_customer AFTER INSERT ON payments.credit_lots FOR EACH ROW EXECUTE FUNCTION organizations.enter_customer_of_row();
CREATE CONSTRAINT TRIGGER pay_out_erased_inserted AFTER INSERT ON payments.credit_lots DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.remaining)::bigint > 0)) EXECUTE FUNCTION payments.pay_out_erased();
CREATE CONSTRAINT TRIGGER pay_out_erased_updated AFTER UPDATE OF remaining ON payments.credit_lots DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.remaining)::bigint > (old.remaining)::bigint)) EXECUTE FUNCTION payments.pay_out_erased();
GRANT SELECT ON TABLE payments.credit_lots TO app_read;

CREATE TABLE payments.differences (
    id bigint NOT NULL,
    source_id text NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    stripe_cents bigint NOT NULL,
    ledger_cents bigint NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    CONSTRAINT reason_is_known CHECK ((reason = ANY (ARRAY['not_in_ledger'::text, 'not_at_stripe'::text, 'amount_differs'::text])))
);
ALTER TABLE payments.differences ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.differences_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE payments.differences IS 'Differences between the clearing account and Stripe''s balance by source, with the times when they were opened and resolved.';
ALTER TABLE ONLY payments.differences ADD CONSTRAINT differences_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX one_open_difference_per_source ON payments.differences USING btree (source_id, currency) WHERE (resolved_at IS NULL);
ALTER TABLE payments.differences ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.differences TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.differences TO app_write;

CREATE TABLE payments.disputes (
    stripe_dispute_id text NOT NULL,
    intent_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    amount_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    reason text,
    status text NOT NULL,
    withdrawn boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON COLUMN payments.disputes.withdrawn IS 'Whether Stripe has taken the money back from the platform.';
ALTER TABLE ONLY payments.disputes ADD CONSTRAINT disputes_pkey PRIMARY KEY (stripe_dispute_id);
ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES payments.intents(id);
ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX disputes_intent_id_idx ON payments.disputes USING btree (intent_id);
CREATE INDEX disputes_organization_id_idx ON payments.disputes USING btree (organization_id);
ALTER TABLE payments.disputes ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.disputes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.disputes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.disputes TO app_read;

CREATE TABLE payments.sales (
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    amount_cents payments.cents NOT NULL,
    fee_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    refunded_cents payments.cents DEFAULT 0 NOT NULL,
    refunded_fee_cents payments.cents DEFAULT 0 NOT NULL,
    sold_at timestamp with time zone DEFAULT now() NOT NULL,
    deducted_cents payments.cents DEFAULT 0 NOT NULL,
    CONSTRAINT deducted_credits_are_part_of_the_price CHECK ((((refunded_cents)::bigint + (deducted_cents)::bigint) <= (amount_cents)::bigint)),
    CONSTRAINT fee_is_part_of_the_amount CHECK (((fee_cents)::bigint <= (amount_cents)::bigint)),
    CONSTRAINT never_refunded_more_than_paid CHECK (((refunded_cents)::bigint <= (amount_cents)::bigint)),
    CONSTRAINT never_returned_more_than_the_fee CHECK (((refunded_fee_cents)::bigint <= (fee_cents)::bigint))
);
COMMENT ON TABLE payments.sales IS 'Sales of paid bookings, with the part that was refunded.';
COMMENT ON COLUMN payments.sales.fee_cents IS 'The platform''s share.';
COMMENT ON COLUMN payments.sales.deducted_cents IS 'The unrefunded part of the price that paid for spent credits of the promo code after the booking ended.';
ALTER TABLE ONLY payments.sales ADD CONSTRAINT sales_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX sales_customer_id_idx ON payments.sales USING btree (customer_id);
CREATE INDEX sales_organization_id_sold_at_idx ON payments.sales USING btree (organization_id, sold_at);
ALTER TABLE payments.sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.sales FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.sales FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.sales TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.sales TO app_read;

CREATE TABLE payments.refunds (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    booking_id uuid,
    intent_id uuid,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    destination text NOT NULL,
    cause character varying(255) NOT NULL,
    sold boolean NOT NULL,
    status payments.refund_status DEFAULT 'created'::payments.refund_status NOT NULL,
    status_reason text,
    stripe_refund_id text,
    attempts integer DEFAULT 0 NOT NULL,
    reopened integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone DEFAULT now() NOT NULL,
    last_error jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    settled_at timestamp with time zone,
    purchase_id uuid,
    beyond boolean DEFAULT false NOT NULL,
    earlier_stripe_ids text[] DEFAULT '{}'::text[] NOT NULL,
    debt_outcome text,
    debt_transaction_id uuid,
    debt_settled_at timestamp with time zone,
    debt_settled_by uuid,
    debt_reason text,
    recovered_cents payments.cents DEFAULT 0 NOT NULL,
    CONSTRAINT beyond_gives_back_no_sale CHECK ((NOT (beyond AND sold))),
    CONSTRAINT debt_outcome_is_known CHECK ((debt_outcome = ANY (ARRAY['paid'::text, 'forgiven'::text]))),
    CONSTRAINT debt_reason_is_short CHECK ((length(debt_reason) <= 500)),
    CONSTRAINT destination_is_known CHECK ((destination = ANY (ARRAY['original'::text, 'wallet'::text, 'invoice'::text, 'dispute'::text, 'unclaimed'::text, 'till'::text]))),
    CONSTRAINT only_debts_are_recovered CHECK ((((recovered_cents)::bigint <= amount_cents) AND (beyond OR ((recovered_cents)::bigint = 0)))),
    CONSTRAINT only_what_went_beyond_is_a_debt CHECK ((beyond OR (debt_outcome IS NULL))),
    CONSTRAINT original_way_is_by_stripe CHECK (((destination <> 'original'::text) OR (intent_id IS NOT NULL))),
    CONSTRAINT refund_is_of_one_thing CHECK ((num_nonnulls(booking_id, purchase_id) = 1)),
    CONSTRAINT refund_is_positive CHECK ((amount_cents > 0)),
    CONSTRAINT refund_reasons_are_readable CHECK ((ops.is_text(status_reason) AND ops.is_text(debt_reason))),
    CONSTRAINT settled_debt_is_posted CHECK ((((debt_outcome IS NULL) = (debt_transaction_id IS NULL)) AND ((debt_outcome IS NULL) = (debt_settled_at IS NULL))))
);
COMMENT ON TABLE payments.refunds IS 'Refunds: created with their cause, sent by the sweep, and completed by Stripe''s reports.';
COMMENT ON COLUMN payments.refunds.destination IS 'original: by Stripe. till: in cash or by the terminal, at the desk. wallet, invoice, dispute, unclaimed: see refunds.';
COMMENT ON COLUMN payments.refunds.cause IS 'The reason as a word that is unique per booking, so that each cause makes one refund.';
COMMENT ON COLUMN payments.refunds.sold IS 'Whether it reverses a sale. False, for example, for a payment that arrived too late.';
COMMENT ON COLUMN payments.refunds.reopened IS 'How often it became a new refund for Stripe. The number is part of its idempotency key.';
COMMENT ON COLUMN payments.refunds.beyond IS 'Whether it is an excess refund: money refunded at Stripe beyond the refundable amount. The customer owes it.';
COMMENT ON COLUMN payments.refunds.earlier_stripe_ids IS 'Former ids at Stripe. Reports about them change nothing.';
COMMENT ON COLUMN payments.refunds.debt_outcome IS 'The settlement of the debt of an excess refund. It is reversed if Stripe fails to deliver the refund afterwards.';
COMMENT ON COLUMN payments.refunds.debt_settled_by IS 'The person who recorded the settlement of the debt.';
COMMENT ON COLUMN payments.refunds.recovered_cents IS 'The part of the debt of an excess refund that the customer''s returned or remaining credits have paid.';
ALTER TABLE ONLY payments.refunds ADD CONSTRAINT one_refund_per_cause UNIQUE (booking_id, cause);
ALTER TABLE ONLY payments.refunds ADD CONSTRAINT refunds_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_debt_transaction_id_fkey FOREIGN KEY (debt_transaction_id) REFERENCES payments.transactions(id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES payments.intents(id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);
CREATE UNIQUE INDEX one_refund_per_purchase_and_cause ON payments.refunds USING btree (purchase_id, cause) WHERE (purchase_id IS NOT NULL);
CREATE INDEX refunds_by_stripe_id ON payments.refunds USING btree (stripe_refund_id) WHERE (stripe_refund_id IS NOT NULL);
CREATE INDEX refunds_customer_id_id_idx ON payments.refunds USING btree (customer_id, id);
CREATE INDEX refunds_debt_transaction_id_idx ON payments.refunds USING btree (debt_transaction_id) WHERE (debt_transaction_id IS NOT NULL);
CREATE INDEX refunds_intent_id_idx ON payments.refunds USING btree (intent_id);
CREATE INDEX refunds_organization_id_id_idx ON payments.refunds USING btree (organization_id, id);
CREATE INDEX refunds_to_send ON payments.refunds USING btree (available_at) WHERE (status = 'created'::payments.refund_status);
ALTER TABLE payments.refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.refunds FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.refunds FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.refunds TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.refunds FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('refund');
CREATE TRIGGER refunds_never_exceed_the_payment AFTER INSERT OR UPDATE OF amount_cents, beyond, destination, intent_id ON payments.refunds FOR EACH ROW WHEN (((new.intent_id IS NOT NULL) AND (NOT new.beyond))) EXECUTE FUNCTION payments.check_refunds();
GRANT SELECT ON TABLE payments.refunds TO app_read;

CREATE TABLE payments.packages (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    kind payments.credit_kind NOT NULL,
    price_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    amount payments.credit_amount NOT NULL,
    bonus payments.credit_rest DEFAULT 0 NOT NULL,
    valid_days integer,
    categories text[],
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT only_passes_are_for_categories CHECK (((kind = 'pass'::payments.credit_kind) OR (categories IS NULL))),
    CONSTRAINT package_is_valid_for_a_while CHECK (((valid_days >= 1) AND (valid_days <= 3650))),
    CONSTRAINT package_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT package_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);
COMMENT ON TABLE payments.packages IS 'Credits that an organization sells: money for wallets, or a pass for classes.';
COMMENT ON COLUMN payments.packages.amount IS 'Cents of wallet money or units of a pass, without the bonus.';
COMMENT ON COLUMN payments.packages.categories IS 'Categories of events that a pass admits to, including their subcategories; null: all.';
ALTER TABLE ONLY payments.packages ADD CONSTRAINT packages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.packages
    ADD CONSTRAINT packages_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.packages
    ADD CONSTRAINT packages_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX packages_currency_idx ON payments.packages USING btree (currency);
CREATE INDEX packages_organization_id_id_idx ON payments.packages USING btree (organization_id, id);
ALTER TABLE payments.packages ENABLE ROW LEVEL SECURITY;
CREATE POLICY on_sale ON payments.packages FOR SELECT USING (active);
CREATE POLICY service ON payments.packages TO service_role USING (true) WITH CHECK (true);
CREATE POLICY staff ON payments.packages FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
GRANT SELECT ON TABLE payments.packages TO app_read;

CREATE TABLE payments.payouts (
    stripe_payout_id text NOT NULL,
    organization_id uuid,
    amount_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    status text NOT NULL,
    arrives_on date,
    failure_code text,
    failure_message text,
    observed_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE payments.payouts IS 'Money that Stripe pays to a bank: the platform''s, or an organizer''s.';
COMMENT ON COLUMN payments.payouts.organization_id IS 'The organizer whose Stripe balance it leaves; null: the platform''s own.';
ALTER TABLE ONLY payments.payouts ADD CONSTRAINT payouts_pkey PRIMARY KEY (stripe_payout_id);
ALTER TABLE ONLY payments.payouts
    ADD CONSTRAINT payouts_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.payouts
    ADD CONSTRAINT payouts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX payouts_currency_idx ON payments.payouts USING btree (currency);
CREATE INDEX payouts_organization_id_idx ON payments.payouts USING btree (organization_id) WHERE (organization_id IS NOT NULL);
ALTER TABLE payments.payouts ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.payouts FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.payouts TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.payouts TO app_read;

CREATE TABLE payments.balance_transactions (
    id text NOT NULL,
    type text NOT NULL,
    source_id text,
    amount_cents bigint NOT NULL,
    fee_cents bigint NOT NULL,
    net_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE payments.balance_transactions IS 'Movements of Stripe''s balance, as Stripe lists them: net of the fees that it kept.';
COMMENT ON COLUMN payments.balance_transactions.source_id IS 'The Stripe object that caused it: a charge, a refund, a dispute, a payout.';
ALTER TABLE ONLY payments.balance_transactions ADD CONSTRAINT balance_transactions_pkey PRIMARY KEY (id);
CREATE INDEX balance_transactions_by_source ON payments.balance_transactions USING btree (source_id);
CREATE INDEX balance_transactions_by_time ON payments.balance_transactions USING btree (created_at);
ALTER TABLE payments.balance_transactions ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.balance_transactions TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.balance_transactions TO app_write;

CREATE TABLE payments.invoices (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    number integer NOT NULL,
    kind payments.invoice_kind NOT NULL,
    booking_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    corrects_id uuid,
    refund_id uuid,
    seller jsonb NOT NULL,
    buyer jsonb NOT NULL,
    lines jsonb NOT NULL,
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    gross_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    tax_bps integer NOT NULL,
    tax_country character(2) NOT NULL,
    issued_at timestamp with time zone DEFAULT now() NOT NULL,
    due_on date,
    CONSTRAINT credit_notes_correct_an_invoice CHECK ((((kind = 'credit_note'::payments.invoice_kind) = (corrects_id IS NOT NULL)) AND ((kind = 'credit_note'::payments.invoice_kind) = (refund_id IS NOT NULL)) AND ((kind = 'invoice'::payments.invoice_kind) = (due_on IS NOT NULL)))),
    CONSTRAINT gross_is_net_and_tax CHECK (((gross_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint))),
    CONSTRAINT numbers_begin_with_one CHECK ((number > 0))
);
COMMENT ON TABLE payments.invoices IS 'Invoices and credit notes, in one series without gaps per organization. Only the buyer''s personal data ever changes.';
COMMENT ON COLUMN payments.invoices.seller IS 'The seller at the time of issue; the same applies to the buyer and the lines.';
ALTER TABLE ONLY payments.invoices ADD CONSTRAINT invoice_numbers_are_unique UNIQUE (organization_id, number);
ALTER TABLE ONLY payments.invoices ADD CONSTRAINT invoices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_corrects_id_fkey FOREIGN KEY (corrects_id) REFERENCES payments.invoices(id);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES payments.refunds(id);
CREATE INDEX invoices_booking_id_idx ON payments.invoices USING btree (booking_id);
CREATE INDEX invoices_by_age ON payments.invoices USING brin (issued_at);
CREATE INDEX invoices_corrects_id_idx ON payments.invoices USING btree (corrects_id) WHERE (corrects_id IS NOT NULL);
CREATE INDEX invoices_currency_idx ON payments.invoices USING btree (currency);
CREATE INDEX invoices_customer_id_id_idx ON payments.invoices USING btree (customer_id, id);
CREATE UNIQUE INDEX one_credit_note_per_refund ON payments.invoices USING btree (refund_id) WHERE (refund_id IS NOT NULL);
CREATE UNIQUE INDEX one_invoice_per_booking ON payments.invoices USING btree (booking_id) WHERE (kind = 'invoice'::payments.invoice_kind);
ALTER TABLE payments.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.invoices FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.invoices FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.invoices TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR TRUNCATE ON payments.invoices FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();
ALTER TABLE payments.invoices ENABLE ALWAYS TRIGGER refuse_invoice_change;
CREATE TRIGGER refuse_invoice_update BEFORE UPDATE ON payments.invoices FOR EACH ROW EXECUTE FUNCTION payments.refuse_invoice_change();
ALTER TABLE payments.invoices ENABLE ALWAYS TRIGGER refuse_invoice_update;
GRANT SELECT ON TABLE payments.invoices TO app_read;

CREATE TABLE payments.purchases (
    id uuid NOT NULL,
    package_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    kind payments.credit_kind NOT NULL,
    credits payments.credit_amount NOT NULL,
    bonus payments.credit_rest NOT NULL,
    valid_days integer,
    categories text[],
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    tax_bps integer NOT NULL,
    tax_country character(2) NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    fee_cents payments.cents DEFAULT 0 NOT NULL,
    refunded_cents payments.cents DEFAULT 0 NOT NULL,
    status payments.purchase_status DEFAULT 'pending'::payments.purchase_status NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    granted_at timestamp with time zone,
    refunded_at timestamp with time zone,
    taken_back payments.credit_rest DEFAULT 0 NOT NULL,
    refunded_fee_cents payments.cents DEFAULT 0 NOT NULL,
    CONSTRAINT packages_are_paid_by_stripe_or_at_the_desk CHECK (((method)::text = ANY (ARRAY['card'::text, 'twint'::text, 'cash'::text, 'terminal'::text]))),
    CONSTRAINT purchase_is_net_and_tax CHECK (((amount_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint))),
    CONSTRAINT purchase_never_refunded_beyond_its_price CHECK (((refunded_cents)::bigint <= (amount_cents)::bigint))
);
COMMENT ON TABLE payments.purchases IS 'Purchases of packages: the terms at that time, the price and the state.';
COMMENT ON COLUMN payments.purchases.fee_cents IS 'The platform''s share. Zero for wallet money, whose share is due when it is spent.';
COMMENT ON COLUMN payments.purchases.refunded_cents IS 'The cents of all its refunds, without excess refunds.';
COMMENT ON COLUMN payments.purchases.taken_back IS 'The purchased credits that refunds took back, without the bonus.';
COMMENT ON COLUMN payments.purchases.refunded_fee_cents IS 'The part of the platform''s share that was refunded.';
ALTER TABLE ONLY payments.purchases ADD CONSTRAINT purchases_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_package_id_fkey FOREIGN KEY (package_id) REFERENCES payments.packages(id);
CREATE INDEX purchases_currency_idx ON payments.purchases USING btree (currency);
CREATE INDEX purchases_customer_id_id_idx ON payments.purchases USING btree (customer_id, id);
CREATE INDEX purchases_organization_id_id_idx ON payments.purchases USING btree (organization_id, id);
CREATE INDEX purchases_package_id_idx ON payments.purchases USING btree (package_id);
ALTER TABLE payments.purchases ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.purchases FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.purchases FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.purchases TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER add_customer AFTER INSERT ON payments.purchases FOR EACH ROW EXECUTE FUNCTION organizations.enter_customer_of_row();
CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.purchases FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('purchase');
GRANT SELECT ON TABLE payments.purchases TO app_read;

CREATE TABLE payments.fees (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    paid_from text NOT NULL,
    transaction_id uuid NOT NULL,
    charged_at timestamp with time zone DEFAULT now() NOT NULL,
    taken_back_at timestamp with time zone,
    paid_at timestamp with time zone,
    payment_transaction_id uuid,
    settled_by uuid,
    reason text,
    kind text DEFAULT 'no_show'::text NOT NULL,
    CONSTRAINT fee_is_paid_or_owed CHECK ((paid_from = ANY (ARRAY['wallet'::text, 'owed'::text]))),
    CONSTRAINT fee_kind_is_known CHECK ((kind = ANY (ARRAY['no_show'::text, 'late_cancellation'::text]))),
    CONSTRAINT fee_reason_is_readable CHECK (ops.is_text(reason)),
    CONSTRAINT fee_reason_is_short CHECK ((length(reason) <= 500)),
    CONSTRAINT only_what_is_owed_is_paid CHECK (((paid_at IS NULL) OR (paid_from = 'owed'::text))),
    CONSTRAINT payment_of_a_fee_is_posted CHECK (((paid_at IS NULL) = (payment_transaction_id IS NULL)))
);
COMMENT ON TABLE payments.fees IS 'Fees for not attending and for late cancellations: paid from the wallet, or owed.';
COMMENT ON COLUMN payments.fees.settled_by IS 'The person who recorded the payment of the fee or waived it.';
COMMENT ON COLUMN payments.fees.reason IS 'The reason of the waiver.';
COMMENT ON COLUMN payments.fees.kind IS 'The reason of the fee: no_show or late_cancellation.';
ALTER TABLE ONLY payments.fees ADD CONSTRAINT fees_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.fees ADD CONSTRAINT fees_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_payment_transaction_id_fkey FOREIGN KEY (payment_transaction_id) REFERENCES payments.transactions(id);
ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payments.transactions(id);
CREATE INDEX fees_booking_id_idx ON payments.fees USING btree (booking_id);
CREATE INDEX fees_currency_idx ON payments.fees USING btree (currency);
CREATE INDEX fees_customer_id_id_idx ON payments.fees USING btree (customer_id, id);
CREATE INDEX fees_organization_id_id_idx ON payments.fees USING btree (organization_id, id);
CREATE INDEX fees_payment_transaction_id_idx ON payments.fees USING btree (payment_transaction_id) WHERE (payment_transaction_id IS NOT NULL);
CREATE INDEX fees_transaction_id_idx ON payments.fees USING btree (transaction_id);
CREATE UNIQUE INDEX one_fee_at_a_time ON payments.fees USING btree (booking_id) WHERE (taken_back_at IS NULL);
ALTER TABLE payments.fees ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.fees FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY own ON payments.fees FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.fees TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.fees TO app_read;

CREATE TABLE payments.till_closings (
    id uuid NOT NULL,
    till_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    first_day date NOT NULL,
    day date NOT NULL,
    opening_cents bigint NOT NULL,
    cash_taken_cents bigint NOT NULL,
    terminal_taken_cents bigint NOT NULL,
    cash_refunded_cents bigint NOT NULL,
    terminal_refunded_cents bigint NOT NULL,
    transferred_cents bigint NOT NULL,
    expected_cents bigint NOT NULL,
    counted_cents bigint NOT NULL,
    difference_cents bigint NOT NULL,
    deposited_cents bigint NOT NULL,
    note text,
    closed_by uuid,
    closed_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT closing_covers_its_days CHECK ((first_day <= day)),
    CONSTRAINT closing_note_is_readable CHECK (ops.is_text(note)),
    CONSTRAINT closing_note_is_short CHECK ((length(note) <= 500)),
    CONSTRAINT counted_money_is_not_negative CHECK ((counted_cents >= 0)),
    CONSTRAINT deposit_is_part_of_the_count CHECK (((deposited_cents >= 0) AND (deposited_cents <= counted_cents))),
    CONSTRAINT difference_is_counted_less_expected CHECK ((difference_cents = (counted_cents - expected_cents))),
    CONSTRAINT expected_is_opening_and_movements CHECK ((expected_cents = (((opening_cents + cash_taken_cents) - cash_refunded_cents) + transferred_cents)))
);
COMMENT ON TABLE payments.till_closings IS 'The report of a closed day of a till. Stored once; nobody changes or deletes a row.';
COMMENT ON COLUMN payments.till_closings.first_day IS 'The first day that it covers: the day after the former closing.';
COMMENT ON COLUMN payments.till_closings.opening_cents IS 'The cash in the till before the first day.';
COMMENT ON COLUMN payments.till_closings.transferred_cents IS 'Cash that was brought, less cash that was taken out.';
COMMENT ON COLUMN payments.till_closings.deposited_cents IS 'Counted cash that left the till at the closing. The rest is the next opening balance.';
ALTER TABLE ONLY payments.till_closings ADD CONSTRAINT one_closing_per_day UNIQUE (till_id, day);
ALTER TABLE ONLY payments.till_closings ADD CONSTRAINT till_closings_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.till_closings
    ADD CONSTRAINT till_closings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.till_closings
    ADD CONSTRAINT till_closings_till_id_fkey FOREIGN KEY (till_id) REFERENCES payments.tills(id);
CREATE INDEX till_closings_organization_id_idx ON payments.till_closings USING btree (organization_id, id);
ALTER TABLE payments.till_closings ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.till_closings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.till_closings TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER refuse_till_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.till_closings FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_till_change();
ALTER TABLE payments.till_closings ENABLE ALWAYS TRIGGER refuse_till_change;
GRANT SELECT ON TABLE payments.till_closings TO app_read;

CREATE TABLE payments.promo_codes (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    code text NOT NULL,
    kind payments.promo_kind NOT NULL,
    percent_bps integer,
    amount_cents bigint,
    currency character(3),
    valid_from timestamp with time zone DEFAULT now() NOT NULL,
    valid_until timestamp with time zone,
    uses_most integer,
    uses_most_per_customer integer,
    used integer DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT percent_is_a_share CHECK (((percent_bps >= 1) AND (percent_bps <= 10000))),
    CONSTRAINT percent_or_amount CHECK ((((kind = 'percent'::payments.promo_kind) = (percent_bps IS NOT NULL)) AND ((kind <> 'percent'::payments.promo_kind) = (amount_cents IS NOT NULL)) AND ((kind <> 'percent'::payments.promo_kind) = (currency IS NOT NULL)))),
    CONSTRAINT promo_amount_is_positive CHECK ((amount_cents > 0)),
    CONSTRAINT promo_code_ends_after_it_begins CHECK ((valid_until > valid_from)),
    CONSTRAINT promo_code_is_plain CHECK ((code ~ '^[A-Z0-9_-]{3,40}$'::text)),
    CONSTRAINT promo_code_never_overused CHECK (((used >= 0) AND (used <= uses_most))),
    CONSTRAINT promo_share_is_positive CHECK ((uses_most_per_customer > 0)),
    CONSTRAINT promo_total_is_positive CHECK ((uses_most > 0))
);
COMMENT ON COLUMN payments.promo_codes.amount_cents IS 'The discount on the price, or the credits for the wallet.';
COMMENT ON COLUMN payments.promo_codes.used IS 'The number of present uses. The routines that use and release the code count it and lock the row.';
ALTER TABLE ONLY payments.promo_codes ADD CONSTRAINT promo_code_is_unique UNIQUE (organization_id, code);
ALTER TABLE ONLY payments.promo_codes ADD CONSTRAINT promo_codes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_codes_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_codes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX promo_codes_currency_idx ON payments.promo_codes USING btree (currency);
ALTER TABLE payments.promo_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.promo_codes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.promo_codes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.promo_codes TO app_read;

CREATE TABLE payments.balances (
    account_id uuid NOT NULL,
    balance_cents payments.guarded_cents DEFAULT 0 NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.02');
COMMENT ON TABLE payments.balances IS 'Balances of guarded accounts, in their normal sign. The trigger of payments.entries updates them.';
ALTER TABLE ONLY payments.balances ADD CONSTRAINT balances_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY payments.balances
    ADD CONSTRAINT balances_account_id_fkey FOREIGN KEY (account_id) REFERENCES payments.accounts(id);
ALTER TABLE payments.balances ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.balances TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_account ON payments.balances FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = balances.account_id))));
GRANT SELECT ON TABLE payments.balances TO app_read;

CREATE TABLE payments.credit_uses (
    booking_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    purpose payments.credit_use NOT NULL,
    amount payments.credit_amount NOT NULL,
    returned payments.credit_rest DEFAULT 0 NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT never_more_returned_than_was_used CHECK (((returned)::bigint <= (amount)::bigint))
);
COMMENT ON TABLE payments.credit_uses IS 'The amount that a booking took from a lot, and the part that was returned.';
ALTER TABLE ONLY payments.credit_uses ADD CONSTRAINT credit_uses_pkey PRIMARY KEY (booking_id, purpose, lot_id);
ALTER TABLE ONLY payments.credit_uses
    ADD CONSTRAINT credit_uses_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.credit_uses
    ADD CONSTRAINT credit_uses_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES payments.credit_lots(id);
CREATE INDEX credit_uses_lot_id_idx ON payments.credit_uses USING btree (lot_id);
ALTER TABLE payments.credit_uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.credit_uses TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_lot ON payments.credit_uses FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.credit_lots l
  WHERE (l.id = credit_uses.lot_id))));
GRANT SELECT ON TABLE payments.credit_uses TO app_read;

CREATE TABLE payments.invoice_numbers (
    organization_id uuid NOT NULL,
    last integer NOT NULL
);
COMMENT ON TABLE payments.invoice_numbers IS 'The last number of each organization''s series. A routine that takes a number locks the row after all other locks.';
ALTER TABLE ONLY payments.invoice_numbers ADD CONSTRAINT invoice_numbers_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY payments.invoice_numbers
    ADD CONSTRAINT invoice_numbers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE payments.invoice_numbers ENABLE ROW LEVEL SECURITY;
CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR TRUNCATE ON payments.invoice_numbers FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();

CREATE TABLE payments.invoice_payments (
    invoice_id uuid NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    transaction_id uuid NOT NULL,
    recorded_by uuid,
    paid_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE payments.invoice_payments IS 'Payments of invoices to the organizer''s bank account.';
ALTER TABLE ONLY payments.invoice_payments ADD CONSTRAINT invoice_payments_pkey PRIMARY KEY (invoice_id);
ALTER TABLE ONLY payments.invoice_payments
    ADD CONSTRAINT invoice_payments_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES payments.invoices(id);
ALTER TABLE ONLY payments.invoice_payments
    ADD CONSTRAINT invoice_payments_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payments.transactions(id);
CREATE INDEX invoice_payments_transaction_id_idx ON payments.invoice_payments USING btree (transaction_id);
ALTER TABLE payments.invoice_payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.invoice_payments TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_invoice ON payments.invoice_payments FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.invoices i
  WHERE (i.id = invoice_payments.invoice_id))));
CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.invoice_payments FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();
GRANT SELECT ON TABLE payments.invoice_payments TO app_read;

CREATE TABLE payments.promo_uses (
    booking_id uuid NOT NULL,
    promo_code_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    discount_cents payments.cents NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    given_back_at timestamp with time zone
);
COMMENT ON TABLE payments.promo_uses IS 'Uses of promo codes by bookings. A use is released if the booking is never paid or the organizer cancels it.';
ALTER TABLE ONLY payments.promo_uses ADD CONSTRAINT promo_uses_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);
ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);
ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_promo_code_id_fkey FOREIGN KEY (promo_code_id) REFERENCES payments.promo_codes(id);
CREATE INDEX promo_uses_customer_id_idx ON payments.promo_uses USING btree (customer_id);
CREATE INDEX promo_uses_of_customer ON payments.promo_uses USING btree (promo_code_id, customer_id) WHERE (given_back_at IS NULL);
CREATE INDEX promo_uses_promo_code_id_idx ON payments.promo_uses USING btree (promo_code_id);
ALTER TABLE payments.promo_uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON payments.promo_uses FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON payments.promo_uses TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_code ON payments.promo_uses FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.promo_codes c
  WHERE (c.id = promo_uses.promo_code_id))));
GRANT SELECT ON TABLE payments.promo_uses TO app_read;

CREATE TABLE payments.seals (
    account_id uuid NOT NULL,
    "position" bigint NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    amount_cents bigint NOT NULL,
    balance_cents bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    latest_recorded_at timestamp with time zone NOT NULL,
    hash bytea NOT NULL
);
COMMENT ON TABLE payments.seals IS 'The hash chain of each account''s entries, in the order of sealing, with the balance after each.';
COMMENT ON COLUMN payments.seals.balance_cents IS 'Sum of the amounts so far: debits less credits.';
COMMENT ON COLUMN payments.seals.latest_recorded_at IS 'The latest recorded_at so far.';
COMMENT ON COLUMN payments.seals.hash IS 'SHA-256 of the hash before it and of payments.canonical_entry.';
ALTER TABLE ONLY payments.seals ADD CONSTRAINT entry_is_sealed_once UNIQUE (transaction_id, line);
ALTER TABLE ONLY payments.seals ADD CONSTRAINT seals_pkey PRIMARY KEY (account_id, "position");
CREATE INDEX seals_by_age ON payments.seals USING brin (latest_recorded_at);
CREATE INDEX seals_by_time ON payments.seals USING btree (account_id, latest_recorded_at, "position") INCLUDE (balance_cents);
CREATE INDEX seals_out_of_time ON payments.seals USING btree (account_id, recorded_at) WHERE (recorded_at < latest_recorded_at);
ALTER TABLE payments.seals ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.seals TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_account ON payments.seals FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = seals.account_id))));
CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.seals FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_ledger_change();
ALTER TABLE payments.seals ENABLE ALWAYS TRIGGER refuse_change;
GRANT SELECT ON TABLE payments.seals TO app_read;

CREATE TABLE payments.settlement_totals (
    account_id uuid NOT NULL,
    "position" bigint NOT NULL,
    settled_cents bigint NOT NULL,
    CONSTRAINT position_is_of_a_seal CHECK (("position" > 0))
);
COMMENT ON TABLE payments.settlement_totals IS 'Settlements of each organization''s receivable account, summed up to a seal.';
COMMENT ON COLUMN payments.settlement_totals."position" IS 'The last seal that the sum includes.';
COMMENT ON COLUMN payments.settlement_totals.settled_cents IS 'Sum of the settlements: debits less credits (payments.movement_group).';
ALTER TABLE ONLY payments.settlement_totals ADD CONSTRAINT settlement_totals_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY payments.settlement_totals
    ADD CONSTRAINT settlement_totals_account_id_fkey FOREIGN KEY (account_id) REFERENCES payments.accounts(id);
ALTER TABLE payments.settlement_totals ENABLE ROW LEVEL SECURITY;

CREATE TABLE payments.unsealed_entries (
    account_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    amount_cents bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.1');
COMMENT ON TABLE payments.unsealed_entries IS 'Entries without a seal: inserted with each entry, deleted by payments.seal_entries.';
ALTER TABLE ONLY payments.unsealed_entries
    ADD CONSTRAINT unsealed_entries_pkey PRIMARY KEY (account_id, transaction_id, line);
ALTER TABLE payments.unsealed_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.unsealed_entries TO service_role USING (true) WITH CHECK (true);
CREATE POLICY visible_account ON payments.unsealed_entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = unsealed_entries.account_id))));
GRANT SELECT ON TABLE payments.unsealed_entries TO app_read;

CREATE TABLE payments.till_movements (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    till_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    method text NOT NULL,
    amount_cents bigint NOT NULL,
    subject_id uuid,
    note text,
    transaction_id uuid NOT NULL,
    recorded_by uuid,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT movement_has_a_subject CHECK (((subject_id IS NULL) = (kind = 'transfer'::text))),
    CONSTRAINT movement_moves_money CHECK ((amount_cents <> 0)),
    CONSTRAINT refunds_are_negative CHECK (((amount_cents < 0) OR (kind <> 'refund'::text))),
    CONSTRAINT takings_are_positive CHECK (((amount_cents > 0) OR (kind <> ALL (ARRAY['booking'::text, 'package'::text, 'fee'::text, 'invoice'::text])))),
    CONSTRAINT till_movement_is_known CHECK ((kind = ANY (ARRAY['booking'::text, 'package'::text, 'fee'::text, 'invoice'::text, 'refund'::text, 'transfer'::text, 'difference'::text, 'deposit'::text]))),
    CONSTRAINT till_note_is_readable CHECK (ops.is_text(note)),
    CONSTRAINT till_note_is_short CHECK ((length(note) <= 500)),
    CONSTRAINT till_takes_cash_or_cards CHECK ((method = ANY (ARRAY['cash'::text, 'terminal'::text])))
);
COMMENT ON TABLE payments.till_movements IS 'Money that entered or left a till. Nobody changes or deletes a row.';
COMMENT ON COLUMN payments.till_movements.day IS 'The day of the report, in the organization''s zone. After a day is closed, movements count for the next one.';
COMMENT ON COLUMN payments.till_movements.kind IS 'Takings for a booking, package, fee or invoice; a refund; a transfer of cash; the difference of a count; a deposit.';
COMMENT ON COLUMN payments.till_movements.amount_cents IS 'Positive into the till, negative out of it.';
COMMENT ON COLUMN payments.till_movements.subject_id IS 'The booking, purchase, fee, invoice, refund or closing that caused it.';
COMMENT ON COLUMN payments.till_movements.recorded_by IS 'The person who took or paid the money.';
ALTER TABLE ONLY payments.till_movements ADD CONSTRAINT one_movement_per_subject UNIQUE (kind, subject_id, method);
ALTER TABLE ONLY payments.till_movements ADD CONSTRAINT one_movement_per_transaction UNIQUE (transaction_id);
ALTER TABLE ONLY payments.till_movements ADD CONSTRAINT till_movements_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payments.till_movements
    ADD CONSTRAINT till_movements_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
ALTER TABLE ONLY payments.till_movements
    ADD CONSTRAINT till_movements_till_id_fkey FOREIGN KEY (till_id) REFERENCES payments.tills(id);
ALTER TABLE ONLY payments.till_movements
    ADD CONSTRAINT till_movements_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payments.transactions(id);
CREATE INDEX till_movements_of_day ON payments.till_movements USING btree (till_id, day);
CREATE INDEX till_movements_organization_id_idx ON payments.till_movements USING btree (organization_id, id);
ALTER TABLE payments.till_movements ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.till_movements FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.till_movements TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER refuse_till_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.till_movements FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_till_change();
ALTER TABLE payments.till_movements ENABLE ALWAYS TRIGGER refuse_till_change;
GRANT SELECT ON TABLE payments.till_movements TO app_read;

CREATE TABLE payments.transfers (
    stripe_transfer_id text NOT NULL,
    organization_id uuid NOT NULL,
    stripe_account_id text NOT NULL,
    amount_cents payments.cents NOT NULL,
    reversed_cents payments.cents DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT never_reversed_beyond_the_transfer CHECK (((reversed_cents)::bigint <= (amount_cents)::bigint))
);
COMMENT ON TABLE payments.transfers IS 'Transfers from the platform''s Stripe balance to an organizer''s, with the reversed amount.';
ALTER TABLE ONLY payments.transfers ADD CONSTRAINT transfers_pkey PRIMARY KEY (stripe_transfer_id);
ALTER TABLE ONLY payments.transfers
    ADD CONSTRAINT transfers_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ONLY payments.transfers
    ADD CONSTRAINT transfers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);
CREATE INDEX transfers_currency_idx ON payments.transfers USING btree (currency);
CREATE INDEX transfers_organization_id_idx ON payments.transfers USING btree (organization_id);
ALTER TABLE payments.transfers ENABLE ROW LEVEL SECURITY;
CREATE POLICY money_staff ON payments.transfers FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));
CREATE POLICY service ON payments.transfers TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.transfers TO app_read;

CREATE TABLE payments.webhook_inbox (
    event_id text NOT NULL,
    account text,
    type text NOT NULL,
    api_version text,
    livemode boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payload json NOT NULL,
    received_at timestamp with time zone NOT NULL,
    caught_up boolean DEFAULT false NOT NULL,
    status payments.webhook_status DEFAULT 'received'::payments.webhook_status NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    postponements integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    handled_at timestamp with time zone,
    result jsonb,
    last_error text,
    CONSTRAINT event_id_is_stripes CHECK ((event_id ~ '^evt_[A-Za-z0-9_]{1,250}$'::text)),
    CONSTRAINT handled_says_when CHECK (((status = ANY (ARRAY['handled'::payments.webhook_status, 'ignored'::payments.webhook_status])) = (handled_at IS NOT NULL))),
    CONSTRAINT parked_says_why CHECK (((status <> 'parked'::payments.webhook_status) OR (last_error IS NOT NULL)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');
COMMENT ON TABLE payments.webhook_inbox IS 'Stripe events, each once by its id. An event is acknowledged once it is stored here, and then handled, ignored or parked.';
COMMENT ON COLUMN payments.webhook_inbox.account IS 'The connected account of the event; null: the platform''s own.';
COMMENT ON COLUMN payments.webhook_inbox.created_at IS 'The time of the event at Stripe.';
COMMENT ON COLUMN payments.webhook_inbox.payload IS 'The members that processing needs, without personal data (payments.redact_stripe_event).';
COMMENT ON COLUMN payments.webhook_inbox.caught_up IS 'Whether a backfill found it in Stripe''s list of events before a webhook brought it.';
COMMENT ON COLUMN payments.webhook_inbox.attempts IS 'How often a worker started to process it. It is parked after five failures.';
COMMENT ON COLUMN payments.webhook_inbox.postponements IS 'How often Stripe or the database was not available. These attempts do not count.';
COMMENT ON COLUMN payments.webhook_inbox.available_at IS 'The sweep skips the event until then.';
COMMENT ON COLUMN payments.webhook_inbox.lease_until IS 'The end of a worker''s lease. Afterwards another worker may claim the event.';
ALTER TABLE ONLY payments.webhook_inbox ADD CONSTRAINT webhook_inbox_pkey PRIMARY KEY (event_id);
CREATE INDEX webhook_inbox_by_creation ON payments.webhook_inbox USING brin (created_at);
CREATE INDEX webhook_inbox_parked ON payments.webhook_inbox USING btree (received_at) WHERE (status = 'parked'::payments.webhook_status);
CREATE INDEX webhook_inbox_unfinished ON payments.webhook_inbox USING btree (available_at) WHERE (status = ANY (ARRAY['received'::payments.webhook_status, 'failed'::payments.webhook_status]));
ALTER TABLE payments.webhook_inbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON payments.webhook_inbox TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE payments.webhook_inbox TO app_write;

CREATE VIEW payments.account_balances WITH (security_invoker='true') AS
 SELECT id AS account_id,
    owner_kind,
    owner_id,
    organization_id,
    type,
    currency,
    (payments.normal_side(type) * payments.signed_balance(id)) AS balance_cents
   FROM payments.accounts a;
COMMENT ON VIEW payments.account_balances IS 'The balance of each account, in its normal sign.';
GRANT SELECT ON TABLE payments.account_balances TO app_read, app_write;

CREATE VIEW payments.clearing_movements WITH (security_invoker='true') AS
 SELECT t.id AS transaction_id,
        CASE split_part((o.idempotency_key)::text, ':'::text, 1)
            WHEN 'payment'::text THEN i.stripe_charge_id
            WHEN 'stripe_fee'::text THEN i.stripe_charge_id
            WHEN 'refund_sent'::text THEN r.stripe_refund_id
            WHEN 'transfer'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'transfer_reversal'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'dispute'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'stripe_balance'::text THEN COALESCE(b.source_id, b.id)
            ELSE NULL::text
        END AS source_id,
    a.currency,
    e.amount_cents,
    t.recorded_at
   FROM ((((((payments.entries e
     JOIN payments.accounts a ON (((a.id = e.account_id) AND (a.type = 'clearing'::payments.account_type) AND (a.owner_kind = 'platform'::payments.owner_kind))))
     JOIN payments.transactions t ON ((t.id = e.transaction_id)))
     JOIN payments.transactions o ON ((o.id = COALESCE(t.reverses_id, t.id))))
     LEFT JOIN payments.intents i ON (((i.id = o.reference_id) AND ((o.reference_type)::text = 'payment'::text))))
     LEFT JOIN payments.refunds r ON (((r.id = o.reference_id) AND ((o.reference_type)::text = 'refund'::text))))
     LEFT JOIN payments.balance_transactions b ON ((((o.kind)::text = 'stripe_balance'::text) AND (b.id = split_part((o.idempotency_key)::text, ':'::text, 2)))));
COMMENT ON VIEW payments.clearing_movements IS 'The changes of the clearing account, with the Stripe object that caused each.';
GRANT SELECT ON TABLE payments.clearing_movements TO app_write;

CREATE VIEW payments.credits WITH (security_invoker='true') AS
 SELECT id,
    kind,
    source,
    organization_id,
    customer_id,
    currency,
    amount,
    remaining,
    NULLIF(expires_at, 'infinity'::timestamp with time zone) AS expires_at,
    categories,
    created_at
   FROM payments.credit_lots l
  WHERE (((remaining)::bigint > 0) AND (expires_at > statement_timestamp()) AND (frozen_at IS NULL));
COMMENT ON VIEW payments.credits IS 'Credits that can be used now.';
GRANT SELECT ON TABLE payments.credits TO app_read, app_write;

CREATE VIEW payments.fee_states WITH (security_invoker='true') AS
 SELECT id,
    booking_id,
    organization_id,
    customer_id,
    amount_cents,
    currency,
    paid_from,
    charged_at,
    COALESCE(paid_at,
        CASE
            WHEN (paid_from = 'wallet'::text) THEN charged_at
            ELSE NULL::timestamp with time zone
        END) AS paid_at,
    taken_back_at,
    reason,
        CASE
            WHEN (taken_back_at IS NOT NULL) THEN 'taken_back'::text
            WHEN ((paid_from = 'wallet'::text) OR (paid_at IS NOT NULL)) THEN 'paid'::text
            ELSE 'owed'::text
        END AS status,
    kind
   FROM payments.fees f;
COMMENT ON VIEW payments.fee_states IS 'Fees for not attending and for late cancellations, with their state.';
GRANT SELECT ON TABLE payments.fee_states TO app_read, app_write;

CREATE VIEW payments.invoice_states WITH (security_invoker='true') AS
 SELECT i.id,
    i.organization_id,
    i.customer_id,
    i.booking_id,
    i.number,
    i.kind,
    i.corrects_id,
    i.seller,
    i.buyer,
    i.lines,
    i.net_cents,
    i.tax_cents,
    i.gross_cents,
    i.currency,
    i.tax_bps,
    i.tax_country,
    i.issued_at,
    i.due_on,
    c.credited_cents,
    p.paid_at,
    COALESCE((p.amount_cents)::bigint, (0)::bigint) AS paid_cents,
        CASE
            WHEN ((i.kind = 'invoice'::payments.invoice_kind) AND (p.invoice_id IS NULL)) THEN ((i.gross_cents)::bigint - c.credited_cents)
            ELSE (0)::bigint
        END AS open_cents,
        CASE
            WHEN (i.kind = 'credit_note'::payments.invoice_kind) THEN 'issued'::text
            WHEN (p.invoice_id IS NOT NULL) THEN 'paid'::text
            WHEN (c.credited_cents >= (i.gross_cents)::bigint) THEN 'corrected'::text
            WHEN (i.due_on < ((statement_timestamp() AT TIME ZONE o.time_zone))::date) THEN 'overdue'::text
            ELSE 'open'::text
        END AS status,
    ((i.issued_at AT TIME ZONE o.time_zone))::date AS issued_on
   FROM (((payments.invoices i
     JOIN organizations.organizations o ON ((o.id = i.organization_id)))
     LEFT JOIN payments.invoice_payments p ON ((p.invoice_id = i.id)))
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum((n.gross_cents)::bigint), (0)::numeric))::bigint AS credited_cents
           FROM payments.invoices n
          WHERE (n.corrects_id = i.id)) c);
COMMENT ON VIEW payments.invoice_states IS 'Invoices and credit notes with their open amounts and states.';
GRANT SELECT ON TABLE payments.invoice_states TO app_read, app_write;

CREATE VIEW payments.overdue_invoices WITH (security_invoker='true') AS
 SELECT i.id,
    i.organization_id,
    i.customer_id,
    i.number,
    i.open_cents,
    i.currency,
    i.due_on,
    (((statement_timestamp() AT TIME ZONE o.time_zone))::date - i.due_on) AS days_overdue
   FROM (payments.invoice_states i
     JOIN organizations.organizations o ON ((o.id = i.organization_id)))
  WHERE (i.status = 'overdue'::text)
  ORDER BY i.due_on, i.organization_id, i.number;
COMMENT ON VIEW payments.overdue_invoices IS 'Open invoices after their due date, the oldest first.';
GRANT SELECT ON TABLE payments.overdue_invoices TO app_read, app_write;

CREATE VIEW payments.statement_lines WITH (security_invoker='true') AS
 SELECT l.account_id,
    l.number,
    a.type,
    a.currency,
    t.id AS transaction_id,
    l.line,
    t.kind,
    t.reference_type,
    t.reference_id,
    t.description,
    t.occurred_at,
    t.recorded_at,
    t.reverses_id,
    (payments.normal_side(a.type) * l.amount_cents) AS amount_cents,
    (payments.normal_side(a.type) * l.balance_cents) AS balance_cents,
    l.is_sealed
   FROM ((( SELECT s.account_id,
            s.transaction_id,
            s.line,
            s.amount_cents,
            s.balance_cents,
            s."position" AS number,
            true AS is_sealed
           FROM payments.seals s
        UNION ALL
         SELECT u.account_id,
            u.transaction_id,
            u.line,
            u.amount_cents,
            (((COALESCE(h.balance_cents, (0)::bigint))::numeric + sum(u.amount_cents) OVER so_far))::bigint AS balance_cents,
            (COALESCE(h."position", (0)::bigint) + row_number() OVER so_far) AS number,
            false AS is_sealed
           FROM (payments.unsealed_entries u
             LEFT JOIN LATERAL ( SELECT s."position",
                    s.balance_cents
                   FROM payments.seals s
                  WHERE (s.account_id = u.account_id)
                  ORDER BY s."position" DESC
                 LIMIT 1) h ON (true))
          WINDOW so_far AS (PARTITION BY u.account_id ORDER BY u.recorded_at, u.transaction_id, u.line ROWS UNBOUNDED PRECEDING)) l
     JOIN payments.accounts a ON ((l.account_id = a.id)))
     JOIN payments.transactions t ON ((l.transaction_id = t.id)));
COMMENT ON VIEW payments.statement_lines IS 'The entries of each account in order, with the balance after each entry.';
GRANT SELECT ON TABLE payments.statement_lines TO app_read, app_write;

CREATE FUNCTION payments.account(
    owner_kind payments.owner_kind,
    owner_id uuid,
    type payments.account_type,
    currency character,
    organization_id uuid DEFAULT NULL::uuid
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.account IS 'Return the account of an owner by type and currency, and create a missing one.';
GRANT ALL ON FUNCTION payments.account TO service_role;

CREATE FUNCTION payments.account_movements(
    account_id uuid,
    begins_at timestamp with time zone,
    ends_at timestamp with time zone
) RETURNS TABLE(
    transaction_id uuid,
    kind text,
    reference_type text,
    reference_id uuid,
    recorded_at timestamp with time zone,
    amount_cents bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.account_movements IS 'Return the entries of an account that were recorded in a period.';

CREATE FUNCTION payments.add_till_movement(
    till payments.tills,
    kind text,
    method text,
    amount_cents bigint,
    subject_id uuid DEFAULT NULL::uuid,
    note text DEFAULT NULL::text,
    day date DEFAULT NULL::date
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.add_till_movement IS 'Record that money entered a till, or left it, and post it in the ledger.';

CREATE FUNCTION payments.apply_disputes(intent payments.intents, disputes jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_disputes IS 'Record the disputes of a payment as Stripe has them, and post them in the ledger.';

CREATE FUNCTION payments.apply_lost_dispute(intent_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_lost_dispute IS 'Count the money of lost disputes as refunds to the customer.';

CREATE FUNCTION payments.apply_new_entries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.apply_payment(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_payment IS 'Update a payment, its booking or purchase, its refunds and disputes to Stripe''s state.';
GRANT ALL ON FUNCTION payments.apply_payment TO service_role;

CREATE FUNCTION payments.apply_payout(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_payout IS 'Record a payout to a bank as Stripe has it, and report a failed one.';
GRANT ALL ON FUNCTION payments.apply_payout TO service_role;

CREATE FUNCTION payments.apply_refund(
    refund_id uuid,
    stripe_id text,
    stripe_status text,
    failure_reason text
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_refund IS 'Update one refund to the state that Stripe has, and post it in the ledger.';

CREATE FUNCTION payments.apply_refunds(intent payments.intents, refunds jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_refunds IS 'Update a payment''s refunds to Stripe''s state, and import those made directly at Stripe.';

CREATE FUNCTION payments.apply_transfer(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.apply_transfer IS 'Record a transfer to an organizer as Stripe has it, and post it in the ledger.';
GRANT ALL ON FUNCTION payments.apply_transfer TO service_role;

CREATE FUNCTION payments.attach_payout_account(organization_id uuid, stripe_account_id text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.attach_payout_account IS 'Record the account that Stripe created for an organization.';
GRANT ALL ON FUNCTION payments.attach_payout_account TO service_role;

CREATE FUNCTION payments.balance(
    account_id uuid,
    at timestamp with time zone DEFAULT NULL::timestamp with time zone
) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.balance IS 'Return the balance of an account in its normal sign, now or at a moment in the past.';
GRANT ALL ON FUNCTION payments.balance TO app_read, app_write;

CREATE FUNCTION payments.balance_before(account_id uuid, moment timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.balance_before IS 'Return the balance of an account just before a moment, or zero without an account.';

CREATE FUNCTION payments.buy_package(
    package_id uuid,
    payment_method events.payment_method,
    idempotency_key text,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.buy_package IS 'Start the purchase of a package by card or TWINT.';
GRANT ALL ON FUNCTION payments.buy_package TO authenticated, service_role;

CREATE FUNCTION payments.can_be_charged(amount_cents bigint, currency text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.can_be_charged IS 'Return whether Stripe charges an amount of a currency.';

CREATE FUNCTION payments.can_be_refunded(intent_id uuid, amount_cents bigint DEFAULT 0) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.can_be_refunded IS 'Return whether Stripe can refund an amount of a payment.';

CREATE FUNCTION payments.canonical_entry(
    entry payments.entries,
    transaction payments.transactions,
    account payments.accounts
) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION payments.canonical_entry IS 'Return the bytes of an entry that the hash chain of its account uses.';
GRANT ALL ON FUNCTION payments.canonical_entry TO app_read, app_write;

CREATE FUNCTION payments.change_intent_method(booking_id uuid, method events.payment_method) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.change_intent_method IS 'Record that a booking''s payment at Stripe is made by another of Stripe''s methods.';

CREATE FUNCTION payments.charge_fee(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.charge_fee IS 'Charge a booking''s fee: from the wallet if it covers the fee, otherwise as a debt.';

CREATE FUNCTION payments.charge_spent_grants(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.charge_spent_grants IS 'Record that customers owe the credits of a promo code that they spent beyond the refund.';

CREATE FUNCTION payments.check_refunds() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.check_transactions() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.claim_inbox(
    event text,
    lease_seconds integer DEFAULT 90,
    attempts_max integer DEFAULT 5,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(
    event_id text,
    account text,
    type text,
    created_at timestamp with time zone,
    payload json,
    attempts integer
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.claim_inbox IS 'Lease a Stripe event to a worker that processes it.';
GRANT ALL ON FUNCTION payments.claim_inbox TO service_role;

CREATE FUNCTION payments.claim_intents(
    most integer DEFAULT 100,
    lease_seconds integer DEFAULT 60
) RETURNS TABLE(
    intent_id uuid,
    action text,
    stripe_payment_intent_id text,
    amount_cents bigint,
    currency text,
    method text,
    metadata jsonb,
    idempotency_key text
)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.claim_intents IS 'Lease payments that the sweep must create, cancel or fetch at Stripe.';
GRANT ALL ON FUNCTION payments.claim_intents TO service_role;

CREATE FUNCTION payments.claim_refunds(
    most integer DEFAULT 100,
    lease_seconds integer DEFAULT 60
) RETURNS TABLE(
    refund_id uuid,
    stripe_payment_intent_id text,
    amount_cents bigint,
    currency text,
    idempotency_key text,
    reason text,
    look_first boolean
)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.claim_refunds IS 'Lease refunds that the sweep must send to Stripe.';
GRANT ALL ON FUNCTION payments.claim_refunds TO service_role;

CREATE FUNCTION payments.close_refunded_payment(intent payments.intents) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.close_refunded_payment IS 'Close a booking whose whole payment was refunded, and return whether it was closed.';

CREATE FUNCTION payments.close_till(
    organization_id uuid,
    counted_cents bigint,
    location_id uuid DEFAULT NULL::uuid,
    day date DEFAULT NULL::date,
    deposited_cents bigint DEFAULT 0,
    note text DEFAULT NULL::text,
    currency text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.close_till IS 'Close a day of a till with the cash that was counted, and store its report for good.';
GRANT ALL ON FUNCTION payments.close_till TO authenticated, service_role;

CREATE FUNCTION payments.complete_refund_by_dispute(refund_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.complete_refund_by_dispute IS 'Complete a refund whose money the customer received from their bank.';

CREATE FUNCTION payments.count_settlements(most integer DEFAULT 20000) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.count_settlements IS 'Add new seals of receivable accounts to payments.settlement_totals.';

CREATE FUNCTION payments.create_package(
    organization_id uuid,
    name text,
    kind payments.credit_kind,
    price_cents bigint,
    currency text,
    amount bigint,
    bonus bigint DEFAULT 0,
    valid_days integer DEFAULT NULL::integer,
    categories text[] DEFAULT NULL::text[]
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.create_package IS 'Create a package for sale: money for wallets, or a pass for classes.';
GRANT ALL ON FUNCTION payments.create_package TO authenticated, service_role;

CREATE FUNCTION payments.create_promo_code(
    organization_id uuid,
    code text,
    kind payments.promo_kind,
    percent_bps integer DEFAULT NULL::integer,
    amount_cents bigint DEFAULT NULL::bigint,
    currency text DEFAULT NULL::text,
    valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone,
    valid_until timestamp with time zone DEFAULT NULL::timestamp with time zone,
    uses_most integer DEFAULT NULL::integer,
    uses_most_per_customer integer DEFAULT NULL::integer
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.create_promo_code IS 'Create a promo code of an organization: a discount, or credits after the payment.';
GRANT ALL ON FUNCTION payments.create_promo_code TO authenticated, service_role;

CREATE FUNCTION payments.lot_answer(lot_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.lot_answer IS 'Return a lot of credits as the API shows it.';

CREATE FUNCTION payments.credit_payload(lot payments.credit_lots, bonus bigint) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.credit_payload IS 'Return credits as their messages store them: the lot, its cause and the bonus.';

CREATE FUNCTION payments.deduct_spent_grants(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.deduct_spent_grants IS 'Count spent credits of promo codes as paid by the unrefunded price of ended bookings.';

CREATE FUNCTION payments.difference_payload(difference payments.differences) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.difference_payload IS 'Return a difference between Stripe''s balance and the ledger as its message stores it.';

CREATE FUNCTION payments.dispute_cover(intent_id uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.dispute_cover IS 'Return the amount of lost disputes of a payment that no refund accounts for yet.';

CREATE FUNCTION payments.dispute_key(kind text, stripe_id text, number integer) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.dispute_key IS 'Return the key of a posting of a dispute.';

CREATE FUNCTION payments.dispute_payload(dispute payments.disputes, intent payments.intents) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.dispute_payload IS 'Return a dispute, with the booking or purchase of its payment, as its message stores it.';

CREATE FUNCTION payments.dispute_reversals(stripe_id text) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.dispute_reversals IS 'Return how many withdrawals of a dispute were reversed.';

CREATE FUNCTION payments.due_inbox(
    most integer DEFAULT 100,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.due_inbox IS 'Return the ids of Stripe events that wait for processing and have no message in the queue.';
GRANT ALL ON FUNCTION payments.due_inbox TO service_role;

CREATE FUNCTION payments.end_grants(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.end_grants IS 'End the credits that bookings'' promo codes granted, because the bookings ended or were refunded.';

CREATE FUNCTION payments.end_package(package_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.end_package IS 'End the sale of a package; sold ones stay valid.';
GRANT ALL ON FUNCTION payments.end_package TO authenticated, service_role;

CREATE FUNCTION payments.event_categories(event_id uuid) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.event_categories IS 'Return the slugs of an event''s category and of its parent category.';

CREATE FUNCTION payments.expire_cancelled_payment(intent payments.intents) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.expire_cancelled_payment IS 'Expire the booking or purchase of a payment that was cancelled at Stripe.';

CREATE FUNCTION payments.expire_credits(
    at timestamp with time zone DEFAULT statement_timestamp(),
    most integer DEFAULT 500
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.expire_credits IS 'Expire unused credits whose expiry date has passed.';
GRANT ALL ON FUNCTION payments.expire_credits TO service_role;

CREATE FUNCTION payments.expiry(organization_id uuid, days integer) RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.expiry IS 'Return when credits expire that are valid for a number of days from this moment.';

CREATE FUNCTION payments.fail_inbox(
    event_id text,
    error text,
    is_postponed boolean DEFAULT false,
    attempts_max integer DEFAULT 5,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.fail_inbox IS 'Record that a Stripe event failed, and park it after the last attempt.';
GRANT ALL ON FUNCTION payments.fail_inbox TO service_role;

CREATE FUNCTION payments.fee_returned(sale payments.sales, amount_cents bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.fee_returned IS 'Return the part of the platform''s share that is refunded with a part of a sale, in cents.';

CREATE FUNCTION payments.finish_inbox(
    event_id text,
    result jsonb,
    is_ignored boolean DEFAULT false,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.finish_inbox IS 'Mark a Stripe event as handled, or as ignored, with its result.';
GRANT ALL ON FUNCTION payments.finish_inbox TO service_role;

CREATE FUNCTION payments.forget_webhooks(
    most integer DEFAULT 5000,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.forget_webhooks IS 'Delete Stripe events that were handled long ago, by the rule of ops.retention.';
GRANT ALL ON FUNCTION payments.forget_webhooks TO service_role;

CREATE FUNCTION payments.freeze_credits(payment_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.freeze_credits IS 'Freeze the credits of a payment while a dispute holds it or its customer owes a part of it.';

CREATE FUNCTION payments.fulfil_payment(intent payments.intents) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.fulfil_payment IS 'Give a paid booking its seats or refund it, and give a paid package its credits.';

CREATE FUNCTION payments.fulfil_purchase(purchase_id uuid) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.fulfil_purchase IS 'Give a customer the credits of a paid purchase, once.';

CREATE FUNCTION payments.grant_credits(
    organization_id uuid,
    customer_id uuid,
    kind payments.credit_kind,
    amount bigint,
    idempotency_key text,
    currency text DEFAULT NULL::text,
    expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    categories text[] DEFAULT NULL::text[],
    note text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.grant_credits IS 'Give a customer credits at the organization''s expense: money in their wallet, or a pass.';
GRANT ALL ON FUNCTION payments.grant_credits TO authenticated, service_role;

CREATE FUNCTION payments.grant_money(
    organization_id uuid,
    customer_id uuid,
    amount_cents bigint,
    currency text,
    source payments.credit_source,
    idempotency_key text,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone,
    booking_id uuid DEFAULT NULL::uuid,
    purchase_id uuid DEFAULT NULL::uuid,
    note text DEFAULT NULL::text,
    lot_id uuid DEFAULT NULL::uuid
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.grant_money IS 'Add money to a customer''s wallet at an organization, at the organization''s expense.';

CREATE FUNCTION payments.grant_promo_credits(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.grant_promo_credits IS 'Add the credits of a booking''s promo code to the customer''s wallet after payment.';

CREATE FUNCTION payments.has_paid_sale(intent_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.has_paid_sale IS 'Return whether a payment at Stripe paid for the sale of its booking.';

CREATE FUNCTION payments.hash_link(hash bytea, entry bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payments.hash_link IS 'Return the hash of a chain after one more entry.';
GRANT ALL ON FUNCTION payments.hash_link TO app_read, app_write;

CREATE FUNCTION payments.idempotent_transaction(
    kind text,
    account_ids uuid[],
    amounts_cents bigint[],
    idempotency_key text,
    reference_type text,
    reference_id uuid,
    reverses_id uuid
) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.idempotent_transaction IS 'Return the transaction that was posted under a key, or refuse if it differs.';

CREATE FUNCTION payments.import_stripe_refund(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint,
    returned_cents bigint,
    has_failed boolean
) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.import_stripe_refund IS 'Record a refund that was made directly at Stripe, to the last cent.';

CREATE FUNCTION payments.inbox_figures(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.inbox_figures IS 'Return the age of the oldest Stripe event and the number of parked ones, for the health checks.';

CREATE FUNCTION payments.invoice_answer(invoice_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.invoice_answer IS 'Return an invoice or a credit note with its open amount, as the API does.';

CREATE FUNCTION payments.invoice_is_open(booking_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.invoice_is_open IS 'Return whether a booking''s invoice has an amount that is neither paid nor credited.';

CREATE FUNCTION payments.invoice_is_paid(booking_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.invoice_is_paid IS 'Return whether a booking''s invoice was paid, so that a refund returns money.';

CREATE FUNCTION payments.invoice_language(invoice_id uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.invoice_language IS 'Return the language of the customer of an invoice or credit note.';
GRANT ALL ON FUNCTION payments.invoice_language TO authenticated, service_role;

CREATE FUNCTION payments.invoice_payload(invoice_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.invoice_payload IS 'Return an invoice as its message stores it, without its parties and lines.';

CREATE FUNCTION payments.is_disputed(intent_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.is_disputed IS 'Return whether a dispute holds a payment, or took more of it than was refunded.';

CREATE FUNCTION payments.is_known_refund(intent_id uuid, stripe_id text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.is_known_refund IS 'Return whether a refund at Stripe is recorded here, under its present or a former id.';

CREATE FUNCTION payments.is_paid_at_desk(sale payments.sales) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.is_paid_at_desk IS 'Return whether the money of a sale, or of its invoice, entered a till.';

CREATE FUNCTION payments.is_withdrawn(intent_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.is_withdrawn IS 'Return whether an open dispute, neither won nor lost, holds a payment.';

CREATE FUNCTION payments.issue_credit_notes(refund_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.issue_credit_notes IS 'Issue a credit note for each refund of an invoiced sale.';

CREATE FUNCTION payments.issue_invoice(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.issue_invoice IS 'Issue the invoice of a booking that is paid by invoice, in the booking''s own transaction.';

CREATE FUNCTION payments.kept_list_cents(
    terms events.terms,
    customer_id uuid,
    seats integer,
    hold_id uuid DEFAULT NULL::uuid
) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.kept_list_cents IS 'Return the list price of seats for a customer who may hold some of them.';

CREATE FUNCTION payments.last_backfill_at(job text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.last_backfill_at IS 'Return when the last successful backfill of missed Stripe events started.';
GRANT ALL ON FUNCTION payments.last_backfill_at TO service_role;

CREATE FUNCTION payments.ledger_figures(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.ledger_figures IS 'Return the figures of the ledger for the health checks.';

CREATE FUNCTION payments.ledger_status(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.ledger_status IS 'Return whether the ledger is sound, unsound or unknown, for the service.';
GRANT ALL ON FUNCTION payments.ledger_status TO service_role;

CREATE FUNCTION payments.list_closings(
    organization_id uuid,
    location_id uuid DEFAULT NULL::uuid,
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS TABLE(id uuid, report jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.list_closings IS 'Return a page of the closed days of an organization''s tills, newest first.';
GRANT ALL ON FUNCTION payments.list_closings TO authenticated, service_role;

CREATE FUNCTION payments.lock_credit_payments(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.lock_credit_payments IS 'Lock the payments of bookings, and the payments of the credits that they used.';

CREATE FUNCTION payments.lock_promo_codes(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.lock_promo_codes IS 'Lock the promo codes of bookings, so that their uses can be released.';

CREATE FUNCTION payments.lock_till(
    organization_id uuid,
    location_id uuid,
    currency text,
    alone boolean DEFAULT false
) RETURNS payments.tills
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.lock_till IS 'Lock and return the till for a place: the location''s own, or else the organization''s.';

CREATE FUNCTION payments.lock_wallets(account_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.lock_wallets IS 'Lock wallets, so that nobody else changes their balances or lots.';

CREATE FUNCTION payments.match_stripe_refund(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint,
    returned_cents bigint
) RETURNS payments.refunds
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.match_stripe_refund IS 'Return the refund that somebody sent by hand at Stripe, or null if none matches.';

CREATE FUNCTION payments.movement_group(kind text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payments.movement_group IS 'Return whether a movement of a receivable account is a sale, credits, or a settlement.';

CREATE FUNCTION payments.next_invoice_number(organization_id uuid, several integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.next_invoice_number IS 'Reserve the next numbers of an organization''s series of invoices, and return the first.';

CREATE FUNCTION payments.normal_side(type payments.account_type) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payments.normal_side IS 'Return the sign of an account''s normal balance: 1 for debits, -1 for credits.';
GRANT ALL ON FUNCTION payments.normal_side TO app_read, app_write;

CREATE FUNCTION payments.notify_credits(lot_id uuid, more bigint DEFAULT 0) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.notify_credits IS 'Notify a customer of credits or a pass that they bought or were given.';

CREATE FUNCTION payments.open_balance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.open_till(
    organization_id uuid,
    location_id uuid DEFAULT NULL::uuid,
    currency text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.open_till IS 'Give a location of an organization its own till, and return the till.';
GRANT ALL ON FUNCTION payments.open_till TO authenticated, service_role;

CREATE FUNCTION payments.organizer_statement(
    organization_id uuid,
    first_day date,
    last_day date,
    currency text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.organizer_statement IS 'Return an organizer''s opening balance, movements and closing balance for days of its time zone.';
GRANT ALL ON FUNCTION payments.organizer_statement TO authenticated, service_role;

CREATE FUNCTION payments.organizer_statement_lines(
    organization_id uuid,
    first_day date,
    last_day date,
    currency text DEFAULT NULL::text
) RETURNS TABLE(
    transaction_id uuid,
    kind text,
    reference_type text,
    reference_id uuid,
    recorded_at timestamp with time zone,
    amount_cents bigint
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.organizer_statement_lines IS 'Return the single movements of an organizer''s statement, at most 100,000.';
GRANT ALL ON FUNCTION payments.organizer_statement_lines TO authenticated, service_role;

CREATE FUNCTION payments.owed_cents(payment_id uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.owed_cents IS 'Return the open debts that excess refunds of a booking or purchase left, in cents.';

CREATE FUNCTION payments.own_tax_rate(
    organization_id uuid,
    country text,
    category text,
    on_day date
) RETURNS TABLE(category text, rate_bps integer)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.own_tax_rate IS 'Return the tax rate that an organization has set for a category of events on a day.';

CREATE FUNCTION payments.package_fee(package payments.packages, quote payments.quotes) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.package_fee IS 'Return the platform''s share of a package, in cents.';

CREATE FUNCTION payments.pay_at_once(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.pay_at_once IS 'Pay a booking that waited for Stripe by its new method: a wallet, a pass, an invoice or money at the desk.';

CREATE FUNCTION payments.pay_fee_at_desk(
    fee_id uuid,
    method text,
    idempotency_key text,
    location_id uuid DEFAULT NULL::uuid,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.pay_fee_at_desk IS 'Take the money for an owed fee into a till.';
GRANT ALL ON FUNCTION payments.pay_fee_at_desk TO authenticated, service_role;

CREATE FUNCTION payments.pay_invoice_at_desk(
    invoice_id uuid,
    method text,
    idempotency_key text,
    location_id uuid DEFAULT NULL::uuid,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.pay_invoice_at_desk IS 'Take the money for an open invoice into a till.';
GRANT ALL ON FUNCTION payments.pay_invoice_at_desk TO authenticated, service_role;

CREATE FUNCTION payments.pay_out_credits(customer_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.pay_out_credits IS 'Pay out every wallet and pass of a person who is being erased, and return where the money went.';

CREATE FUNCTION payments.pay_out_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.pay_out_refund(
    refund_id uuid,
    idempotency_key text,
    location_id uuid DEFAULT NULL::uuid
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.pay_out_refund IS 'Pay a refund out of a till, by the method by which the money came.';
GRANT ALL ON FUNCTION payments.pay_out_refund TO authenticated, service_role;

CREATE FUNCTION payments.paying_leg(customer_id uuid, organization_id uuid, method events.payment_method) RETURNS jsonb
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION payments.paying_leg IS 'Return the customer''s account for a payment method, as a leg for payments.post_between_owners.';

CREATE FUNCTION payments.payment_answer(intent_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.payment_answer IS 'Return a payment through Stripe as its customer sees it.';

CREATE FUNCTION payments.payment_details(booking_id uuid, is_first_answer boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.payment_details IS 'Return the payment of a booking, for its customer and for staff.';
GRANT ALL ON FUNCTION payments.payment_details TO authenticated, service_role;

CREATE FUNCTION payments.payment_lots(payment_id uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.payment_lots IS 'Return the ids of the lots of credits that a payment bought, in order.';

CREATE FUNCTION payments.payment_methods(
    quote payments.quotes,
    event_id uuid DEFAULT NULL::uuid,
    seats integer DEFAULT NULL::integer
) RETURNS events.payment_method[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.payment_methods IS 'Return the methods that can pay a quote, for seats or for a package.';

CREATE FUNCTION payments.payout_account(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.payout_account IS 'Return an organization''s account at Stripe, as Stripe last described it.';
GRANT ALL ON FUNCTION payments.payout_account TO authenticated, service_role;

CREATE FUNCTION payments.payout_payload(payout payments.payouts) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.payout_payload IS 'Return a failed payout as its message stores it.';

CREATE FUNCTION payments.platform_fee(organization_id uuid, amount_cents bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.platform_fee IS 'Return the platform''s share of a sale, in cents.';

CREATE FUNCTION payments.post_balance_transaction(transaction payments.balance_transactions) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_balance_transaction IS 'Post a transaction that only Stripe''s balance shows: a payout to the bank, or a fee.';

CREATE FUNCTION payments.post_between_owners(
    kind text,
    currency text,
    legs jsonb,
    idempotency_key text,
    reference_type text,
    reference_id uuid
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_between_owners IS 'Post one transaction between accounts that are given by owner and type, and create missing ones.';

CREATE FUNCTION payments.post_invoice_payment(invoice payments.invoices, booking events.bookings) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_invoice_payment IS 'Post that the organization received the open amount of an invoice.';

CREATE FUNCTION payments.post_refund_by_dispute(refund payments.refunds) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_refund_by_dispute IS 'Post a refund that the customer received from their bank.';

CREATE FUNCTION payments.post_stripe_fee(
    intent payments.intents,
    balance_transaction_id text,
    fee_currency text
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_stripe_fee IS 'Post the fee that Stripe kept of a payment.';

CREATE FUNCTION payments.post_transaction(
    kind text,
    account_ids uuid[],
    amounts_cents bigint[],
    idempotency_key text,
    reference_type text DEFAULT NULL::text,
    reference_id uuid DEFAULT NULL::uuid,
    occurred_at timestamp with time zone DEFAULT NULL::timestamp with time zone,
    description text DEFAULT NULL::text,
    reverses_id uuid DEFAULT NULL::uuid
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_transaction IS 'Post a transaction between accounts, once per key, and return its id.';
GRANT ALL ON FUNCTION payments.post_transaction TO service_role;

CREATE FUNCTION payments.post_transactions(transactions jsonb) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_transactions IS 'Post many transactions, all or none; returns their ids in order. Idempotent per key.';
GRANT ALL ON FUNCTION payments.post_transactions TO service_role;

CREATE FUNCTION payments.post_unclaimed_balance(
    customer_id uuid,
    organization_id uuid,
    amount_cents bigint,
    currency text,
    idempotency_key text,
    reference_type text,
    reference_id uuid
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.post_unclaimed_balance IS 'Post a customer''s cash to the organization''s account of unclaimed balances.';

CREATE FUNCTION payments.purchase_answer(purchase_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.purchase_answer IS 'Return a purchase with its payment, as its customer sees it.';

CREATE FUNCTION payments.purchase_details(purchase_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.purchase_details IS 'Return a purchase with its payment, for its customer and for staff.';
GRANT ALL ON FUNCTION payments.purchase_details TO authenticated, service_role;

CREATE FUNCTION payments.purchase_first_answer(answer jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.purchase_first_answer IS 'Return the first response to a purchase, completed by Stripe''s response.';

CREATE FUNCTION payments.purchase_legs(
    purchase payments.purchases,
    paid_cents bigint,
    credits bigint,
    fee_cents bigint
) RETURNS jsonb
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION payments.purchase_legs IS 'Return the legs of a package''s sale for payments.post_between_owners.';

CREATE FUNCTION payments.quote(
    organization_id uuid,
    customer_id uuid,
    list_cents bigint,
    currency text,
    tax_country text,
    category text DEFAULT NULL::text,
    promo_code text DEFAULT NULL::text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS payments.quotes
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.quote IS 'Return the list price, discount, tax and total of a purchase, the same for every payment method.';

CREATE FUNCTION payments.quote_answer(quote payments.quotes) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.quote_answer IS 'Return a quote as the API shows it; price_cents is the amount to pay.';

CREATE FUNCTION payments.quote_package(package payments.packages, customer_id uuid) RETURNS payments.quotes
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.quote_package IS 'Return the price of a package, as payments.quote computes it.';

CREATE FUNCTION payments.quote_seats(
    terms events.terms,
    customer_id uuid,
    seats integer,
    promo_code text DEFAULT NULL::text,
    list_cents bigint DEFAULT NULL::bigint
) RETURNS payments.quotes
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.quote_seats IS 'Return the price of seats at an event for a customer, as payments.quote computes it.';

CREATE FUNCTION payments.read_till(
    organization_id uuid,
    location_id uuid DEFAULT NULL::uuid,
    day date DEFAULT NULL::date,
    currency text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.read_till IS 'Return the report of a till for a day: the stored one of a closed day, or the figures so far.';
GRANT ALL ON FUNCTION payments.read_till TO authenticated, service_role;

CREATE FUNCTION payments.receive_payment(intent payments.intents) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.receive_payment IS 'Post a payment that Stripe has received to the customer''s cash account.';

CREATE FUNCTION payments.receive_webhooks(
    events jsonb,
    caught_up boolean DEFAULT false,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(event_id text, is_new boolean, status text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.receive_webhooks IS 'Store Stripe events, each once, and return which are new.';
GRANT ALL ON FUNCTION payments.receive_webhooks TO service_role;

CREATE FUNCTION payments.reconcile(
    since timestamp with time zone DEFAULT NULL::timestamp with time zone,
    at timestamp with time zone DEFAULT statement_timestamp(),
    settled_after interval DEFAULT '03:00:00'::interval
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reconcile IS 'Compare Stripe''s balance with the clearing account by source, and record differences.';
GRANT ALL ON FUNCTION payments.reconcile TO service_role;

CREATE FUNCTION payments.record_excess_dispute(intent payments.intents, amount_cents bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_excess_dispute IS 'Record money that a lost dispute returned beyond the refundable amount.';

CREATE FUNCTION payments.record_excess_refund(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint
) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_excess_refund IS 'Record money that was refunded at Stripe beyond the refundable amount.';

CREATE FUNCTION payments.record_fee_payment(fee_id uuid, total_cents bigint DEFAULT NULL::bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_fee_payment IS 'Record that the organizer received an owed fee at the desk or by bank transfer.';
GRANT ALL ON FUNCTION payments.record_fee_payment TO authenticated, service_role;

CREATE FUNCTION payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_intent IS 'Record the ids that Stripe returned for a new payment.';
GRANT ALL ON FUNCTION payments.record_intent TO service_role;

CREATE FUNCTION payments.record_invoice_payment(invoice_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_invoice_payment IS 'Record that the organizer received the payment of an invoice by bank transfer.';
GRANT ALL ON FUNCTION payments.record_invoice_payment TO authenticated, service_role;

CREATE FUNCTION payments.record_payout_account(facts jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_payout_account IS 'Record the state of an organizer''s account at Stripe.';
GRANT ALL ON FUNCTION payments.record_payout_account TO service_role;

CREATE FUNCTION payments.record_refunds(results jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_refunds IS 'Record Stripe''s responses to refunds that were sent.';
GRANT ALL ON FUNCTION payments.record_refunds TO service_role;

CREATE FUNCTION payments.record_sale(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.record_sale IS 'Post the sale of a paid booking: the price to the organization, less the platform''s share.';

CREATE FUNCTION payments.recover_debt(payment_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.recover_debt IS 'Pay the debt of excess refunds with the customer''s credits from the same payment.';

CREATE FUNCTION payments.recover_returned_credits(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.recover_returned_credits IS 'Pay debts with the credits that bookings returned to frozen lots.';

CREATE FUNCTION payments.redact_stripe_event(payload json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION payments.redact_stripe_event IS 'Reduce a Stripe event to the members that processing needs, without personal data.';

CREATE FUNCTION payments.refund_debt_status(refund payments.refunds) RETURNS text
    LANGUAGE sql IMMUTABLE;
COMMENT ON FUNCTION payments.refund_debt_status IS 'Return the state of the debt that an excess refund left.';
GRANT ALL ON FUNCTION payments.refund_debt_status TO authenticated, service_role;

CREATE FUNCTION payments.refund_answer(refund payments.refunds) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.refund_answer IS 'Return a refund as the API shows it.';

CREATE FUNCTION payments.refund_booking(
    booking_id uuid,
    amount_cents bigint DEFAULT NULL::bigint,
    destination text DEFAULT 'original'::text,
    idempotency_key text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_booking IS 'Refund a part of a booking''s price, or all of the remaining amount, as staff decide.';
GRANT ALL ON FUNCTION payments.refund_booking TO authenticated, service_role;

CREATE FUNCTION payments.refund_bookings(
    booking_ids uuid[],
    cause text,
    destination text DEFAULT NULL::text,
    amounts_cents bigint[] DEFAULT NULL::bigint[]
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_bookings IS 'Refund the sales of bookings, in full or by given amounts, and return the number of refunds.';

CREATE FUNCTION payments.refund_key(refund payments.refunds) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_key IS 'Return the idempotency key of a refund at Stripe.';

CREATE FUNCTION payments.refund_late_payment(intent payments.intents) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_late_payment IS 'Refund a payment that arrived too late for its seats.';

CREATE FUNCTION payments.refund_lost_dispute(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_lost_dispute IS 'Count the money of a booking''s lost disputes as a refund of its sale.';

CREATE FUNCTION payments.refund_payload(refund payments.refunds) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.refund_payload IS 'Return a refund as its messages store it, without its reason.';

CREATE FUNCTION payments.refund_postings(refund_ids uuid[]) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_postings IS 'Return the ledger transactions of new refunds of sales, for payments.post_transactions.';

CREATE FUNCTION payments.refund_progress(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_progress IS 'Return the progress of an event''s refunds: their numbers and amounts by state.';
GRANT ALL ON FUNCTION payments.refund_progress TO authenticated, service_role;

CREATE FUNCTION payments.refund_purchase(purchase_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_purchase IS 'Refund the unused part of a package, and take back its credits.';
GRANT ALL ON FUNCTION payments.refund_purchase TO authenticated, service_role;

CREATE FUNCTION payments.refund_seats(
    booking_id uuid,
    cause text,
    destination text,
    amount_cents bigint,
    units integer
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refund_seats IS 'Refund a part of a booking''s price, and return units of its passes, for seats given back.';

CREATE FUNCTION payments.refundable_cents(intent payments.intents) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refundable_cents IS 'Return the amount of a payment''s sale or purchase that can still be refunded, in cents.';

CREATE FUNCTION payments.refundable_purchase_cents(purchase payments.purchases) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refundable_purchase_cents IS 'Return the price of a package''s unspent credits that is not refunded yet.';

CREATE FUNCTION payments.refundable_sale_cents(sale payments.sales) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refundable_sale_cents IS 'Return the amount of a booking''s sale that can be refunded, in cents.';

CREATE FUNCTION payments.refuse_entries(entries payments.entries[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refuse_entries IS 'Raise the first fault of entries that payments.apply_new_entries suspects.';

CREATE FUNCTION payments.refuse_insufficient_funds(account_id uuid, needed_cents bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refuse_insufficient_funds IS 'Raise that a guarded account has a lower balance than a posting needs.';

CREATE FUNCTION payments.refuse_intent(intent_id uuid, error jsonb, quiet boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.refuse_intent IS 'Record that Stripe refused for good to create a payment, and undo its booking or purchase.';
GRANT ALL ON FUNCTION payments.refuse_intent TO service_role;

CREATE FUNCTION payments.refuse_invoice_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';

CREATE FUNCTION payments.refuse_ledger_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.refuse_till_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';

CREATE FUNCTION payments.release_paid_code(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.release_paid_code IS 'Release the promo code of a booking whose debt of spent credits was paid.';

CREATE FUNCTION payments.release_promo_codes(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.release_promo_codes IS 'Release the promo codes of bookings that end without benefit.';

CREATE FUNCTION payments.reopen_refund(refund_id uuid, destination text DEFAULT 'original'::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reopen_refund IS 'Send a refund again that Stripe could not deliver, to the same payment or to the wallet.';
GRANT ALL ON FUNCTION payments.reopen_refund TO authenticated, service_role;

CREATE FUNCTION payments.replay_inbox(
    event_id text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.replay_inbox IS 'Process a Stripe event again, regardless of its status.';
GRANT ALL ON FUNCTION payments.replay_inbox TO authenticated, service_role;

CREATE FUNCTION payments.request_payment(booking_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.request_payment IS 'Create the payment that is requested from Stripe for a booking''s price.';

CREATE FUNCTION payments.require_cash(till payments.tills, amount_cents bigint) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_cash IS 'Refuse to take more cash from a till than it holds.';

CREATE FUNCTION payments.require_desk(
    organization_id uuid,
    location_id uuid DEFAULT NULL::uuid
) RETURNS organizations.organizations
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_desk IS 'Return an organization whose tills the caller may use, and check a location of it.';

CREATE FUNCTION payments.require_desk_key(key text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_desk_key IS 'Refuse a request that moves money through a till without an idempotency key.';

CREATE FUNCTION payments.require_desk_method(method text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_desk_method IS 'Refuse a payment method that the desk does not take.';

CREATE FUNCTION payments.require_fee(fee_id uuid) RETURNS payments.fees
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_fee IS 'Lock a fee for staff who may settle it: front desk, accountants, admins, owners.';

CREATE FUNCTION payments.require_method(
    quote payments.quotes,
    method events.payment_method,
    methods events.payment_method[]
) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_method IS 'Refuse a payment method that cannot pay for seats, with their price and the possible methods.';

CREATE FUNCTION payments.require_total(
    quote payments.quotes,
    total_cents bigint,
    methods events.payment_method[]
) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.require_total IS 'Refuse a purchase whose total is not the one that the customer saw.';

CREATE FUNCTION payments.restore_grants(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.restore_grants IS 'Grant the lapsed credits of a booking''s promo code again, because a lost dispute was won.';

CREATE FUNCTION payments.return_credits(refund_ids uuid[], by_organizer boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.return_credits IS 'Return refunds that go to wallets to the lots of credits.';

CREATE FUNCTION payments.return_disputed_package(purchase_id uuid, cents bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.return_disputed_package IS 'Take back credits of a package that the customer''s bank has refunded.';

CREATE FUNCTION payments.return_passes(booking_ids uuid[], units bigint[], by_organizer boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.return_passes IS 'Return units to the passes that bookings used, the last-expiring first.';

CREATE FUNCTION payments.return_purchase(
    purchase payments.purchases,
    cause text,
    by_stripe boolean DEFAULT true
) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.return_purchase IS 'Refund the unused part of a package, take back its credits, and return the cents.';

CREATE FUNCTION payments.return_to_lots(lot_ids uuid[], amounts bigint[], prolonged boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.return_to_lots IS 'Return amounts to the lots that they came from: money of wallets, or units of passes.';

CREATE FUNCTION payments.reuse_promo_code(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reuse_promo_code IS 'Use the released promo code of a booking again, and return whether that was possible.';

CREATE FUNCTION payments.revenue(
    organization_id uuid,
    begins_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone,
    ends_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone,
    currency text DEFAULT NULL::text
) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.revenue IS 'Return the revenue of an organization that was posted in a period.';
GRANT ALL ON FUNCTION payments.revenue TO app_read;

CREATE FUNCTION payments.reverse_debt_settlement(refund payments.refunds) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_debt_settlement IS 'Reverse the settlement of a customer''s debt, because the excess refund never arrived.';

CREATE FUNCTION payments.reverse_fee(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_fee IS 'Reverse the fee of a booking, because it is corrected or waived.';

CREATE FUNCTION payments.reverse_refund_by_dispute(refund payments.refunds, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_refund_by_dispute IS 'Reverse a refund or a debt through a dispute, because the bank''s money is no longer there.';

CREATE FUNCTION payments.reverse_refunded_sale(
    intent payments.intents,
    stripe_id text,
    amount_cents bigint
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_refunded_sale IS 'Reverse the part of a sale that was refunded directly at Stripe.';

CREATE FUNCTION payments.reverse_sales(
    booking_ids uuid[],
    cause text,
    destination text DEFAULT NULL::text,
    amounts_cents bigint[] DEFAULT NULL::bigint[]
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_sales IS 'Refund cancelled bookings, and stop payments that have not arrived.';

CREATE FUNCTION payments.reverse_transaction(
    transaction_id uuid,
    idempotency_key text,
    reason text DEFAULT NULL::text
) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.reverse_transaction IS 'Reverse a transaction by a new one that negates its entries and names it.';
GRANT ALL ON FUNCTION payments.reverse_transaction TO service_role;

CREATE FUNCTION payments.seal_entries(
    until timestamp with time zone DEFAULT (statement_timestamp() - '00:00:10'::interval),
    most integer DEFAULT 10000
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.seal_entries IS 'Append unsealed entries to the hash chains of their accounts.';
GRANT ALL ON FUNCTION payments.seal_entries TO service_role;

CREATE FUNCTION payments.sell_package(
    package_id uuid,
    customer_id uuid,
    method text,
    idempotency_key text,
    location_id uuid DEFAULT NULL::uuid,
    total_cents bigint DEFAULT NULL::bigint
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.sell_package IS 'Take the price of a package into a till, and grant the customer its credits.';
GRANT ALL ON FUNCTION payments.sell_package TO authenticated, service_role;

CREATE FUNCTION payments.settle_at_desk(
    kind text,
    subject_id uuid,
    organization_id uuid,
    location_id uuid,
    customer_id uuid,
    method text,
    amount_cents bigint,
    currency text
) RETURNS payments.tills
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.settle_at_desk IS 'Move money through a till, and settle it between the customer and the organization.';

CREATE FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.settle_debt IS 'Record that the debt of an excess refund was paid to the organizer, or write it off.';
GRANT ALL ON FUNCTION payments.settle_debt TO authenticated, service_role;

CREATE FUNCTION payments.settled_cents(account_id uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.settled_cents IS 'Return debits less credits of all settlements of a receivable account.';

CREATE FUNCTION payments.signed_balance(
    account_id uuid,
    at timestamp with time zone DEFAULT NULL::timestamp with time zone
) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.signed_balance IS 'Return debits less credits of an account, now or at a moment in the past.';
GRANT ALL ON FUNCTION payments.signed_balance TO app_read, app_write;

CREATE FUNCTION payments.spendable_cents(account_id uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.spendable_cents IS 'Return the money in a wallet that is neither expired nor frozen, in cents.';

CREATE FUNCTION payments.spending(
    customer_id uuid
) RETURNS TABLE(organization_id uuid, currency text, amount_cents bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.spending IS 'Return the money that a customer spent, by organization and currency.';

CREATE FUNCTION payments.spending_at(customer_id uuid, organization_id uuid, currency text) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.spending_at IS 'Return the money that a customer spent at an organization, in one currency.';
GRANT ALL ON FUNCTION payments.spending_at TO app_read;

CREATE FUNCTION payments.spent_grant_cents(booking_id uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.spent_grant_cents IS 'Return the spent cents of the credits that a booking''s promo code granted.';

CREATE FUNCTION payments.split_refund(refund_id uuid, amount_cents bigint, cause text) RETURNS payments.refunds
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.split_refund IS 'Divide a refund in two, and return the new one.';

CREATE FUNCTION payments.start_payment(booking_id uuid, quote payments.quotes) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.start_payment IS 'Start the payment of a new booking, by its method and for the quoted price.';

CREATE FUNCTION payments.start_payout_onboarding(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.start_payout_onboarding IS 'Return the data for an organization''s sign-up at Stripe, if the caller may start it.';
GRANT ALL ON FUNCTION payments.start_payout_onboarding TO authenticated, service_role;

CREATE FUNCTION payments.stop_intent(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.stop_intent IS 'Stop the payment at Stripe of a booking that was paid by another method.';

CREATE FUNCTION payments.stop_payments(booking_ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.stop_payments IS 'Make the open payments of bookings due, so that the sweep cancels them at Stripe now.';

CREATE FUNCTION payments.store_balance_transactions(transactions jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.store_balance_transactions IS 'Store Stripe''s balance transactions, and post those that nothing else reports.';
GRANT ALL ON FUNCTION payments.store_balance_transactions TO service_role;

CREATE FUNCTION payments.take_back_package(
    purchase_id uuid,
    cents bigint,
    posting_key text,
    whole boolean DEFAULT false
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.take_back_package IS 'Take back the credits of a package for a refund of `cents`, and post the refund.';

CREATE FUNCTION payments.takes_money(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.takes_money IS 'Return whether the caller may take and pay out money at an organization''s desk.';

CREATE FUNCTION payments.tax_rate(
    country text,
    category text,
    on_day date
) RETURNS TABLE(category text, rate_bps integer, is_added boolean)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.tax_rate IS 'Return the tax rate of a country for a category of events on a day, in basis points.';

CREATE FUNCTION payments.till_cash(till payments.tills) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.till_cash IS 'Return the cash in a till now, in cents.';

CREATE FUNCTION payments.till_day(till payments.tills) RETURNS date
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.till_day IS 'Return the day of a till''s report to which a movement counts now.';

CREATE FUNCTION payments.till_figures(till payments.tills, day date) RETURNS payments.till_closings
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.till_figures IS 'Return the report of a till''s open days up to a day, before they are closed.';

CREATE FUNCTION payments.till_report(till payments.tills, closing payments.till_closings) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION payments.till_report IS 'Return the report of a till, closed or open, as the API shows it.';

CREATE FUNCTION payments.transfer_cash(
    organization_id uuid,
    amount_cents bigint,
    idempotency_key text,
    note text,
    location_id uuid DEFAULT NULL::uuid,
    currency text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.transfer_cash IS 'Record that cash was put into a till as change, or taken out of it.';
GRANT ALL ON FUNCTION payments.transfer_cash TO authenticated, service_role;

CREATE FUNCTION payments.trial_balance(
    at timestamp with time zone DEFAULT NULL::timestamp with time zone
) RETURNS TABLE(currency character, type payments.account_type, amount_cents bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.trial_balance IS 'Return debits less credits by currency and type of account, now or at a moment in the past.';
GRANT ALL ON FUNCTION payments.trial_balance TO service_role;

CREATE FUNCTION payments.unspent_dispute_cents(intent payments.intents) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.unspent_dispute_cents IS 'Return the part of a payment''s open disputes that returns no spent money.';

CREATE FUNCTION payments.usable_passes(
    customer_id uuid,
    organization_id uuid,
    event_id uuid
) RETURNS SETOF payments.credit_lots
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.usable_passes IS 'Return a customer''s lots of passes that admit to an event.';

CREATE FUNCTION payments.use_passes(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.use_passes IS 'Pay for a booking with a customer''s passes: one unit per seat, first-expiring first.';

CREATE FUNCTION payments.use_promo_code(
    promo_code_id uuid,
    booking_id uuid,
    customer_id uuid,
    discount_cents bigint
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.use_promo_code IS 'Count one more use of a promo code, for a booking.';

CREATE FUNCTION payments.use_wallet(
    account_id uuid,
    booking_id uuid,
    amount_cents bigint,
    purpose text DEFAULT 'price'::text
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.use_wallet IS 'Take money from the lots of a wallet for a booking, first-expiring first.';

CREATE FUNCTION payments.valid_promo_code(
    organization_id uuid,
    code text,
    currency text,
    at timestamp with time zone
) RETURNS payments.promo_codes
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.valid_promo_code IS 'Return an organization''s promo code if it is valid at a time and for a currency.';

CREATE FUNCTION payments.verify_credits(
    most integer DEFAULT 1000
) RETURNS TABLE(finding text, account_id uuid, lot_id uuid, expected bigint, found bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.verify_credits IS 'Return wallets and lots that contradict their history; an empty result is healthy.';
GRANT ALL ON FUNCTION payments.verify_credits TO service_role;

CREATE FUNCTION payments.verify_ledger(
    since timestamp with time zone DEFAULT NULL::timestamp with time zone
) RETURNS TABLE(finding text, account_id uuid, transaction_id uuid, line smallint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.verify_ledger IS 'Check the whole ledger and return every finding; an empty result is a sound ledger.';
GRANT ALL ON FUNCTION payments.verify_ledger TO service_role;

CREATE FUNCTION payments.waive_fee(fee_id uuid, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION payments.waive_fee IS 'Waive a fee, as staff decide.';
GRANT ALL ON FUNCTION payments.waive_fee TO authenticated, service_role;

CREATE AGGREGATE payments.hash_chain(entry bytea) (
    SFUNC = payments.hash_link,
    STYPE = bytea,
    INITCOND = ''
);
COMMENT ON AGGREGATE payments.hash_chain IS 'Compute the hash of a chain of entries, given as bytes in their order.';
GRANT ALL ON FUNCTION payments.hash_chain TO app_read, app_write;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO app_read, app_write;

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    topic character varying(100) NOT NULL,
    key character varying(200) NOT NULL,
    payload jsonb NOT NULL,
    correlation_id text DEFAULT ((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'correlation_id'::text),
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    available_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    relayed_at timestamp with time zone,
    parked_at timestamp with time zone
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');
ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE public.outbox IS 'Messages to send. Relayed in order per key, at least once. A row that keeps failing is parked, and later rows continue.';
COMMENT ON COLUMN public.outbox.key IS 'The subject of the message. Messages with the same key are relayed in order.';
COMMENT ON COLUMN public.outbox.lease_until IS 'The end of a relay''s lease. Afterwards another relay may claim the message.';
COMMENT ON COLUMN public.outbox.attempts IS 'How often sending failed. The message is parked after five failures.';
ALTER TABLE ONLY public.outbox ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
CREATE INDEX outbox_parked ON public.outbox USING btree (id) WHERE (parked_at IS NOT NULL);
CREATE INDEX outbox_to_relay ON public.outbox USING btree (id) WHERE ((relayed_at IS NULL) AND (parked_at IS NULL));
ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON public.outbox TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE public.outbox TO app_write;

CREATE VIEW public.active_alerts WITH (security_invoker='true') AS
 SELECT id,
    rule AS rule_name,
    severity,
    metric AS metric_name,
    value AS current_value,
    threshold AS threshold_value,
    fired_at AS triggered_at,
    (statement_timestamp() - fired_at) AS duration
   FROM ops.active_alerts a;
COMMENT ON VIEW public.active_alerts IS 'Alerts that have fired and are not resolved. See ops.active_alerts.';
GRANT SELECT ON TABLE public.active_alerts TO app_write;

CREATE VIEW public.class_events WITH (security_invoker='true') AS
 SELECT e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.starts_at AS start_at,
    e.ends_at AS end_at,
    e.time_zone AS timezone,
    e.price_cents,
    e.currency,
    e.status,
    e.visibility,
    e.location_id,
    e.instructor_id,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS reg_count,
    (i.waitlisted)::integer AS waitlist_count,
    e.created_at,
    e.updated_at
   FROM (events.events e
     JOIN events.inventory i ON ((e.id = i.event_id)));
COMMENT ON VIEW public.class_events IS 'events.events with their seats under the earlier name. Always current.';
GRANT SELECT ON TABLE public.class_events TO app_read;

CREATE VIEW public.class_series WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    title,
    description,
    category,
    recurrence AS recurrence_rule,
    local_start_time AS start_time,
    time_zone AS timezone,
    start_date,
    end_date,
    duration_minutes,
    capacity,
    price_cents,
    currency,
    location_id,
    instructor_id,
    policy_id,
    status,
    created_at,
    updated_at
   FROM events.series s;
COMMENT ON VIEW public.class_series IS 'events.series under the earlier name. Always current.';
GRANT SELECT ON TABLE public.class_series TO app_read;

CREATE VIEW public.customer_dashboard_mv AS
SELECT
    NULL::uuid AS customer_id,
    NULL::uuid AS organization_id,
    NULL::text AS organization_name,
    NULL::text AS time_zone,
    NULL::bigint AS total_bookings,
    NULL::bigint AS pending_bookings,
    NULL::bigint AS confirmed_bookings,
    NULL::bigint AS cancelled_bookings,
    NULL::bigint AS refunded_bookings,
    NULL::bigint AS attended_bookings,
    NULL::bigint AS no_show_bookings,
    NULL::bigint AS expired_bookings,
    NULL::bigint AS upcoming_bookings,
    NULL::timestamp with time zone AS next_event_at,
    NULL::timestamp with time zone AS last_booking_at,
    NULL::bigint AS total_spent_cents,
    NULL::character(3) AS currency,
    NULL::bigint AS waitlist_places;
CREATE OR REPLACE VIEW public.customer_dashboard_mv WITH (security_invoker='true') AS
 SELECT d.customer_id,
    d.organization_id,
    o.name AS organization_name,
    o.time_zone,
    count(d.booking) AS total_bookings,
    count(*) FILTER (WHERE (d.booking = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status]))) AS pending_bookings,
    count(*) FILTER (WHERE (d.booking = 'confirmed'::events.booking_status)) AS confirmed_bookings,
    count(*) FILTER (WHERE (d.booking = 'cancelled'::events.booking_status)) AS cancelled_bookings,
    count(*) FILTER (WHERE (d.booking = 'refunded'::events.booking_status)) AS refunded_bookings,
    count(*) FILTER (WHERE (d.booking = 'attended'::events.booking_status)) AS attended_bookings,
    count(*) FILTER (WHERE (d.booking = 'no_show'::events.booking_status)) AS no_show_bookings,
    count(*) FILTER (WHERE (d.booking = 'expired'::events.booking_status)) AS expired_bookings,
    count(*) FILTER (WHERE ((d.booking = 'confirmed'::events.booking_status) AND (d.starts_at > statement_timestamp()))) AS upcoming_bookings,
    min(d.starts_at) FILTER (WHERE ((d.booking = 'confirmed'::events.booking_status) AND (d.starts_at > statement_timestamp()))) AS next_event_at,
    max(d.created_at) FILTER (WHERE (d.booking IS NOT NULL)) AS last_booking_at,
    payments.spending_at(d.customer_id, d.organization_id, (o.currency)::text) AS total_spent_cents,
    o.currency,
    count(*) FILTER (WHERE (d.wait = ANY (ARRAY['waiting'::events.waitlist_status, 'offered'::events.waitlist_status]))) AS waitlist_places
   FROM (( SELECT b.customer_id,
            b.organization_id,
            b.status AS booking,
            NULL::events.waitlist_status AS wait,
            t.starts_at,
            b.created_at
           FROM (events.bookings b
             LEFT JOIN events.terms t ON ((t.event_id = b.event_id)))
        UNION ALL
         SELECT w.customer_id,
            t.organization_id,
            NULL::events.booking_status AS booking,
            w.status AS wait,
            t.starts_at,
            w.joined_at AS created_at
           FROM (events.waitlist_entries w
             JOIN events.terms t ON ((t.event_id = w.event_id)))
        UNION ALL
         SELECT p.customer_id,
            p.organization_id,
            NULL::events.booking_status AS booking,
            NULL::events.waitlist_status AS wait,
            NULL::timestamp with time zone AS starts_at,
            p.created_at
           FROM payments.purchases p) d
     JOIN organizations.organizations o ON ((o.id = d.organization_id)))
  GROUP BY d.customer_id, d.organization_id, o.id;
COMMENT ON VIEW public.customer_dashboard_mv IS 'Bookings, spending and waitlist entries of customers, by organization.';
GRANT SELECT ON TABLE public.customer_dashboard_mv TO app_read;

CREATE VIEW public.event_search_mv WITH (security_invoker='true') AS
 SELECT e.id AS event_id,
    e.series_id,
    e.organization_id,
    o.name AS organization_name,
    e.title,
    e.description,
    e.category,
    e.starts_at AS start_at,
    e.ends_at AS end_at,
    e.time_zone AS timezone,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, (c.decimal_places)::integer) AS price_tier,
    e.location_id,
    l.name AS location_name,
    l.city,
    l.country,
    e.instructor_id,
    p.name AS instructor_name,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS reg_count,
    events.seats_left(i.*) AS available_spots,
    events.availability_v2((i.capacity)::integer, events.seats_left(i.*)) AS availability_status,
    e.search AS search_vector
   FROM (((((events.events e
     JOIN events.inventory i ON ((e.id = i.event_id)))
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     JOIN ref.currencies c ON ((e.currency = c.code)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)))
  WHERE ((e.visibility = 'public'::events.visibility) AND (e.status = 'scheduled'::events.event_status));
COMMENT ON VIEW public.event_search_mv IS 'Public scheduled events for the searches of the earlier system. Always current.';
GRANT SELECT ON TABLE public.event_search_mv TO app_read;

CREATE VIEW public.event_waitlists WITH (security_invoker='true') AS
 SELECT id,
    event_id,
    customer_id,
    seats,
    place AS "position",
    status,
    offered_at AS promoted_at,
    offer_expires_at AS expires_at,
    joined_at AS created_at
   FROM events.waitlist_entries w;
COMMENT ON VIEW public.event_waitlists IS 'events.waitlist_entries under the earlier name. Always current.';
GRANT SELECT ON TABLE public.event_waitlists TO app_read;

CREATE VIEW public.events WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    series_id,
    title,
    description,
    category,
    starts_at,
    ends_at,
    time_zone AS timezone,
    price_cents,
    currency,
    status,
    visibility,
    location_id,
    instructor_id,
    created_at,
    updated_at
   FROM events.events e;
COMMENT ON VIEW public.events IS 'events.events under the earlier name. Always current.';
GRANT SELECT ON TABLE public.events TO app_read;

CREATE VIEW public.health_checks WITH (security_invoker='true') AS
 SELECT name AS check_name,
    status,
    value,
    unit,
    details,
    checked_at
   FROM ops.health_checks c
  WHERE (value IS NOT NULL);
COMMENT ON VIEW public.health_checks IS 'The state of every health check. See ops.health_checks.';
GRANT SELECT ON TABLE public.health_checks TO app_write;

CREATE VIEW public.instructor_schedule_mv WITH (security_invoker='true') AS
 SELECT e.instructor_id,
    p.name AS instructor_name,
    e.organization_id,
    e.id AS event_id,
    e.series_id,
    e.title,
    e.status,
    e.starts_at,
    e.ends_at,
    (e.starts_at AT TIME ZONE e.time_zone) AS local_start,
    (e.ends_at AT TIME ZONE e.time_zone) AS local_end,
    e.time_zone,
    l.name AS location_name,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS seats_taken,
    (i.held)::integer AS seats_held,
    (i.waitlisted)::integer AS waitlisted,
    round(((100.0 * (i.taken)::numeric) / (NULLIF((i.capacity)::integer, 0))::numeric), 1) AS utilization_percent,
    ( SELECT (COALESCE(sum((b.seats)::smallint), (0)::bigint))::integer AS "coalesce"
           FROM events.bookings b
          WHERE ((b.event_id = e.id) AND (b.status = 'attended'::events.booking_status))) AS attended
   FROM (((events.events e
     JOIN events.inventory i ON ((i.event_id = e.id)))
     JOIN organizations.instructors p ON ((p.id = e.instructor_id)))
     LEFT JOIN organizations.locations l ON ((l.id = e.location_id)));
COMMENT ON VIEW public.instructor_schedule_mv IS 'Events by instructor, with their seats and utilization.';
GRANT SELECT ON TABLE public.instructor_schedule_mv TO app_read;

CREATE VIEW public.org_analytics_mv WITH (security_invoker='true') AS
 SELECT o.id AS organization_id,
    o.name AS organization_name,
    o.time_zone,
    o.currency,
    e.total_events,
    e.upcoming_events,
    e.draft_events,
    e.scheduled_events,
    e.cancelled_events,
    e.completed_events,
    b.total_bookings,
    b.pending_bookings,
    b.confirmed_bookings,
    b.cancelled_bookings,
    b.refunded_bookings,
    b.attended_bookings,
    b.no_show_bookings,
    b.expired_bookings,
    e.seats_offered,
    e.seats_taken,
    e.utilization_percent,
    payments.revenue(o.id, begins_at => d.week_at) AS revenue_7_days_cents,
    payments.revenue(o.id, begins_at => d.month_at) AS revenue_30_days_cents,
    payments.revenue(o.id) AS revenue_total_cents,
    b.unique_customers,
    b.active_customers,
    w.waitlist_waiting,
    w.waitlist_offered,
    w.waitlist_accepted,
    w.waitlist_total
   FROM ((((organizations.organizations o
     CROSS JOIN LATERAL ( SELECT (((t.today - 6))::timestamp without time zone AT TIME ZONE o.time_zone) AS week_at,
            (((t.today - 29))::timestamp without time zone AT TIME ZONE o.time_zone) AS month_at
           FROM ( SELECT ((statement_timestamp() AT TIME ZONE o.time_zone))::date AS today) t) d)
     CROSS JOIN LATERAL ( SELECT count(*) AS total_events,
            count(*) FILTER (WHERE ((t.status = 'scheduled'::events.event_status) AND (t.starts_at > statement_timestamp()))) AS upcoming_events,
            count(*) FILTER (WHERE (t.status = 'draft'::events.event_status)) AS draft_events,
            count(*) FILTER (WHERE (t.status = 'scheduled'::events.event_status)) AS scheduled_events,
            count(*) FILTER (WHERE (t.status = 'cancelled'::events.event_status)) AS cancelled_events,
            count(*) FILTER (WHERE (t.status = 'completed'::events.event_status)) AS completed_events,
            COALESCE(sum((i.capacity)::integer) FILTER (WHERE (t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status]))), (0)::bigint) AS seats_offered,
            COALESCE(sum((i.taken)::integer) FILTER (WHERE (t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status]))), (0)::bigint) AS seats_taken,
            round(((100.0 * (sum((i.taken)::integer) FILTER (WHERE ((t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status])) AND ((i.capacity)::integer > 0))))::numeric) / (NULLIF(sum((i.capacity)::integer) FILTER (WHERE ((t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status])) AND ((i.capacity)::integer > 0))), 0))::numeric), 1) AS utilization_percent
           FROM (events.terms t
             JOIN events.inventory i ON ((i.event_id = t.event_id)))
          WHERE (t.organization_id = o.id)) e)
     CROSS JOIN LATERAL ( SELECT count(*) AS total_bookings,
            count(*) FILTER (WHERE (b_1.status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status]))) AS pending_bookings,
            count(*) FILTER (WHERE (b_1.status = 'confirmed'::events.booking_status)) AS confirmed_bookings,
            count(*) FILTER (WHERE (b_1.status = 'cancelled'::events.booking_status)) AS cancelled_bookings,
            count(*) FILTER (WHERE (b_1.status = 'refunded'::events.booking_status)) AS refunded_bookings,
            count(*) FILTER (WHERE (b_1.status = 'attended'::events.booking_status)) AS attended_bookings,
            count(*) FILTER (WHERE (b_1.status = 'no_show'::events.booking_status)) AS no_show_bookings,
            count(*) FILTER (WHERE (b_1.status = 'expired'::events.booking_status)) AS expired_bookings,
            count(DISTINCT b_1.customer_id) FILTER (WHERE (b_1.status <> 'expired'::events.booking_status)) AS unique_customers,
            count(DISTINCT b_1.customer_id) FILTER (WHERE ((b_1.status <> 'expired'::events.booking_status) AND (b_1.created_at >= d.month_at))) AS active_customers
           FROM (events.terms t
             JOIN events.bookings b_1 ON ((b_1.event_id = t.event_id)))
          WHERE (t.organization_id = o.id)) b)
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (w_1.status = 'waiting'::events.waitlist_status)) AS waitlist_waiting,
            count(*) FILTER (WHERE (w_1.status = 'offered'::events.waitlist_status)) AS waitlist_offered,
            count(*) FILTER (WHERE (w_1.status = 'accepted'::events.waitlist_status)) AS waitlist_accepted,
            count(*) AS waitlist_total
           FROM (events.waitlist_entries w_1
             JOIN events.terms t ON ((t.event_id = w_1.event_id)))
          WHERE (t.organization_id = o.id)) w);
COMMENT ON VIEW public.org_analytics_mv IS 'Figures of organizations: events, bookings, utilization, revenue, customers, waitlists.';
GRANT SELECT ON TABLE public.org_analytics_mv TO app_read;

CREATE VIEW public.performance_metrics WITH (security_invoker='true') AS
 SELECT name AS metric_name,
    value AS metric_value,
    unit AS metric_unit,
    tags,
    recorded_at
   FROM ops.performance_metrics m;
COMMENT ON VIEW public.performance_metrics IS 'Measurements. See ops.performance_metrics.';
GRANT SELECT ON TABLE public.performance_metrics TO app_write;

CREATE VIEW public.registrations WITH (security_invoker='true') AS
 SELECT id,
    event_id,
    organization_id,
    customer_id,
    seats,
    status,
    payment_method,
    price_cents,
    currency,
    created_at AS booked_at,
    cancelled_at,
    status_reason AS cancellation_reason
   FROM events.bookings b;
COMMENT ON VIEW public.registrations IS 'events.bookings under the earlier name. Always current.';
GRANT SELECT ON TABLE public.registrations TO app_read;

CREATE FUNCTION public.create_event(
    title text,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    capacity integer DEFAULT NULL::integer,
    price_cents bigint DEFAULT 0,
    description text DEFAULT NULL::text,
    organization_id uuid DEFAULT NULL::uuid
) RETURNS uuid
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.create_event IS 'Create a single event, under the name that clients of the earlier system call.';
GRANT ALL ON FUNCTION public.create_event TO authenticated, service_role;

CREATE FUNCTION public.current_org_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.current_org_id IS 'Return the organization that the caller acts for, as the token claims it.';
GRANT ALL ON FUNCTION public.current_org_id TO app_read, app_write;

CREATE FUNCTION public.get_booking_performance_summary() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.get_booking_performance_summary IS 'Return the result of ops.get_booking_performance_summary, under the earlier system''s name.';
GRANT ALL ON FUNCTION public.get_booking_performance_summary TO service_role;

CREATE FUNCTION public.get_cron_job_history(
    hours_back integer DEFAULT 24
) RETURNS TABLE(
    jobname text,
    start_time timestamp with time zone,
    end_time timestamp with time zone,
    status text,
    return_message text
)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.get_cron_job_history IS 'Return the runs of scheduled jobs in the last hours, newest first, at most a thousand.';
GRANT ALL ON FUNCTION public.get_cron_job_history TO service_role;

CREATE FUNCTION public.get_cron_job_status() RETURNS TABLE(
    jobname text,
    last_run timestamp with time zone,
    last_success timestamp with time zone,
    last_error text,
    active boolean
)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.get_cron_job_status IS 'Return the state of each scheduled job from ops.job_states, under the earlier system''s name.';
GRANT ALL ON FUNCTION public.get_cron_job_status TO service_role;

CREATE FUNCTION public.get_system_health_summary() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.get_system_health_summary IS 'Return the result of ops.get_system_health_summary, under the earlier system''s name.';
GRANT ALL ON FUNCTION public.get_system_health_summary TO service_role;

CREATE FUNCTION public.migrate_class_instances_to_events() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.migrate_class_instances_to_events IS 'Convert the exports in staging: templates, instances, registrations, waitlists.';
GRANT ALL ON FUNCTION public.migrate_class_instances_to_events TO service_role;

CREATE FUNCTION public.user_orgs() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION public.user_orgs IS 'Return the organizations that the caller is a member of.';
GRANT ALL ON FUNCTION public.user_orgs TO app_read, app_write;

CREATE SCHEMA rating;
GRANT USAGE ON SCHEMA rating TO app_read, app_write;

CREATE TYPE rating.event_kind AS ENUM (
    'vote',
    'slider',
    'fire'
);

CREATE TYPE rating.ingestion AS (
	number integer,
	organization_id uuid,
	caller_id uuid,
	is_service boolean,
	events json
);
COMMENT ON TYPE rating.ingestion IS 'A request of rating events: organization, caller and an array of the events as received. Internal.';

CREATE TYPE rating.model AS ENUM (
    'bayes',
    'elo'
);

CREATE TYPE rating.outcome AS (
	number integer,
	place integer,
	organization_id uuid,
	key text,
	content bigint,
	status text,
	code text,
	detail text,
	event_id bigint
);
COMMENT ON TYPE rating.outcome IS 'The result of one event of a request. A null status means that its key was already known. Internal.';

CREATE TYPE rating.vote_kind AS ENUM (
    'normal',
    'super'
);

CREATE DOMAIN rating.client_id AS text
	CONSTRAINT id_is_1_to_128_long CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 128)));

CREATE TABLE rating.settings (
    organization_id uuid NOT NULL,
    model rating.model DEFAULT 'bayes'::rating.model NOT NULL,
    public boolean DEFAULT true NOT NULL,
    rating_weight double precision DEFAULT 0.40 NOT NULL,
    slider_weight double precision DEFAULT 0.30 NOT NULL,
    fire_weight double precision DEFAULT 0.30 NOT NULL,
    votes_least integer DEFAULT 5 NOT NULL,
    opponents_least integer DEFAULT 3 NOT NULL,
    sliders_least integer DEFAULT 2 NOT NULL,
    slider_voters_least integer DEFAULT 2 NOT NULL,
    score_step double precision DEFAULT 0.5 NOT NULL,
    confidence_step double precision DEFAULT 5 NOT NULL,
    deviation_step double precision DEFAULT 2 NOT NULL,
    tiers double precision[] DEFAULT '{20,30,40,50,60,70,80}'::double precision[] NOT NULL,
    pause_seconds integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone,
    period_seconds integer DEFAULT 60 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    events_per_voter_and_day integer DEFAULT 2000 NOT NULL,
    CONSTRAINT events_per_day_are_sensible CHECK (((events_per_voter_and_day >= 1) AND (events_per_voter_and_day <= 10000000))),
    CONSTRAINT least_can_be_counted CHECK ((((votes_least >= 0) AND (votes_least <= 1000)) AND ((opponents_least >= 0) AND (opponents_least <= 20)) AND ((sliders_least >= 0) AND (sliders_least <= 1000)) AND ((slider_voters_least >= 0) AND (slider_voters_least <= 20)))),
    CONSTRAINT pause_is_up_to_a_day CHECK (((pause_seconds >= 0) AND (pause_seconds <= 86400))),
    CONSTRAINT period_is_up_to_a_day CHECK (((period_seconds >= 1) AND (period_seconds <= 86400))),
    CONSTRAINT steps_are_not_negative CHECK ((((score_step >= (0)::double precision) AND (score_step <= (100)::double precision)) AND ((confidence_step >= (0)::double precision) AND (confidence_step <= (100)::double precision)) AND ((deviation_step >= (0)::double precision) AND (deviation_step <= (1000)::double precision)))),
    CONSTRAINT tiers_are_few CHECK (((cardinality(tiers) <= 100) AND (array_position(tiers, NULL::double precision) IS NULL))),
    CONSTRAINT weights_are_shares CHECK ((((rating_weight >= (0)::double precision) AND (rating_weight <= (1)::double precision)) AND ((slider_weight >= (0)::double precision) AND (slider_weight <= (1)::double precision)) AND ((fire_weight >= (0)::double precision) AND (fire_weight <= (1)::double precision)) AND (abs((((rating_weight + slider_weight) + fire_weight) - (1)::double precision)) < (0.000000001)::double precision)))
);
COMMENT ON TABLE rating.settings IS 'How an organization''s items are rated and published. Without a row, the columns'' defaults apply.';
COMMENT ON COLUMN rating.settings.public IS 'Anyone may read scores, and any known person may rate existing items.';
COMMENT ON COLUMN rating.settings.votes_least IS 'The minimum number of votes before an item is published. Opponents, sliders and slider voters have minimums too.';
COMMENT ON COLUMN rating.settings.score_step IS 'A published score is renewed after a change of at least this size. Confidence and deviation have steps too.';
COMMENT ON COLUMN rating.settings.tiers IS 'A score that crosses one of these values is published, even after a small change.';
COMMENT ON COLUMN rating.settings.pause_seconds IS 'The minimum time between two publications of an item.';
COMMENT ON COLUMN rating.settings.paused_until IS 'Nothing is published before this time. Delayed scores are published then.';
COMMENT ON COLUMN rating.settings.period_seconds IS 'All batches within this time count against the ratings before it. See rating.populations.period.';
COMMENT ON COLUMN rating.settings.events_per_voter_and_day IS 'The maximum number of rating events that one voter may send in a day (UTC). Events of the service do not count.';
ALTER TABLE ONLY rating.settings ADD CONSTRAINT settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY rating.settings
    ADD CONSTRAINT settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE rating.settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.settings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON rating.settings FOR SELECT TO anon, authenticated USING (public);
CREATE POLICY service ON rating.settings TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.settings TO app_read;

CREATE TABLE rating.calibrations (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    began_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    items bigint NOT NULL,
    votes bigint NOT NULL,
    applied bigint NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    mean_difference double precision NOT NULL,
    largest_difference double precision NOT NULL,
    model rating.model DEFAULT 'bayes'::rating.model NOT NULL,
    voters bigint DEFAULT 0 NOT NULL,
    votes_left_out bigint DEFAULT 0 NOT NULL,
    touched bigint DEFAULT 0 NOT NULL,
    incomplete bigint DEFAULT 0 NOT NULL
);
ALTER TABLE rating.calibrations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rating.calibrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE rating.calibrations IS 'The nightly fits of all votes, with the distance of the running ratings from each fit.';
COMMENT ON COLUMN rating.calibrations.applied IS 'Items that adopted the fit. Items with new votes since then wait for the next fit.';
COMMENT ON COLUMN rating.calibrations.before IS 'The estimates of the population before the calibration. Column after has the later ones.';
COMMENT ON COLUMN rating.calibrations.votes_left_out IS 'The approximate number of counted votes that the fit did not read.';
COMMENT ON COLUMN rating.calibrations.touched IS 'Items that did not adopt the fit because they received votes while it ran.';
COMMENT ON COLUMN rating.calibrations.incomplete IS 'Items that counted votes which the fit did not see: archived, beyond its bound, or uncounted by the opponent.';
ALTER TABLE ONLY rating.calibrations ADD CONSTRAINT calibrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY rating.calibrations
    ADD CONSTRAINT calibrations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX calibrations_of_organization ON rating.calibrations USING btree (organization_id, id);
ALTER TABLE rating.calibrations ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.calibrations TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.calibrations TO app_write;

CREATE TABLE rating.dirty_items (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    generation bigint DEFAULT nextval('rating.generations'::regclass) NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    CONSTRAINT priority_is_0_to_100 CHECK (((priority >= 0) AND (priority <= 100)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05');
COMMENT ON TABLE rating.dirty_items IS 'Items that must be counted or published.';
COMMENT ON COLUMN rating.dirty_items.generation IS 'A new number with each mark, never reused, so that a mark during processing is not lost.';
COMMENT ON COLUMN rating.dirty_items.marked_at IS 'When the item started to wait.';
COMMENT ON COLUMN rating.dirty_items.available_at IS 'Items are claimed in this order, after this time. Each point of priority counts as twenty seconds of waiting.';
ALTER TABLE ONLY rating.dirty_items ADD CONSTRAINT dirty_items_pkey PRIMARY KEY (organization_id, item_id);
CREATE INDEX dirty_items_in_turn ON rating.dirty_items USING btree (available_at);
ALTER TABLE rating.dirty_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.dirty_items TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.dirty_items TO app_write;

CREATE TABLE rating.event_keys (
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    content bigint NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);
COMMENT ON TABLE rating.event_keys IS 'Keys of accepted events, so that a resent event is not counted again.';
COMMENT ON COLUMN rating.event_keys.content IS 'A hash of the event. The same key with different content is refused.';
ALTER TABLE ONLY rating.event_keys ADD CONSTRAINT event_keys_pkey PRIMARY KEY (organization_id, key);
CREATE INDEX event_keys_by_age ON rating.event_keys USING brin (received_at);
ALTER TABLE rating.event_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.event_keys TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.event_keys TO app_write;

CREATE TABLE rating.fires (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (received_at);
-- Partitions: fires_<year>_<month>, fires_default.
COMMENT ON TABLE rating.fires IS 'Fires of voters for items. Each voter lights an item once.';
ALTER TABLE ONLY rating.fires ADD CONSTRAINT fires_pkey PRIMARY KEY (event_id, received_at);
CREATE INDEX fires_by_time ON ONLY rating.fires USING btree (organization_id, received_at, event_id);
ALTER TABLE rating.fires ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.fires FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY own ON rating.fires FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));
CREATE POLICY service ON rating.fires TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.fires TO app_read;

CREATE TABLE rating.inbox (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    event_id bigint NOT NULL,
    kind rating.event_kind NOT NULL,
    voter_id rating.client_id NOT NULL,
    opponent_id rating.client_id,
    first boolean DEFAULT true NOT NULL,
    score double precision NOT NULL,
    weight smallint DEFAULT 1 NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT score_is_in_its_range CHECK (((score >= (0)::double precision) AND (score <= (
CASE
    WHEN (kind = 'slider'::rating.event_kind) THEN 100
    ELSE 1
END)::double precision))),
    CONSTRAINT votes_have_opponents CHECK (((kind = 'vote'::rating.event_kind) = (opponent_id IS NOT NULL))),
    CONSTRAINT weight_is_one_or_two CHECK ((weight = ANY (ARRAY[1, 2])))
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.2');
COMMENT ON TABLE rating.inbox IS 'Events that an item has not counted yet, one row per item. The batch that counts them deletes them.';
COMMENT ON COLUMN rating.inbox.first IS 'Of the two rows of a vote, the one by which its voter is judged.';
COMMENT ON COLUMN rating.inbox.score IS 'Vote: 1 won, 0 lost. Slider: 0 to 100. Fire: 1.';
ALTER TABLE ONLY rating.inbox ADD CONSTRAINT inbox_pkey PRIMARY KEY (organization_id, item_id, event_id);
CREATE INDEX inbox_by_age ON rating.inbox USING brin (received_at);
ALTER TABLE rating.inbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.inbox TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER mark_dirty AFTER INSERT ON rating.inbox REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION rating.mark_inbox();
GRANT SELECT ON TABLE rating.inbox TO app_write;

CREATE TABLE rating.item_fires (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL
);
COMMENT ON TABLE rating.item_fires IS 'Voters by the items that they lit, kept permanently: one fire per voter and item.';
ALTER TABLE ONLY rating.item_fires ADD CONSTRAINT item_fires_pkey PRIMARY KEY (organization_id, item_id, voter_id);
ALTER TABLE rating.item_fires ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.item_fires TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.item_fires TO app_write;

CREATE TABLE rating.item_scores (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    score double precision NOT NULL,
    rating_component double precision NOT NULL,
    slider_component double precision NOT NULL,
    fire_component double precision NOT NULL,
    reliability double precision NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    confidence double precision NOT NULL,
    provisional boolean NOT NULL,
    votes bigint NOT NULL,
    sliders bigint NOT NULL,
    fires bigint NOT NULL,
    model rating.model NOT NULL,
    model_version text NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reliability_is_a_share CHECK (((reliability >= (0)::double precision) AND (reliability <= (1)::double precision))),
    CONSTRAINT shares_of_a_hundred CHECK ((((score >= (0)::double precision) AND (score <= (100)::double precision)) AND ((rating_component >= (0)::double precision) AND (rating_component <= (100)::double precision)) AND ((slider_component >= (0)::double precision) AND (slider_component <= (100)::double precision)) AND ((fire_component >= (0)::double precision) AND (fire_component <= (100)::double precision)) AND ((confidence >= (0)::double precision) AND (confidence <= (100)::double precision))))
)
WITH (fillfactor='70');
COMMENT ON TABLE rating.item_scores IS 'The published score of an item, with its components.';
COMMENT ON COLUMN rating.item_scores.reliability IS 'The reliability of the raters, from 0 to 1. Its effect on the score depends on the model.';
COMMENT ON COLUMN rating.item_scores.mean IS 'The rating in its own units. Column deviation is its standard deviation.';
COMMENT ON COLUMN rating.item_scores.confidence IS 'From 0 to 100.';
ALTER TABLE ONLY rating.item_scores ADD CONSTRAINT item_scores_pkey PRIMARY KEY (organization_id, item_id);
ALTER TABLE ONLY rating.item_scores
    ADD CONSTRAINT item_scores_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX item_scores_by_score ON rating.item_scores USING btree (organization_id, score DESC, item_id);
ALTER TABLE rating.item_scores ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.item_scores FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON rating.item_scores FOR SELECT TO anon, authenticated USING ((NOT (organization_id IN ( SELECT rating.private_organizations() AS private_organizations))));
CREATE POLICY service ON rating.item_scores TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.item_scores TO app_read;

CREATE TABLE rating.item_stats (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    model rating.model NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    period bigint DEFAULT 0 NOT NULL,
    base_mean double precision NOT NULL,
    base_deviation double precision NOT NULL,
    score_sum double precision DEFAULT 0 NOT NULL,
    information_sum double precision DEFAULT 0 NOT NULL,
    votes bigint DEFAULT 0 NOT NULL,
    super_votes bigint DEFAULT 0 NOT NULL,
    wins bigint DEFAULT 0 NOT NULL,
    sliders bigint DEFAULT 0 NOT NULL,
    fires bigint DEFAULT 0 NOT NULL,
    slider_sum double precision DEFAULT 0 NOT NULL,
    slider_weight double precision DEFAULT 0 NOT NULL,
    base_slider_sum double precision DEFAULT 0 NOT NULL,
    base_slider_weight double precision DEFAULT 0 NOT NULL,
    fire_weight double precision DEFAULT 0 NOT NULL,
    reliability_sum double precision DEFAULT 0 NOT NULL,
    reliability_count bigint DEFAULT 0 NOT NULL,
    opponents text[] DEFAULT '{}'::text[] NOT NULL,
    slider_voters text[] DEFAULT '{}'::text[] NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT counters_count CHECK (((votes >= 0) AND ((super_votes >= 0) AND (super_votes <= votes)) AND ((wins >= 0) AND (wins <= votes)) AND (sliders >= 0) AND (fires >= 0) AND (reliability_count >= 0))),
    CONSTRAINT deviations_are_positive CHECK (((deviation > (0)::double precision) AND (base_deviation > (0)::double precision))),
    CONSTRAINT state_is_finite CHECK ((((mean - mean) = (0)::double precision) AND ((deviation - deviation) = (0)::double precision) AND ((base_mean - base_mean) = (0)::double precision) AND ((base_deviation - base_deviation) = (0)::double precision) AND ((score_sum - score_sum) = (0)::double precision) AND ((information_sum - information_sum) = (0)::double precision) AND ((slider_sum - slider_sum) = (0)::double precision) AND ((slider_weight - slider_weight) = (0)::double precision) AND ((fire_weight - fire_weight) = (0)::double precision) AND ((base_slider_sum - base_slider_sum) = (0)::double precision) AND ((base_slider_weight - base_slider_weight) = (0)::double precision) AND ((reliability_sum - reliability_sum) = (0)::double precision)))
)
WITH (fillfactor='70');
COMMENT ON TABLE rating.item_stats IS 'The statistics of an item: counters and sums. Each event is added once and never read again.';
COMMENT ON COLUMN rating.item_stats.period IS 'The period of the current sums. The base columns hold the state before it.';
COMMENT ON COLUMN rating.item_stats.score_sum IS 'bayes: the sum of weight · g(s − E) of the period.';
COMMENT ON COLUMN rating.item_stats.information_sum IS 'bayes: the sum of weight · g²E(1 − E) of the period.';
COMMENT ON COLUMN rating.item_stats.slider_sum IS 'The weighted sum of slider values, as the model interprets them.';
COMMENT ON COLUMN rating.item_stats.fire_weight IS 'The sum of fires, each weighted by its voter''s reliability.';
COMMENT ON COLUMN rating.item_stats.reliability_sum IS 'The sum of the raters'' reliabilities when their events were counted.';
COMMENT ON COLUMN rating.item_stats.opponents IS 'The first twenty opponents in id order, which suffice to check the minimum number.';
COMMENT ON COLUMN rating.item_stats.version IS 'The number of changes to this row.';
ALTER TABLE ONLY rating.item_stats ADD CONSTRAINT item_stats_pkey PRIMARY KEY (organization_id, item_id);
ALTER TABLE ONLY rating.item_stats
    ADD CONSTRAINT item_stats_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE rating.item_stats ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.item_stats TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.item_stats TO app_write;

CREATE TABLE rating.populations (
    organization_id uuid NOT NULL,
    period bigint DEFAULT 1 NOT NULL,
    period_began_at timestamp with time zone DEFAULT now() NOT NULL,
    prior_mean double precision DEFAULT 1500 NOT NULL,
    prior_deviation double precision DEFAULT 350 NOT NULL,
    slider_mean double precision DEFAULT 50 NOT NULL,
    slider_deviation double precision DEFAULT 15 NOT NULL,
    rater_deviation double precision DEFAULT 10 NOT NULL,
    noise_deviation double precision DEFAULT 15 NOT NULL,
    fires_half double precision DEFAULT 10 NOT NULL,
    honest_share double precision DEFAULT 0.9 NOT NULL,
    items bigint DEFAULT 0 NOT NULL,
    estimated_at timestamp with time zone,
    CONSTRAINT honest_share_is_a_share CHECK (((honest_share > (0)::double precision) AND (honest_share < (1)::double precision))),
    CONSTRAINT spreads_are_positive CHECK (((prior_deviation > (0)::double precision) AND (slider_deviation > (0)::double precision) AND (rater_deviation > (0)::double precision) AND (noise_deviation > (0)::double precision) AND (fires_half > (0)::double precision)))
);
COMMENT ON TABLE rating.populations IS 'Nightly estimates of an organization''s items and raters as a whole. Without a row, the columns'' defaults apply.';
COMMENT ON COLUMN rating.populations.period IS 'All batches of a period count against the ratings before it, so their order and size make no difference.';
COMMENT ON COLUMN rating.populations.prior_mean IS 'The rating of an item before its first vote. Column prior_deviation is its standard deviation.';
COMMENT ON COLUMN rating.populations.rater_deviation IS 'The standard deviation of the raters'' own means, in points of sliders.';
COMMENT ON COLUMN rating.populations.noise_deviation IS 'The standard deviation of a rater''s slider from its expected value.';
COMMENT ON COLUMN rating.populations.fires_half IS 'The number of fires that gives half of the fire component.';
COMMENT ON COLUMN rating.populations.honest_share IS 'The share of raters who do not rate at random.';
ALTER TABLE ONLY rating.populations ADD CONSTRAINT populations_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY rating.populations
    ADD CONSTRAINT populations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE rating.populations ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.populations TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.populations TO app_write;

CREATE TABLE rating.sliders (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    value double precision NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT value_is_0_to_100 CHECK (((value >= (0)::double precision) AND (value <= (100)::double precision)))
)
PARTITION BY RANGE (received_at);
-- Partitions: sliders_<year>_<month>, sliders_default.
COMMENT ON TABLE rating.sliders IS 'Values from 0 to 100 that voters gave to items.';
ALTER TABLE ONLY rating.sliders ADD CONSTRAINT sliders_pkey PRIMARY KEY (event_id, received_at);
CREATE INDEX sliders_by_time ON ONLY rating.sliders USING btree (organization_id, received_at, event_id);
ALTER TABLE rating.sliders ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.sliders FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY own ON rating.sliders FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));
CREATE POLICY service ON rating.sliders TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.sliders TO app_read;

CREATE TABLE rating.votes (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_a rating.client_id NOT NULL,
    item_b rating.client_id NOT NULL,
    winner rating.client_id NOT NULL,
    kind rating.vote_kind DEFAULT 'normal'::rating.vote_kind NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT items_differ CHECK (((item_a)::text <> (item_b)::text)),
    CONSTRAINT winner_is_one_of_the_two CHECK ((((winner)::text = (item_a)::text) OR ((winner)::text = (item_b)::text)))
)
PARTITION BY RANGE (received_at);
-- Partitions: votes_<year>_<month>, votes_default.
COMMENT ON TABLE rating.votes IS 'Votes, each for one of two items. Rows are only added, by rating.ingest and rating.ingest_requests.';
COMMENT ON COLUMN rating.votes.event_id IS 'A number of rating.event_ids, which gives the order in which events of one request count.';
COMMENT ON COLUMN rating.votes.kind IS 'A super vote counts as two votes.';
COMMENT ON COLUMN rating.votes.occurred_at IS 'The time of the vote by the client''s clock. Nothing is computed from it.';
ALTER TABLE ONLY rating.votes ADD CONSTRAINT votes_pkey PRIMARY KEY (event_id, received_at);
CREATE INDEX votes_by_time ON ONLY rating.votes USING btree (organization_id, received_at, event_id);
ALTER TABLE rating.votes ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.votes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY own ON rating.votes FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));
CREATE POLICY service ON rating.votes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.votes TO app_read;

CREATE TABLE rating.requests (
    request_id uuid NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    organization_id uuid NOT NULL,
    caller_id uuid,
    results jsonb NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT part_is_one_of_them CHECK (((part >= 1) AND (part <= parts)))
);
COMMENT ON TABLE rating.requests IS 'The results of queued requests, whose events were written after the response.';
ALTER TABLE ONLY rating.requests ADD CONSTRAINT requests_pkey PRIMARY KEY (request_id, part);
CREATE INDEX requests_by_age ON rating.requests USING brin (finished_at);
CREATE INDEX requests_of_caller ON rating.requests USING btree (caller_id) WHERE (caller_id IS NOT NULL);
ALTER TABLE rating.requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rating.requests FOR SELECT TO authenticated USING ((caller_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON rating.requests TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.requests TO app_read;

CREATE TABLE rating.score_history (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    score double precision NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    confidence double precision NOT NULL,
    provisional boolean NOT NULL,
    votes bigint NOT NULL,
    sliders bigint NOT NULL,
    fires bigint NOT NULL,
    model rating.model NOT NULL,
    model_version text NOT NULL,
    published_at timestamp with time zone NOT NULL
)
PARTITION BY RANGE (published_at);
-- Partitions: score_history_<year>_<month>, score_history_default.
COMMENT ON TABLE rating.score_history IS 'All scores that were ever published, unchanged.';
CREATE INDEX score_history_of_item ON ONLY rating.score_history USING btree (organization_id, item_id, published_at);
ALTER TABLE rating.score_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.score_history FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY published ON rating.score_history FOR SELECT TO anon, authenticated USING ((NOT (organization_id IN ( SELECT rating.private_organizations() AS private_organizations))));
CREATE POLICY service ON rating.score_history TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.score_history TO app_read;

CREATE UNLOGGED TABLE rating.voter_days (
    organization_id uuid NOT NULL,
    voter_id rating.client_id NOT NULL,
    day date NOT NULL,
    events integer NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE rating.voter_days IS 'The number of rating events of a voter in a day (UTC). Lost in a crash; the day''s count then starts at zero.';
ALTER TABLE ONLY rating.voter_days ADD CONSTRAINT voter_days_pkey PRIMARY KEY (organization_id, voter_id, day);
ALTER TABLE ONLY rating.voter_days
    ADD CONSTRAINT voter_days_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE rating.voter_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON rating.voter_days TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.voter_days TO app_write;

CREATE TABLE rating.voters (
    organization_id uuid NOT NULL,
    voter_id rating.client_id NOT NULL,
    votes bigint DEFAULT 0 NOT NULL,
    agreed bigint DEFAULT 0 NOT NULL,
    expected double precision DEFAULT 0 NOT NULL,
    log_odds double precision DEFAULT 0 NOT NULL,
    period bigint DEFAULT 0 NOT NULL,
    base_log_odds double precision DEFAULT 0 NOT NULL,
    sliders bigint DEFAULT 0 NOT NULL,
    slider_sum double precision DEFAULT 0 NOT NULL,
    slider_square_sum double precision DEFAULT 0 NOT NULL,
    residual_sum double precision DEFAULT 0 NOT NULL,
    residual_square_sum double precision DEFAULT 0 NOT NULL,
    base_sliders bigint DEFAULT 0 NOT NULL,
    base_residual_sum double precision DEFAULT 0 NOT NULL,
    base_residual_square_sum double precision DEFAULT 0 NOT NULL,
    fires bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT counters_count CHECK (((votes >= 0) AND ((agreed >= 0) AND (agreed <= votes)) AND (sliders >= 0) AND (base_sliders >= 0) AND (fires >= 0))),
    CONSTRAINT state_is_finite CHECK ((((expected - expected) = (0)::double precision) AND ((log_odds - log_odds) = (0)::double precision) AND ((base_log_odds - base_log_odds) = (0)::double precision) AND ((slider_sum - slider_sum) = (0)::double precision) AND ((slider_square_sum - slider_square_sum) = (0)::double precision) AND ((residual_sum - residual_sum) = (0)::double precision) AND ((residual_square_sum - residual_square_sum) = (0)::double precision) AND ((base_residual_sum - base_residual_sum) = (0)::double precision) AND ((base_residual_square_sum - base_residual_square_sum) = (0)::double precision)))
)
WITH (fillfactor='70');
COMMENT ON TABLE rating.voters IS 'The statistics of a rater: their use of sliders, and their agreement with other raters.';
COMMENT ON COLUMN rating.voters.agreed IS 'Votes for the item that was expected to win.';
COMMENT ON COLUMN rating.voters.expected IS 'The expected number of agreeing votes of an honest rater.';
COMMENT ON COLUMN rating.voters.log_odds IS 'The evidence of votes and sliders for an honest rater against a random one: a sum of logarithms.';
COMMENT ON COLUMN rating.voters.base_log_odds IS 'The value before the period, like the other base columns.';
COMMENT ON COLUMN rating.voters.slider_sum IS 'The sum of value − 50. Column slider_square_sum has the sum of its square. Both describe the rater''s scale.';
COMMENT ON COLUMN rating.voters.residual_sum IS 'The sum of the difference between a slider''s value and the value that the item''s other sliders predict.';
ALTER TABLE ONLY rating.voters ADD CONSTRAINT voters_pkey PRIMARY KEY (organization_id, voter_id);
ALTER TABLE ONLY rating.voters
    ADD CONSTRAINT voters_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
CREATE INDEX voters_by_person ON rating.voters USING btree (voter_id);
ALTER TABLE rating.voters ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON rating.voters FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));
CREATE POLICY own ON rating.voters FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));
CREATE POLICY service ON rating.voters TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE rating.voters TO app_read;

CREATE SEQUENCE rating.generations
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE SEQUENCE rating.event_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE VIEW rating.recent_events WITH (security_invoker='true') AS
 SELECT v.organization_id,
    v.event_id,
    'vote'::text AS type,
    (v.key)::text AS key,
    (v.voter_id)::text AS voter_id,
    (v.item_a)::text AS item_a,
    (v.item_b)::text AS item_b,
    (v.winner)::text AS winner,
    (v.kind)::text AS kind,
    NULL::text AS item_id,
    NULL::double precision AS value,
    v.occurred_at,
    v.received_at
   FROM rating.votes v
UNION ALL
 SELECT s.organization_id,
    s.event_id,
    'slider'::text AS type,
    (s.key)::text AS key,
    (s.voter_id)::text AS voter_id,
    NULL::text AS item_a,
    NULL::text AS item_b,
    NULL::text AS winner,
    NULL::text AS kind,
    (s.item_id)::text AS item_id,
    s.value,
    s.occurred_at,
    s.received_at
   FROM rating.sliders s
UNION ALL
 SELECT f.organization_id,
    f.event_id,
    'fire'::text AS type,
    (f.key)::text AS key,
    (f.voter_id)::text AS voter_id,
    NULL::text AS item_a,
    NULL::text AS item_b,
    NULL::text AS winner,
    NULL::text AS kind,
    (f.item_id)::text AS item_id,
    NULL::double precision AS value,
    f.occurred_at,
    f.received_at
   FROM rating.fires f;
COMMENT ON VIEW rating.recent_events IS 'Votes, sliders and fires as one list.';
GRANT SELECT ON TABLE rating.recent_events TO app_read;

CREATE FUNCTION rating.apply_calibration(
    organization_id uuid,
    began_at timestamp with time zone,
    calibration_id bigint,
    item_ids text[],
    item_versions bigint[],
    means double precision[],
    deviations double precision[],
    voter_ids text[],
    voter_versions bigint[],
    log_odds double precision[],
    population jsonb,
    report jsonb
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.apply_calibration IS 'Adopt a fit of all votes, except where something changed meanwhile. Returns how many items and voters adopted it.';
GRANT ALL ON FUNCTION rating.apply_calibration TO service_role;

CREATE FUNCTION rating.archive_events(
    before timestamp with time zone DEFAULT NULL::timestamp with time zone,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION rating.archive_events IS 'Move old months of counted rating events to the archive. Returns the archived and the kept partitions.';
GRANT ALL ON FUNCTION rating.archive_events TO service_role;

CREATE FUNCTION rating.begin_period(
    most integer DEFAULT 100,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.begin_period IS 'Start a new period for organizations whose period has lasted long enough and that have waiting items.';
GRANT ALL ON FUNCTION rating.begin_period TO service_role;

CREATE FUNCTION rating.change_settings(organization_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.change_settings IS 'Change how an organization''s items are rated and published. Returns its settings.';
GRANT ALL ON FUNCTION rating.change_settings TO authenticated, service_role;

CREATE FUNCTION rating.claim_dirty_items(
    most integer DEFAULT 500,
    lease_seconds integer DEFAULT 120,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(organization_id uuid, item_id text, generation bigint, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms';
COMMENT ON FUNCTION rating.claim_dirty_items IS 'Lease the next items to count or publish, the longest waiting first.';
GRANT ALL ON FUNCTION rating.claim_dirty_items TO service_role;

CREATE FUNCTION rating.content_hash(
    type text,
    voter_id text,
    item_a text,
    item_b text,
    winner text,
    kind text,
    value double precision
) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rating.content_hash IS 'Return a hash of an event''s content, to recognize a repeated event.';

CREATE FUNCTION rating.counted_sliders(
    organization_id uuid,
    before_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone,
    before_id bigint DEFAULT '9223372036854775807'::bigint,
    most integer DEFAULT 100000
) RETURNS TABLE(
    item_ids text[],
    voter_ids text[],
    items bytea,
    voters bytea,
    readings bytea,
    scanned bigint,
    last_at timestamp with time zone,
    last_id bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.counted_sliders IS 'Return a page of counted sliders: item, voter and value of each.';
GRANT ALL ON FUNCTION rating.counted_sliders TO service_role;

CREATE FUNCTION rating.counted_votes(
    organization_id uuid,
    before_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone,
    before_id bigint DEFAULT '9223372036854775807'::bigint,
    most integer DEFAULT 100000
) RETURNS TABLE(
    item_ids text[],
    voter_ids text[],
    winners bytea,
    losers bytea,
    voters bytea,
    weights bytea,
    scanned bigint,
    last_at timestamp with time zone,
    last_id bigint
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.counted_votes IS 'Return a page of votes that both of their items have counted: winner, loser, voter and weight of each.';
GRANT ALL ON FUNCTION rating.counted_votes TO service_role;

CREATE FUNCTION rating.effective_settings(organization_id uuid) RETURNS rating.settings
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.effective_settings IS 'Return an organization''s rating settings, or the defaults if none are stored.';
GRANT ALL ON FUNCTION rating.effective_settings TO service_role;

CREATE FUNCTION rating.escape_unicode(document json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rating.escape_unicode IS 'Hide the escapes of code points in a JSON document.';

CREATE FUNCTION rating.event_answer(
    index integer,
    key text,
    status text,
    event_id bigint DEFAULT NULL::bigint,
    code text DEFAULT NULL::text,
    detail text DEFAULT NULL::text
) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION rating.event_answer IS 'Return the result of one rating event: accepted, duplicate or refused.';

CREATE FUNCTION rating.events_per_day(organization_id uuid) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.events_per_day IS 'Return how many rating events of one voter an organization accepts in a day.';

CREATE FUNCTION rating.fail_items(
    organization_ids uuid[],
    item_ids text[],
    generations bigint[],
    error text,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.fail_items IS 'Schedule another attempt for items that could not be counted, and record the error. Returns their number.';
GRANT ALL ON FUNCTION rating.fail_items TO service_role;

CREATE FUNCTION rating.finish_items(
    organization_ids uuid[],
    item_ids text[],
    generations bigint[],
    publish_at timestamp with time zone[] DEFAULT NULL::timestamp with time zone[],
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.finish_items IS 'Remove counted items from the queue, unless they were marked meanwhile or have a delayed score. Returns their number.';
GRANT ALL ON FUNCTION rating.finish_items TO service_role;

CREATE FUNCTION rating.get_pipeline_status(
    organization_id uuid DEFAULT NULL::uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.get_pipeline_status IS 'Return the number and age of waiting items, published scores, the last batches and the last calibration.';
GRANT ALL ON FUNCTION rating.get_pipeline_status TO authenticated, service_role;

CREATE FUNCTION rating.honest_share(organization_id uuid) RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.honest_share IS 'Return the estimated share of raters who do not rate at random. Part of the description of a rater.';
GRANT ALL ON FUNCTION rating.honest_share TO authenticated, service_role;

CREATE FUNCTION rating.ingest(organization_id uuid, events json) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.ingest IS 'Write up to 500 votes, sliders and fires. Returns the result of each, in order.';
GRANT ALL ON FUNCTION rating.ingest TO authenticated, service_role;

CREATE FUNCTION rating.ingest_requests(requests json) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.ingest_requests IS 'Write the rating events of many queued requests at once, and store the results of each.';
GRANT ALL ON FUNCTION rating.ingest_requests TO service_role;

CREATE FUNCTION rating.is_public(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.is_public IS 'Return whether anyone may rate an organization''s items.';

CREATE FUNCTION rating.json_text(member jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rating.json_text IS 'Return the value of a JSON string, or null for any other JSON.';

CREATE FUNCTION rating.json_time(member jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.json_time IS 'Return the time in a JSON string with an offset, from 1970 to one day ahead, or null.';

CREATE FUNCTION rating.lock_periods(organization_ids uuid[], alone boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.lock_periods IS 'Lock the rating periods of organizations until the transaction ends. Exclusive with `alone`, to change them.';
GRANT ALL ON FUNCTION rating.lock_periods TO service_role;

CREATE FUNCTION rating.mark_dirty(
    organization_id uuid,
    item_ids text[],
    priority integer DEFAULT 0,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.mark_dirty IS 'Mark items to be counted or published. Returns their number.';
GRANT ALL ON FUNCTION rating.mark_dirty TO service_role;

CREATE FUNCTION rating.mark_inbox() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.mark_inbox IS 'Mark the items of new events, in one ordered statement.';

CREATE FUNCTION rating.organizations_to_calibrate(
    after uuid DEFAULT NULL::uuid,
    most integer DEFAULT 100
) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.organizations_to_calibrate IS 'Return the next organizations to calibrate: their ratings are compared with a fit of all votes.';
GRANT ALL ON FUNCTION rating.organizations_to_calibrate TO service_role;

CREATE FUNCTION rating.private_organizations() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.private_organizations IS 'Return the organizations whose scores only their members may read. For policies.';
GRANT ALL ON FUNCTION rating.private_organizations TO app_read, app_write;

CREATE FUNCTION rating.queue_figures(
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.queue_figures IS 'Return the figures of the rating queue for the health checks.';

CREATE FUNCTION rating.read_calibration_input(
    organization_id uuid,
    items_most integer DEFAULT 100000,
    voters_most integer DEFAULT 200000
) RETURNS TABLE(
    began_at timestamp with time zone,
    calibration_id bigint,
    model text,
    population jsonb,
    item_ids text[],
    item_versions bigint[],
    item_votes bigint[],
    item_fires double precision[],
    means double precision[],
    items_left_out bigint,
    voter_ids text[],
    voter_versions bigint[],
    voter_votes bigint[],
    voter_sliders bigint[]
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.read_calibration_input IS 'Return items and voters of an organization from one snapshot, with their versions.';
GRANT ALL ON FUNCTION rating.read_calibration_input TO service_role;

CREATE FUNCTION rating.read_events(
    requests rating.ingestion[]
) RETURNS TABLE(
    number integer,
    place integer,
    type text,
    key text,
    voter_id text,
    item_a text,
    item_b text,
    winner text,
    kind text,
    value double precision,
    occurred_at timestamp with time zone,
    code text,
    detail text
)
    LANGUAGE plpgsql STABLE ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan';
COMMENT ON FUNCTION rating.read_events IS 'Return the events of requests as rows, each with its own fault, if any.';

CREATE FUNCTION rating.read_items(
    organization_ids uuid[],
    item_ids text[],
    opponent_organization_ids uuid[],
    opponent_ids text[]
) RETURNS TABLE(
    mean double precision[],
    deviation double precision[],
    period bigint[],
    base_mean double precision[],
    base_deviation double precision[],
    score_sum double precision[],
    information_sum double precision[],
    votes bigint[],
    super_votes bigint[],
    wins bigint[],
    sliders bigint[],
    fires bigint[],
    slider_sum double precision[],
    slider_weight double precision[],
    base_slider_sum double precision[],
    base_slider_weight double precision[],
    fire_weight double precision[],
    reliability_sum double precision[],
    reliability_count bigint[],
    version bigint[],
    opponents json,
    slider_voters json,
    published_score double precision[],
    published_confidence double precision[],
    published_deviation double precision[],
    published_at double precision[],
    opponent_mean double precision[],
    opponent_deviation double precision[],
    opponent_period bigint[],
    opponent_base_mean double precision[],
    opponent_base_deviation double precision[],
    opponent_version bigint[]
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.read_items IS 'Return statistics and published scores of items, and the ratings of their opponents, as one row of arrays.';
GRANT ALL ON FUNCTION rating.read_items TO service_role;

CREATE FUNCTION rating.read_populations(
    organization_ids uuid[]
) RETURNS TABLE(
    organization_id uuid,
    settings jsonb,
    population jsonb,
    paused_until double precision,
    read_at double precision
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.read_populations IS 'Return settings, estimates and period of organizations.';
GRANT ALL ON FUNCTION rating.read_populations TO service_role;

CREATE FUNCTION rating.read_voters(
    organization_ids uuid[],
    voter_ids text[]
) RETURNS TABLE(
    votes bigint[],
    agreed bigint[],
    expected double precision[],
    log_odds double precision[],
    period bigint[],
    base_log_odds double precision[],
    sliders bigint[],
    slider_sum double precision[],
    slider_square_sum double precision[],
    residual_sum double precision[],
    residual_square_sum double precision[],
    base_sliders bigint[],
    base_residual_sum double precision[],
    base_residual_square_sum double precision[]
)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.read_voters IS 'Return the statistics of voters, as one row of arrays.';
GRANT ALL ON FUNCTION rating.read_voters TO service_role;

CREATE FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer DEFAULT 0) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.recount IS 'Mark an organization''s items to be counted and published again. Returns the number of items.';
GRANT ALL ON FUNCTION rating.recount TO authenticated, service_role;

CREATE FUNCTION rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.release_items IS 'Return claimed items to the queue without an attempt. Returns their number.';
GRANT ALL ON FUNCTION rating.release_items TO service_role;

CREATE FUNCTION rating.require_staff(organization_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.require_staff IS 'Refuse every caller except the service and the organization''s rating staff.';
GRANT ALL ON FUNCTION rating.require_staff TO authenticated, service_role;

CREATE FUNCTION rating.reset_ratings(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.reset_ratings IS 'Delete the statistics of an organization''s items and raters, and have all events counted again.';
GRANT ALL ON FUNCTION rating.reset_ratings TO authenticated, service_role;

CREATE FUNCTION rating.runs_ratings(organization_id uuid, caller_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.runs_ratings IS 'Return whether a person may rate for anyone and add items.';

CREATE FUNCTION rating.show_settings(organization_id uuid) RETURNS rating.settings
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.show_settings IS 'Return an organization''s rating settings, or the defaults, for callers who may see its scores.';
GRANT ALL ON FUNCTION rating.show_settings TO app_read;

CREATE FUNCTION rating.shows_scores(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.shows_scores IS 'Return whether the caller may see an organization''s scores.';
GRANT ALL ON FUNCTION rating.shows_scores TO app_read;

CREATE FUNCTION rating.take_events(
    organization_ids uuid[],
    item_ids text[],
    most integer DEFAULT 100000
) RETURNS TABLE(
    known integer[],
    numbers integer[],
    event_ids bigint[],
    kinds text[],
    voter_ids text[],
    opponent_ids text[],
    firsts boolean[],
    scores double precision[],
    weights smallint[]
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.take_events IS 'Lock items and take their uncounted events, as one row of arrays.';
GRANT ALL ON FUNCTION rating.take_events TO service_role;

CREATE FUNCTION rating.unescape_unicode(document json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rating.unescape_unicode IS 'Restore the escapes that rating.escape_unicode hid.';

CREATE FUNCTION rating.write_events(
    requests rating.ingestion[]
) RETURNS TABLE(number integer, accepted bigint, duplicates bigint, refused bigint, results jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_nestloop TO 'off'
    SET enable_seqscan TO 'off';
COMMENT ON FUNCTION rating.write_events IS 'Write the events of many requests once, each judged separately. Returns the results by request.';

CREATE FUNCTION rating.write_items(
    organization_ids uuid[],
    item_ids text[],
    mean double precision[],
    deviation double precision[],
    period bigint[],
    base_mean double precision[],
    base_deviation double precision[],
    score_sum double precision[],
    information_sum double precision[],
    votes bigint[],
    super_votes bigint[],
    wins bigint[],
    sliders bigint[],
    fires bigint[],
    slider_sum double precision[],
    slider_weight double precision[],
    base_slider_sum double precision[],
    base_slider_weight double precision[],
    fire_weight double precision[],
    reliability_sum double precision[],
    reliability_count bigint[],
    opponents text[],
    slider_voters text[],
    changed boolean[],
    published boolean[],
    score double precision[],
    rating_component double precision[],
    slider_component double precision[],
    fire_component double precision[],
    reliability double precision[],
    confidence double precision[],
    provisional boolean[],
    model text[],
    model_version text[],
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.write_items IS 'Write a batch''s results for items, and publish scores. Returns the number of published scores.';
GRANT ALL ON FUNCTION rating.write_items TO service_role;

CREATE FUNCTION rating.write_vote(organization_id uuid, caller_id uuid, is_service boolean, events json) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.write_vote IS 'Write a single vote and return its result. Returns null if rating.write_events must judge it.';

CREATE FUNCTION rating.write_voters(
    organization_ids uuid[],
    voter_ids text[],
    periods bigint[],
    votes bigint[],
    agreed bigint[],
    expected double precision[],
    log_odds double precision[],
    sliders bigint[],
    slider_sum double precision[],
    slider_square_sum double precision[],
    residual_sum double precision[],
    residual_square_sum double precision[],
    fires bigint[]
) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION rating.write_voters IS 'Add a batch''s results to the statistics of voters.';
GRANT ALL ON FUNCTION rating.write_voters TO service_role;

CREATE SCHEMA rating_archive;
COMMENT ON SCHEMA rating_archive IS 'Archived months of counted rating events. Only the owner may use it.';

CREATE SCHEMA ref;
COMMENT ON SCHEMA ref IS 'Reference data: anyone may read it, and migrations write it.';
GRANT USAGE ON SCHEMA ref TO app_read, app_write;

CREATE TABLE ref.timezones (
    name text NOT NULL
);
COMMENT ON TABLE ref.timezones IS 'IANA time zones that this server knows, updated after each migration.';
ALTER TABLE ONLY ref.timezones ADD CONSTRAINT timezones_pkey PRIMARY KEY (name);
ALTER TABLE ref.timezones ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON ref.timezones FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.timezones TO app_read;

CREATE TABLE ref.currencies (
    code character(3) NOT NULL,
    name text NOT NULL,
    decimal_places smallint NOT NULL,
    charge_min_cents bigint DEFAULT 50 NOT NULL,
    CONSTRAINT charge_min_is_positive CHECK ((charge_min_cents > 0)),
    CONSTRAINT currency_code_is_iso_4217 CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT decimal_places_are_few CHECK (((decimal_places >= 0) AND (decimal_places <= 4)))
);
COMMENT ON COLUMN ref.currencies.charge_min_cents IS 'The least amount that Stripe charges, in the smallest unit of the currency.';
ALTER TABLE ONLY ref.currencies ADD CONSTRAINT currencies_pkey PRIMARY KEY (code);
ALTER TABLE ref.currencies ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON ref.currencies FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.currencies TO app_read;

CREATE TABLE ref.countries (
    code character(2) NOT NULL,
    name text NOT NULL,
    currency character(3) NOT NULL,
    prices_include_tax boolean DEFAULT true NOT NULL,
    CONSTRAINT country_code_is_iso_3166 CHECK ((code ~ '^[A-Z]{2}$'::text))
);
COMMENT ON COLUMN ref.countries.prices_include_tax IS 'Whether displayed prices include tax, by the country''s custom. Otherwise tax is added at payment.';
ALTER TABLE ONLY ref.countries ADD CONSTRAINT countries_pkey PRIMARY KEY (code);
ALTER TABLE ONLY ref.countries
    ADD CONSTRAINT countries_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);
ALTER TABLE ref.countries ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON ref.countries FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.countries TO app_read;

CREATE TABLE ref.event_categories (
    slug text NOT NULL,
    parent_slug text,
    name text NOT NULL,
    CONSTRAINT category_slug_is_plain CHECK ((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text))
);
ALTER TABLE ONLY ref.event_categories ADD CONSTRAINT event_categories_pkey PRIMARY KEY (slug);
ALTER TABLE ONLY ref.event_categories
    ADD CONSTRAINT event_categories_parent_slug_fkey FOREIGN KEY (parent_slug) REFERENCES ref.event_categories(slug);
CREATE INDEX event_categories_parent_slug_idx ON ref.event_categories USING btree (parent_slug);
ALTER TABLE ref.event_categories ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON ref.event_categories FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.event_categories TO app_read;

CREATE TABLE ref.languages (
    code character(2) NOT NULL,
    name text NOT NULL,
    search_config regconfig NOT NULL,
    CONSTRAINT language_code_is_iso_639 CHECK ((code ~ '^[a-z]{2}$'::text))
);
COMMENT ON COLUMN ref.languages.search_config IS 'How PostgreSQL stems words of this language.';
ALTER TABLE ONLY ref.languages ADD CONSTRAINT languages_pkey PRIMARY KEY (code);
ALTER TABLE ref.languages ENABLE ROW LEVEL SECURITY;
CREATE POLICY anyone ON ref.languages FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.languages TO app_read;

CREATE TABLE ref.tax_rates (
    country character(2) NOT NULL,
    category text DEFAULT 'standard'::text NOT NULL,
    rate_bps integer NOT NULL,
    valid_from date NOT NULL,
    CONSTRAINT tax_rate_is_a_share CHECK (((rate_bps >= 0) AND (rate_bps <= 10000)))
);
COMMENT ON TABLE ref.tax_rates IS 'Value added or sales tax by country and date, in hundredths of a percent. A changed rate is a new row.';
COMMENT ON COLUMN ref.tax_rates.category IS 'A category of events with its own rate (ref.event_categories), or standard.';
ALTER TABLE ONLY ref.tax_rates ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (country, category, valid_from);
ALTER TABLE ONLY ref.tax_rates
    ADD CONSTRAINT tax_rates_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);
ALTER TABLE ref.tax_rates ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON ref.tax_rates FOR SELECT USING (true);
GRANT SELECT ON TABLE ref.tax_rates TO app_read;

CREATE SCHEMA staging;
COMMENT ON SCHEMA staging IS 'Exports of an earlier system, unchanged, and the outcome of each row.';
GRANT USAGE ON SCHEMA staging TO app_write;

CREATE TABLE staging.class_instances (
    line bigint NOT NULL,
    problem text,
    id text,
    template_id text,
    organization_id text,
    name text,
    description text,
    start_time text,
    end_time text,
    time_zone text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    status text,
    created_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY staging.class_instances ADD CONSTRAINT class_instances_pkey PRIMARY KEY (line);
CREATE INDEX instances_of_instructor ON staging.class_instances USING btree (instructor_name);
ALTER TABLE staging.class_instances ENABLE ROW LEVEL SECURITY;

CREATE TABLE staging.class_registrations (
    line bigint NOT NULL,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    status text,
    amount_paid text,
    currency text,
    payment_method text,
    registered_at text,
    cancelled_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY staging.class_registrations ADD CONSTRAINT class_registrations_pkey PRIMARY KEY (line);
CREATE INDEX registrations_of_address ON staging.class_registrations USING btree (lower(customer_email));
CREATE INDEX registrations_of_customer ON staging.class_registrations USING btree (customer_id);
ALTER TABLE staging.class_registrations ENABLE ROW LEVEL SECURITY;

CREATE TABLE staging.class_templates (
    line bigint NOT NULL,
    problem text,
    id text,
    organization_id text,
    name text,
    description text,
    category text,
    time_zone text,
    recurrence_rule text,
    start_date text,
    end_date text,
    start_time text,
    duration_minutes text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    is_active text,
    created_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY staging.class_templates ADD CONSTRAINT class_templates_pkey PRIMARY KEY (line);
CREATE INDEX templates_of_instructor ON staging.class_templates USING btree (instructor_name);
ALTER TABLE staging.class_templates ENABLE ROW LEVEL SECURITY;

CREATE TABLE staging.outcomes (
    file text NOT NULL,
    line bigint NOT NULL,
    legacy_id text,
    outcome text NOT NULL,
    reason text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT file_is_known CHECK ((file = ANY (ARRAY['class_templates'::text, 'class_instances'::text, 'class_registrations'::text, 'waitlists'::text]))),
    CONSTRAINT only_rejects_have_a_reason CHECK (((outcome = 'rejected'::text) = (reason IS NOT NULL))),
    CONSTRAINT outcome_is_known CHECK ((outcome = ANY (ARRAY['converted'::text, 'unchanged'::text, 'rejected'::text])))
);
COMMENT ON TABLE staging.outcomes IS 'The outcome of each row of the last import: exactly one per row.';
COMMENT ON COLUMN staging.outcomes.line IS 'The line of its file where the row starts, counted from 1 with the header.';
ALTER TABLE ONLY staging.outcomes ADD CONSTRAINT outcomes_pkey PRIMARY KEY (file, line);
CREATE INDEX outcomes_by_legacy_id ON staging.outcomes USING btree (file, legacy_id);
ALTER TABLE staging.outcomes ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON staging.outcomes TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE staging.outcomes TO app_write;

CREATE TABLE staging.waitlists (
    line bigint NOT NULL,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    "position" text,
    status text,
    joined_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY staging.waitlists ADD CONSTRAINT waitlists_pkey PRIMARY KEY (line);
CREATE INDEX waitlists_of_address ON staging.waitlists USING btree (lower(customer_email));
CREATE INDEX waitlists_of_customer ON staging.waitlists USING btree (customer_id);
ALTER TABLE staging.waitlists ENABLE ROW LEVEL SECURITY;

CREATE VIEW staging.parsed_instances WITH (security_invoker='true') AS
 SELECT i.line,
    i.id AS legacy_id,
    c.id,
    o.id AS organization_id,
    s.id AS series_id,
    COALESCE(i.name, s.title) AS title,
    COALESCE(i.description, s.description) AS description,
    s.category,
    COALESCE(s.language, o.language) AS language,
    z.name AS time_zone,
    c.starts_at,
    c.ends_at,
        CASE
            WHEN (i.capacity IS NULL) THEN s.capacity
            ELSE staging.parse_integer(i.capacity, 0, 1000000)
        END AS capacity,
        CASE
            WHEN (i.price IS NULL) THEN COALESCE(s.price_cents, (0)::bigint)
            ELSE staging.parse_cents(i.price, (u.decimal_places)::integer)
        END AS price_cents,
    u.code AS currency,
    i.instructor_name,
    i.location_name,
    COALESCE(i.location_city, '–'::text) AS location_city,
    s.instructor_id AS series_instructor_id,
    s.location_id AS series_location_id,
        CASE
            WHEN ((m.status = 'scheduled'::text) AND (c.ends_at <= statement_timestamp())) THEN 'completed'::text
            ELSE m.status
        END AS status,
    COALESCE(staging.parse_time(i.created_at), statement_timestamp()) AS created_at,
    (x.event_id IS NOT NULL) AS is_there,
    COALESCE(i.problem, NULLIF(concat_ws('; '::text, staging.import_problem((c.id IS NULL), 'id'::text, i.id, 'is no UUID'::text), staging.import_problem(((c.id IS NOT NULL) AND (i.line > min(i.line) OVER (PARTITION BY c.id))), 'id'::text, i.id, format('stands in line %s already'::text, min(i.line) OVER (PARTITION BY c.id))), staging.import_problem((x.organization_id <> o.id), 'id'::text, i.id, 'is that of another organization''s event'::text), staging.import_problem(((i.template_id IS NOT NULL) AND (s.id IS NULL)), 'template_id'::text, i.template_id,
        CASE
            WHEN (r.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, r.line)
        END), staging.import_problem(((o.id IS NULL) AND ((i.organization_id IS NOT NULL) OR (i.template_id IS NULL))), 'organization_id'::text, i.organization_id, 'is unknown'::text), staging.import_problem((o.id <> s.organization_id), 'organization_id'::text, i.organization_id, 'is not that of the template'::text), staging.import_problem(((COALESCE(length(COALESCE(i.name, s.title)), 0) < 1) OR (COALESCE(length(COALESCE(i.name, s.title)), 0) > 200)), 'name'::text, i.name, 'has not 1 to 200 characters'::text), staging.import_problem((NOT ops.is_line(i.name)), 'name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_text(i.description)), 'description'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((length(i.description) > 20000), 'description'::text, NULL::text, 'has more than 20000 characters'::text), staging.import_problem((c.starts_at IS NULL), 'start_time'::text, i.start_time, 'is no time with an offset'::text), staging.import_problem(((c.starts_at < '1990-01-01 00:00:00+00'::timestamp with time zone) OR (c.starts_at > '2100-01-01 00:00:00+00'::timestamp with time zone)), 'start_time'::text, i.start_time, 'is not between 1990 and 2100'::text), staging.import_problem(((i.end_time IS NOT NULL) AND (staging.parse_time(i.end_time) IS NULL)), 'end_time'::text, i.end_time, 'is no time with an offset'::text), staging.import_problem(((i.end_time IS NULL) AND (s.id IS NULL)), 'end_time'::text, NULL::text, 'is missing, and there is no template'::text), staging.import_problem((c.ends_at <= c.starts_at), 'end_time'::text, i.end_time, 'is not after start_time'::text), staging.import_problem((c.ends_at > (c.starts_at + '744:00:00'::interval)), 'end_time'::text, i.end_time, 'is more than 31 days later'::text), staging.import_problem(((o.id IS NOT NULL) AND (z.name IS NULL)), 'time_zone'::text, i.time_zone, 'is unknown'::text), staging.import_problem(((i.capacity IS NOT NULL) AND (staging.parse_integer(i.capacity, 0, 1000000) IS NULL)), 'capacity'::text, i.capacity, 'is no number from 0 to 1000000'::text), staging.import_problem(((o.id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, i.currency, 'is unknown'::text), staging.import_problem(((i.price IS NOT NULL) AND (u.code IS NOT NULL) AND (staging.parse_cents(i.price, (u.decimal_places)::integer) IS NULL)), 'price'::text, i.price, 'is no amount'::text), staging.import_problem((m.status IS NULL), 'status'::text, i.status, 'is unknown'::text), staging.import_problem((length(i.instructor_name) > 200), 'instructor_name'::text, i.instructor_name, 'is too long'::text), staging.import_problem((length(i.location_name) > 200), 'location_name'::text, i.location_name, 'is too long'::text), staging.import_problem((NOT ops.is_line(i.instructor_name)), 'instructor_name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_line(i.location_name)), 'location_name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_line(i.location_city)), 'location_city'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem(((i.created_at IS NOT NULL) AND (staging.parse_time(i.created_at) IS NULL)), 'created_at'::text, i.created_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((((staging.class_instances i
     LEFT JOIN events.series s ON ((s.id =
        CASE
            WHEN pg_input_is_valid(i.template_id, 'uuid'::text) THEN (i.template_id)::uuid
            ELSE NULL::uuid
        END)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_templates'::text) AND (g.legacy_id = i.template_id) AND (g.outcome = 'rejected'::text) AND (s.id IS NULL))) r ON (true))
     LEFT JOIN organizations.organizations o ON ((((o.id = s.organization_id) AND (i.organization_id IS NULL)) OR ((i.organization_id = (o.id)::text) OR (i.organization_id = o.slug)))))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(i.currency, (s.currency)::text, (o.currency)::text)))))
     LEFT JOIN ref.timezones z ON ((z.name = COALESCE(i.time_zone, s.time_zone, o.time_zone))))
     LEFT JOIN ( VALUES ('scheduled'::text,'scheduled'::text), ('active'::text,'scheduled'::text), ('confirmed'::text,'scheduled'::text), ('cancelled'::text,'cancelled'::text), ('canceled'::text,'cancelled'::text), ('completed'::text,'completed'::text), ('draft'::text,'draft'::text)) m(said, status) ON ((m.said = lower(COALESCE(i.status, 'scheduled'::text)))))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(i.id, 'uuid'::text) THEN (i.id)::uuid
                    ELSE NULL::uuid
                END AS id,
            staging.parse_time(i.start_time) AS starts_at,
                CASE
                    WHEN (i.end_time IS NULL) THEN (staging.parse_time(i.start_time) + make_interval(mins => s.duration_minutes))
                    ELSE staging.parse_time(i.end_time)
                END AS ends_at) c)
     LEFT JOIN events.terms x ON ((x.event_id = c.id)));
COMMENT ON VIEW staging.parsed_instances IS 'Rows of class_instances with typed values and their errors.';

CREATE VIEW staging.parsed_registrations WITH (security_invoker='true') AS
 SELECT r.line,
    r.id AS legacy_id,
    c.id,
    t.event_id,
    t.organization_id,
    c.customer_id,
    r.customer_email,
    r.customer_name,
    staging.parse_integer(COALESCE(r.seats, '1'::text), 1, 20) AS seats,
    (m.status)::events.booking_status AS status,
    (m.status = ANY (ARRAY['confirmed'::text, 'attended'::text, 'no_show'::text])) AS is_live,
    (COALESCE(p.method,
        CASE
            WHEN (staging.parse_cents(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) > 0) THEN 'card'::text
            ELSE 'none'::text
        END))::events.payment_method AS payment_method,
    staging.parse_cents(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) AS price_cents,
    u.code AS currency,
    t.policy,
    c.registered_at,
        CASE
            WHEN (m.status = ANY (ARRAY['cancelled'::text, 'refunded'::text])) THEN COALESCE(staging.parse_time(r.cancelled_at), c.registered_at)
            ELSE NULL::timestamp with time zone
        END AS cancelled_at,
    (b.id IS NOT NULL) AS is_there,
    COALESCE(r.problem, NULLIF(concat_ws('; '::text, staging.import_problem((c.id IS NULL), 'id'::text, r.id, 'is no UUID'::text), staging.import_problem(((c.id IS NOT NULL) AND (r.line > min(r.line) OVER (PARTITION BY c.id))), 'id'::text, r.id, format('stands in line %s already'::text, min(r.line) OVER (PARTITION BY c.id))), staging.import_problem((b.event_id <> t.event_id), 'id'::text, r.id, 'is that of a booking of another event'::text), staging.import_problem((t.event_id IS NULL), 'class_instance_id'::text, r.class_instance_id,
        CASE
            WHEN (j.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, j.line)
        END), staging.import_problem((c.customer_id IS NULL), 'customer_id'::text, r.customer_id, 'is no UUID'::text), staging.import_problem((f.erased_at IS NOT NULL), 'customer_id'::text, r.customer_id, 'was erased'::text), staging.import_problem(
        CASE
            WHEN ((f.id IS NULL) OR (f.erased_at IS NOT NULL) OR (t.event_id IS NULL)) THEN false
            WHEN (lower(users.verified_address(f.*)) = lower(r.customer_email)) THEN false
            ELSE (NOT organizations.has_customer(t.organization_id, f.id))
        END, 'customer_id'::text, r.customer_id, 'is that of a person who never came to this organization; give their verified address as customer_email'::text), staging.import_problem((NOT ops.is_address(r.customer_email)), 'customer_email'::text, r.customer_email, 'is no address'::text), staging.import_problem((length(r.customer_name) > 200), 'customer_name'::text, r.customer_name, 'is too long'::text), staging.import_problem(((length(r.customer_name) <= 200) AND (NOT users.is_name(r.customer_name))), 'customer_name'::text, NULL::text, 'is no name'::text), staging.import_problem(((r.seats IS NOT NULL) AND (staging.parse_integer(r.seats, 1, 20) IS NULL)), 'seats'::text, r.seats, 'is no number from 1 to 20'::text), staging.import_problem((m.status IS NULL), 'status'::text, r.status, 'is unknown'::text), staging.import_problem(((t.event_id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, r.currency, 'is unknown'::text), staging.import_problem(((u.code IS NOT NULL) AND (staging.parse_cents(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) IS NULL)), 'amount_paid'::text, r.amount_paid, 'is no amount'::text), staging.import_problem(((r.payment_method IS NOT NULL) AND (p.method IS NULL)), 'payment_method'::text, r.payment_method, 'is unknown'::text), staging.import_problem(((r.registered_at IS NOT NULL) AND (staging.parse_time(r.registered_at) IS NULL)), 'registered_at'::text, r.registered_at, 'is no time with an offset'::text), staging.import_problem(((r.cancelled_at IS NOT NULL) AND (staging.parse_time(r.cancelled_at) IS NULL)), 'cancelled_at'::text, r.cancelled_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((((staging.class_registrations r
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(r.id, 'uuid'::text) THEN (r.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN pg_input_is_valid(r.class_instance_id, 'uuid'::text) THEN (r.class_instance_id)::uuid
                    ELSE NULL::uuid
                END AS event_id,
                CASE
                    WHEN pg_input_is_valid(r.customer_id, 'uuid'::text) THEN (r.customer_id)::uuid
                    ELSE NULL::uuid
                END AS customer_id,
            COALESCE(staging.parse_time(r.registered_at), statement_timestamp()) AS registered_at) c)
     LEFT JOIN events.terms t ON ((t.event_id = c.event_id)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_instances'::text) AND (g.legacy_id = r.class_instance_id) AND (g.outcome = 'rejected'::text) AND (t.event_id IS NULL))) j ON (true))
     LEFT JOIN users.profiles f ON ((f.id = c.customer_id)))
     LEFT JOIN events.bookings b ON ((b.id = c.id)))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(r.currency, (t.currency)::text)))))
     LEFT JOIN ( VALUES ('confirmed'::text,'confirmed'::text), ('registered'::text,'confirmed'::text), ('booked'::text,'confirmed'::text), ('attended'::text,'attended'::text), ('checked_in'::text,'attended'::text), ('completed'::text,'attended'::text), ('no_show'::text,'no_show'::text), ('cancelled'::text,'cancelled'::text), ('canceled'::text,'cancelled'::text), ('refunded'::text,'refunded'::text), ('pending'::text,'expired'::text), ('pending_payment'::text,'expired'::text), ('expired'::text,'expired'::text)) m(said, status) ON ((m.said = lower(replace(COALESCE(r.status, 'confirmed'::text), '-'::text, '_'::text)))))
     LEFT JOIN ( VALUES ('none'::text,'none'::text), ('free'::text,'none'::text), ('comp'::text,'comp'::text), ('card'::text,'card'::text), ('credit_card'::text,'card'::text), ('stripe'::text,'card'::text), ('twint'::text,'twint'::text), ('wallet'::text,'wallet'::text), ('credits'::text,'pass'::text), ('pass'::text,'pass'::text), ('invoice'::text,'invoice'::text), ('bank_transfer'::text,'invoice'::text), ('cash'::text,'invoice'::text)) p(said, method) ON ((p.said = lower(r.payment_method))));
COMMENT ON VIEW staging.parsed_registrations IS 'Rows of class_registrations with typed values and their errors.';

CREATE VIEW staging.parsed_templates WITH (security_invoker='true') AS
 SELECT t.line,
    t.id AS legacy_id,
    c.id,
    o.id AS organization_id,
    t.name AS title,
    t.description,
    k.slug AS category,
    o.language,
    z.name AS time_zone,
    t.recurrence_rule AS recurrence,
    c.start_date,
    c.end_date,
    c.start_time,
    staging.parse_integer(t.duration_minutes, 10, 600) AS duration_minutes,
    staging.parse_integer(t.capacity, 0, 1000000) AS capacity,
    staging.parse_cents(COALESCE(t.price, '0'::text), (u.decimal_places)::integer) AS price_cents,
    u.code AS currency,
    t.instructor_name,
    t.location_name,
    COALESCE(t.location_city, '–'::text) AS location_city,
    COALESCE(c.is_active, true) AS is_active,
    COALESCE(staging.parse_time(t.created_at), statement_timestamp()) AS created_at,
    (s.id IS NOT NULL) AS is_there,
    COALESCE(t.problem, NULLIF(concat_ws('; '::text, staging.import_problem((c.id IS NULL), 'id'::text, t.id, 'is no UUID'::text), staging.import_problem(((c.id IS NOT NULL) AND (t.line > min(t.line) OVER (PARTITION BY c.id))), 'id'::text, t.id, format('stands in line %s already'::text, min(t.line) OVER (PARTITION BY c.id))), staging.import_problem((s.organization_id <> o.id), 'id'::text, t.id, 'is that of another organization''s series'::text), staging.import_problem((o.id IS NULL), 'organization_id'::text, t.organization_id, 'is unknown'::text), staging.import_problem(((COALESCE(length(t.name), 0) < 1) OR (COALESCE(length(t.name), 0) > 200)), 'name'::text, t.name, 'has not 1 to 200 characters'::text), staging.import_problem((NOT ops.is_line(t.name)), 'name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_text(t.description)), 'description'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((length(t.description) > 20000), 'description'::text, NULL::text, 'has more than 20000 characters'::text), staging.import_problem(((o.id IS NOT NULL) AND (z.name IS NULL)), 'time_zone'::text, t.time_zone, 'is unknown'::text), staging.import_problem((staging.parse_integer(t.duration_minutes, 10, 600) IS NULL), 'duration_minutes'::text, t.duration_minutes, 'is no number from 10 to 600'::text), staging.import_problem(((t.capacity IS NOT NULL) AND (staging.parse_integer(t.capacity, 0, 1000000) IS NULL)), 'capacity'::text, t.capacity, 'is no number from 0 to 1000000'::text), staging.import_problem(((o.id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, t.currency, 'is unknown'::text), staging.import_problem(((u.code IS NOT NULL) AND (staging.parse_cents(COALESCE(t.price, '0'::text), (u.decimal_places)::integer) IS NULL)), 'price'::text, t.price, 'is no amount'::text), staging.import_problem(((t.start_date IS NOT NULL) AND (c.start_date IS NULL)), 'start_date'::text, t.start_date, 'is no date'::text), staging.import_problem((c.start_date > '2199-12-31'::date), 'start_date'::text, t.start_date, 'is after 2199'::text), staging.import_problem(((t.end_date IS NOT NULL) AND (c.end_date IS NULL)), 'end_date'::text, t.end_date, 'is no date'::text), staging.import_problem((c.end_date < c.start_date), 'end_date'::text, t.end_date, 'is before start_date'::text), staging.import_problem(((t.start_time IS NOT NULL) AND (c.start_time IS NULL)), 'start_time'::text, t.start_time, 'is no time of day'::text), staging.import_problem(((t.is_active IS NOT NULL) AND (c.is_active IS NULL)), 'is_active'::text, t.is_active, 'is not true or false'::text), staging.import_problem((length(t.instructor_name) > 200), 'instructor_name'::text, t.instructor_name, 'is too long'::text), staging.import_problem((length(t.location_name) > 200), 'location_name'::text, t.location_name, 'is too long'::text), staging.import_problem((NOT ops.is_line(t.instructor_name)), 'instructor_name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_line(t.location_name)), 'location_name'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem((NOT ops.is_line(t.location_city)), 'location_city'::text, NULL::text, 'has control or direction characters'::text), staging.import_problem(((t.created_at IS NOT NULL) AND (staging.parse_time(t.created_at) IS NULL)), 'created_at'::text, t.created_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((staging.class_templates t
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(t.id, 'uuid'::text) THEN (t.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN ((t.start_date ~ '^\d{4}-\d\d-\d\d$'::text) AND pg_input_is_valid(t.start_date, 'date'::text)) THEN (t.start_date)::date
                    ELSE NULL::date
                END AS start_date,
                CASE
                    WHEN ((t.end_date ~ '^\d{4}-\d\d-\d\d$'::text) AND pg_input_is_valid(t.end_date, 'date'::text)) THEN (t.end_date)::date
                    ELSE NULL::date
                END AS end_date,
                CASE
                    WHEN ((t.start_time ~ '^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$'::text) AND pg_input_is_valid(t.start_time, 'time'::text)) THEN (t.start_time)::time without time zone
                    ELSE NULL::time without time zone
                END AS start_time,
                CASE
                    WHEN pg_input_is_valid(t.is_active, 'boolean'::text) THEN (t.is_active)::boolean
                    ELSE NULL::boolean
                END AS is_active) c)
     LEFT JOIN organizations.organizations o ON (((t.organization_id = (o.id)::text) OR (t.organization_id = o.slug))))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(t.currency, (o.currency)::text)))))
     LEFT JOIN ref.timezones z ON ((z.name = COALESCE(t.time_zone, o.time_zone))))
     LEFT JOIN ref.event_categories k ON ((k.slug = lower(replace(t.category, ' '::text, '-'::text)))))
     LEFT JOIN events.series s ON ((s.id = c.id)));
COMMENT ON VIEW staging.parsed_templates IS 'Rows of class_templates with typed values and their errors.';

CREATE VIEW staging.parsed_waitlists WITH (security_invoker='true') AS
 SELECT w.line,
    w.id AS legacy_id,
    c.id,
    t.event_id,
    c.customer_id,
    w.customer_email,
    w.customer_name,
    staging.parse_integer(COALESCE(w.seats, '1'::text), 1, 20) AS seats,
    staging.parse_integer(w."position", 0, 999999999) AS "position",
    (
        CASE
            WHEN ((m.status = 'waiting'::text) AND ((t.starts_at <= statement_timestamp()) OR (t.status <> 'scheduled'::events.event_status))) THEN 'expired'::text
            ELSE m.status
        END)::events.waitlist_status AS status,
    b.id AS booking_id,
    c.joined_at,
    (e.id IS NOT NULL) AS is_there,
    COALESCE(w.problem, NULLIF(concat_ws('; '::text, staging.import_problem((c.id IS NULL), 'id'::text, w.id, 'is no UUID'::text), staging.import_problem(((c.id IS NOT NULL) AND (w.line > min(w.line) OVER (PARTITION BY c.id))), 'id'::text, w.id, format('stands in line %s already'::text, min(w.line) OVER (PARTITION BY c.id))), staging.import_problem((e.event_id <> t.event_id), 'id'::text, w.id, 'is that of a wait for another event'::text), staging.import_problem((t.event_id IS NULL), 'class_instance_id'::text, w.class_instance_id,
        CASE
            WHEN (j.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, j.line)
        END), staging.import_problem((c.customer_id IS NULL), 'customer_id'::text, w.customer_id, 'is no UUID'::text), staging.import_problem((f.erased_at IS NOT NULL), 'customer_id'::text, w.customer_id, 'was erased'::text), staging.import_problem(
        CASE
            WHEN ((f.id IS NULL) OR (f.erased_at IS NOT NULL) OR (t.event_id IS NULL)) THEN false
            WHEN (lower(users.verified_address(f.*)) = lower(w.customer_email)) THEN false
            ELSE (NOT organizations.has_customer(t.organization_id, f.id))
        END, 'customer_id'::text, w.customer_id, 'is that of a person who never came to this organization; give their verified address as customer_email'::text), staging.import_problem((NOT ops.is_address(w.customer_email)), 'customer_email'::text, w.customer_email, 'is no address'::text), staging.import_problem((length(w.customer_name) > 200), 'customer_name'::text, w.customer_name, 'is too long'::text), staging.import_problem(((length(w.customer_name) <= 200) AND (NOT users.is_name(w.customer_name))), 'customer_name'::text, NULL::text, 'is no name'::text), staging.import_problem(((w.seats IS NOT NULL) AND (staging.parse_integer(w.seats, 1, 20) IS NULL)), 'seats'::text, w.seats, 'is no number from 1 to 20'::text), staging.import_problem(((w."position" IS NOT NULL) AND (staging.parse_integer(w."position", 0, 999999999) IS NULL)), 'position'::text, w."position", 'is no whole number'::text), staging.import_problem((m.status IS NULL), 'status'::text, w.status, 'is unknown'::text), staging.import_problem(((m.status = 'accepted'::text) AND (b.id IS NULL)), 'status'::text, w.status, 'needs a registration of the customer'::text), staging.import_problem(((m.status = 'waiting'::text) AND (b.id IS NOT NULL) AND (e.id IS NULL)), 'customer_id'::text, w.customer_id, 'has a registration of this class'::text), staging.import_problem(((w.joined_at IS NOT NULL) AND (staging.parse_time(w.joined_at) IS NULL)), 'joined_at'::text, w.joined_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM (((((((staging.waitlists w
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(w.id, 'uuid'::text) THEN (w.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN pg_input_is_valid(w.class_instance_id, 'uuid'::text) THEN (w.class_instance_id)::uuid
                    ELSE NULL::uuid
                END AS event_id,
                CASE
                    WHEN pg_input_is_valid(w.customer_id, 'uuid'::text) THEN (w.customer_id)::uuid
                    ELSE NULL::uuid
                END AS customer_id,
            COALESCE(staging.parse_time(w.joined_at), statement_timestamp()) AS joined_at) c)
     LEFT JOIN events.terms t ON ((t.event_id = c.event_id)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_instances'::text) AND (g.legacy_id = w.class_instance_id) AND (g.outcome = 'rejected'::text) AND (t.event_id IS NULL))) j ON (true))
     LEFT JOIN users.profiles f ON ((f.id = c.customer_id)))
     LEFT JOIN events.waitlist_entries e ON ((e.id = c.id)))
     LEFT JOIN events.bookings b ON (((b.event_id = t.event_id) AND (b.customer_id = c.customer_id) AND (NOT b.guest) AND (b.status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status, 'confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status])))))
     LEFT JOIN ( VALUES ('waiting'::text,'waiting'::text), ('active'::text,'waiting'::text), ('notified'::text,'waiting'::text), ('offered'::text,'waiting'::text), ('promoted'::text,'accepted'::text), ('accepted'::text,'accepted'::text), ('converted'::text,'accepted'::text), ('expired'::text,'expired'::text), ('cancelled'::text,'left'::text), ('canceled'::text,'left'::text), ('left'::text,'left'::text), ('removed'::text,'left'::text)) m(said, status) ON ((m.said = lower(COALESCE(w.status, 'waiting'::text)))));
COMMENT ON VIEW staging.parsed_waitlists IS 'Rows of waitlists with typed values and their errors.';

CREATE VIEW staging.rejects WITH (security_invoker='true') AS
 SELECT (file || '.csv'::text) AS file,
    line,
    legacy_id,
    reason
   FROM staging.outcomes o
  WHERE (outcome = 'rejected'::text);
COMMENT ON VIEW staging.rejects IS 'Rows of the last import that were rejected: file, line, reason.';
GRANT SELECT ON TABLE staging.rejects TO app_write;

CREATE FUNCTION staging.convert_instances() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION staging.convert_instances IS 'Convert class instances to events, with their ids, seats and series.';

CREATE FUNCTION staging.convert_registrations() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION staging.convert_registrations IS 'Convert class registrations to bookings, with their ids.';

CREATE FUNCTION staging.convert_templates() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION staging.convert_templates IS 'Convert class templates to series, with their ids.';

CREATE FUNCTION staging.convert_waitlists() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION staging.convert_waitlists IS 'Convert waits of the export to waitlist entries, with their ids, in the order of their positions.';

CREATE FUNCTION staging.forget_erased() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.forget_erased IS 'Clear the names and addresses of erased people in the rows of an import.';

CREATE FUNCTION staging.import_problem(is_wrong boolean, name text, text_value text, what text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.import_problem IS 'Return the fault of an imported value in words, or null.';

CREATE FUNCTION staging.make_people(customer_ids uuid[], emails text[], names text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.make_people IS 'Create the missing profiles of customers in valid rows.';

CREATE FUNCTION staging.make_places(
    organization_ids uuid[],
    instructors text[],
    locations text[],
    cities text[]
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.make_places IS 'Create the missing instructors and locations that rows name.';

CREATE FUNCTION staging.parse_cents(amount text, decimal_places integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.parse_cents IS 'Return an amount such as 12.50 in the smallest unit of its currency, or null if it is invalid.';

CREATE FUNCTION staging.parse_integer(text_value text, least_value integer, most_value integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.parse_integer IS 'Return a text as a whole number between two bounds, or null if it is invalid.';

CREATE FUNCTION staging.parse_time(text_value text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.parse_time IS 'Return a text as a point in time, or null if it is invalid.';

CREATE FUNCTION staging.verify_import(counts jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION staging.verify_import IS 'Check that an import lost no row, and raise if it did.';

CREATE SCHEMA users;
COMMENT ON SCHEMA users IS 'Profiles of people.';
GRANT USAGE ON SCHEMA users TO app_read, app_write;

CREATE TABLE users.profiles (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    email text,
    name text,
    language character(2) DEFAULT 'en'::bpchar NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_at timestamp with time zone,
    email_verified_at timestamp with time zone,
    former_emails text[],
    email_changed_at timestamp with time zone,
    CONSTRAINT email_can_be_written CHECK (ops.is_address(email)),
    CONSTRAINT erased_has_no_former_address CHECK (((erased_at IS NULL) OR (former_emails IS NULL))),
    CONSTRAINT erased_means_nameless CHECK (((erased_at IS NULL) OR ((email IS NULL) AND (name IS NULL)))),
    CONSTRAINT name_is_legible CHECK (users.is_name(name))
);
COMMENT ON COLUMN users.profiles.id IS 'The subject of the person''s token.';
COMMENT ON COLUMN users.profiles.email_verified_at IS 'When the address was last verified. Null: never, and then it is not used. Read addresses by users.verified_address.';
COMMENT ON COLUMN users.profiles.former_emails IS 'Earlier verified addresses in lower case, kept for 90 days after the last change. Erasure finds imported rows by them.';
COMMENT ON COLUMN users.profiles.email_changed_at IS 'When a verified address last replaced another one.';
ALTER TABLE ONLY users.profiles ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);
ALTER TABLE ONLY users.profiles
    ADD CONSTRAINT profiles_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);
CREATE INDEX erased_profiles ON users.profiles USING btree (erased_at) WHERE (erased_at IS NOT NULL);
CREATE INDEX former_emails_by_age ON users.profiles USING btree (email_changed_at) WHERE (former_emails IS NOT NULL);
CREATE INDEX profiles_language_idx ON users.profiles USING btree (language);
ALTER TABLE users.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users.profiles FOR SELECT TO authenticated USING ((id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON users.profiles TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER describe_renamed AFTER UPDATE OF name, email, email_verified_at ON users.profiles FOR EACH ROW WHEN ((((old.name IS DISTINCT FROM new.name) OR (old.email IS DISTINCT FROM new.email)) OR (old.email_verified_at IS DISTINCT FROM new.email_verified_at))) EXECUTE FUNCTION organizations.describe_renamed();
GRANT SELECT ON TABLE users.profiles TO app_read, app_write;

CREATE TABLE users.erasure_requests (
    user_id uuid NOT NULL,
    requested_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT erasure_is_due_later CHECK ((due_at > requested_at))
);
COMMENT ON TABLE users.erasure_requests IS 'People who will be erased when their request is due. Deleting the row cancels it.';
ALTER TABLE ONLY users.erasure_requests ADD CONSTRAINT erasure_requests_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY users.erasure_requests
    ADD CONSTRAINT erasure_requests_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX erasure_requests_by_time ON users.erasure_requests USING btree (due_at);
ALTER TABLE users.erasure_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users.erasure_requests FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON users.erasure_requests TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE users.erasure_requests TO app_read, app_write;

CREATE TABLE users.calendar_addresses (
    user_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT secret_is_hashed CHECK ((length(secret_hash) = 32))
);
COMMENT ON TABLE users.calendar_addresses IS 'The secret address of a person''s calendar. Creating another replaces it, deleting the row revokes it.';
COMMENT ON COLUMN users.calendar_addresses.secret_hash IS 'SHA-256 of 256 random bits.';
ALTER TABLE ONLY users.calendar_addresses ADD CONSTRAINT calendar_address_is_unique UNIQUE (secret_hash);
ALTER TABLE ONLY users.calendar_addresses ADD CONSTRAINT calendar_addresses_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY users.calendar_addresses
    ADD CONSTRAINT calendar_addresses_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
ALTER TABLE users.calendar_addresses ENABLE ROW LEVEL SECURITY;

CREATE TABLE users.consents (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    purpose text NOT NULL,
    granted boolean NOT NULL,
    wording text,
    source text NOT NULL,
    decided_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT consent_names_its_wording CHECK (((NOT granted) OR (wording IS NOT NULL))),
    CONSTRAINT purpose_is_known CHECK ((purpose = ANY (ARRAY['newsletter'::text, 'offers'::text, 'surveys'::text]))),
    CONSTRAINT source_is_known CHECK ((source = ANY (ARRAY['profile'::text, 'unsubscribe_link'::text]))),
    CONSTRAINT wording_is_a_version CHECK ((wording ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'::text))
);
ALTER TABLE users.consents ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME users.consents_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
COMMENT ON TABLE users.consents IS 'Decisions of people about marketing. The latest one of a person, organization and purpose holds. Rows are only added.';
COMMENT ON COLUMN users.consents.wording IS 'The version of the text that the person accepted. Null for a withdrawal.';
ALTER TABLE ONLY users.consents ADD CONSTRAINT consents_pkey PRIMARY KEY (id);
ALTER TABLE ONLY users.consents
    ADD CONSTRAINT consents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;
ALTER TABLE ONLY users.consents
    ADD CONSTRAINT consents_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX consents_of_organization ON users.consents USING btree (organization_id);
CREATE INDEX consents_of_person ON users.consents USING btree (user_id, organization_id, purpose, id);
ALTER TABLE users.consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users.consents FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON users.consents TO service_role USING (true) WITH CHECK (true);
CREATE TRIGGER refuse_change BEFORE UPDATE ON users.consents FOR EACH ROW EXECUTE FUNCTION users.refuse_consent_change();
GRANT SELECT ON TABLE users.consents TO app_read, app_write;

CREATE TABLE users.exports (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    user_id uuid NOT NULL,
    status text DEFAULT 'requested'::text NOT NULL,
    requested_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    ready_at timestamp with time zone,
    expires_at timestamp with time zone,
    size_bytes bigint,
    CONSTRAINT export_attempts_count CHECK ((attempts >= 0)),
    CONSTRAINT export_status_is_known CHECK ((status = ANY (ARRAY['requested'::text, 'ready'::text, 'failed'::text]))),
    CONSTRAINT ready_export_has_a_file CHECK (((status = 'ready'::text) = ((ready_at IS NOT NULL) AND (expires_at IS NOT NULL) AND (size_bytes IS NOT NULL))))
);
COMMENT ON TABLE users.exports IS 'Requests of people for a file with everything about them. The file is in a bucket, named by the id.';
COMMENT ON COLUMN users.exports.attempts IS 'The number of attempts of workers. A later attempt ends earlier ones.';
COMMENT ON COLUMN users.exports.expires_at IS 'The end of the links to the file. The bucket deletes it afterwards.';
ALTER TABLE ONLY users.exports ADD CONSTRAINT exports_pkey PRIMARY KEY (id);
ALTER TABLE ONLY users.exports
    ADD CONSTRAINT exports_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;
CREATE INDEX exports_in_progress ON users.exports USING btree (requested_at) WHERE (status = 'requested'::text);
CREATE INDEX exports_of_user ON users.exports USING btree (user_id, requested_at);
CREATE UNIQUE INDEX one_requested_export ON users.exports USING btree (user_id) WHERE (status = 'requested'::text);
ALTER TABLE users.exports ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users.exports FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));
CREATE POLICY service ON users.exports TO service_role USING (true) WITH CHECK (true);
GRANT SELECT ON TABLE users.exports TO app_read, app_write;

CREATE FUNCTION users.is_name(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION users.is_name IS 'Return whether a text is valid as a name: one line of 1 to 200 characters, at least one of them visible.';

CREATE FUNCTION users.verified_address(profile users.profiles) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION users.verified_address IS 'Return a person''s verified e-mail address, or null.';

CREATE FUNCTION users.add_consent(
    user_id uuid,
    organization_id uuid,
    purpose text,
    granted boolean,
    wording text,
    source text
) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.add_consent IS 'Add a decision about marketing, unless the latest one is the same.';

CREATE FUNCTION users.cancel_erasure() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.cancel_erasure IS 'Cancel the scheduled erasure of the caller.';
GRANT ALL ON FUNCTION users.cancel_erasure TO authenticated, service_role;

CREATE FUNCTION users.claim_export(
    lease_seconds integer,
    attempts_most integer DEFAULT 5,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS TABLE(id uuid, user_id uuid, attempt integer)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.claim_export IS 'Lease the oldest requested export to a worker; no row if none is waiting.';
GRANT ALL ON FUNCTION users.claim_export TO service_role;

CREATE FUNCTION users.create_calendar_address(secret_hash bytea) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.create_calendar_address IS 'Give the caller''s calendar a secret address, and revoke the former one.';
GRANT ALL ON FUNCTION users.create_calendar_address TO authenticated, service_role;

CREATE FUNCTION users.edit_profile(name text DEFAULT NULL::text, language text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.edit_profile IS 'Change the caller''s name or language; null leaves a value unchanged.';
GRANT ALL ON FUNCTION users.edit_profile TO authenticated, service_role;

CREATE FUNCTION users.erase_due(
    after_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone,
    after_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.erase_due IS 'Erase the next person whose requested erasure is due.';
GRANT ALL ON FUNCTION users.erase_due TO service_role;

CREATE FUNCTION users.erase_profile(user_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.erase_profile IS 'Erase a person: end their bookings and memberships, pay out their credits, delete their data.';
GRANT ALL ON FUNCTION users.erase_profile TO authenticated, service_role;

CREATE FUNCTION users.erasure_payload(user_id uuid, organization_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION users.erasure_payload IS 'Return the message to an organization that a person whom it knew was erased.';

CREATE FUNCTION users.export_rows(user_id uuid, table_name text, most integer DEFAULT 100000) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC';
COMMENT ON FUNCTION users.export_rows IS 'Return the rows about a person in one table, as ops.export_rules finds them.';
GRANT ALL ON FUNCTION users.export_rows TO service_role;

CREATE FUNCTION users.export_tables() RETURNS TABLE(table_name text, reason text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.export_tables IS 'Return the tables of a person''s export in order, and the tables that it leaves out with reasons.';
GRANT ALL ON FUNCTION users.export_tables TO service_role;

CREATE FUNCTION users.finish_export(
    export_id uuid,
    attempt integer,
    size_bytes bigint,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.finish_export IS 'Record that the file of an export is stored; returns whether it counted.';
GRANT ALL ON FUNCTION users.finish_export TO service_role;

CREATE FUNCTION users.token_address(claims jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.token_address IS 'Return the verified e-mail address of a token''s claims, or null.';

CREATE FUNCTION users.token_issued_at(claims jsonb) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION users.token_issued_at IS 'Return when the token with these claims was issued, or null if they do not include it.';

CREATE FUNCTION users.is_current(profile users.profiles, claims jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION users.is_current IS 'Return whether a profile needs no update from the token and is not erased.';

CREATE FUNCTION users.is_erased(user_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.is_erased IS 'Return whether a person was erased.';

CREATE FUNCTION users.own_profile() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.own_profile IS 'Return the caller''s profile, which the first call creates from the claims.';
GRANT ALL ON FUNCTION users.own_profile TO authenticated, service_role;

CREATE FUNCTION users.refuse_consent_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.refuse_consent_change IS 'Refuse every update of a consent, for every caller.';

CREATE FUNCTION users.refuse_erased() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.refuse_erased IS 'Refuse a caller who was erased.';

CREATE FUNCTION users.request_erasure() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.request_erasure IS 'Schedule the erasure of the caller in seven days, and return what it will do.';
GRANT ALL ON FUNCTION users.request_erasure TO authenticated, service_role;

CREATE FUNCTION users.request_export() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.request_export IS 'Request a file with everything about the caller, at most once in 24 hours.';
GRANT ALL ON FUNCTION users.request_export TO authenticated, service_role;

CREATE FUNCTION users.revoke_calendar_address() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.revoke_calendar_address IS 'Revoke the secret address of the caller''s calendar.';
GRANT ALL ON FUNCTION users.revoke_calendar_address TO authenticated, service_role;

CREATE FUNCTION users.scheduled_erasure_payload(request users.erasure_requests) RETURNS jsonb
    LANGUAGE sql STABLE;
COMMENT ON FUNCTION users.scheduled_erasure_payload IS 'Return the message to a person whose erasure is scheduled.';

CREATE FUNCTION users.set_consent(organization_id uuid, purpose text, granted boolean, wording text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.set_consent IS 'Record the caller''s decision about marketing of an organization for a purpose.';
GRANT ALL ON FUNCTION users.set_consent TO authenticated, service_role;

CREATE FUNCTION users.sweep_erased(
    after timestamp with time zone DEFAULT '-infinity'::timestamp with time zone,
    at timestamp with time zone DEFAULT statement_timestamp()
) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.sweep_erased IS 'Erase the next person again who was erased in the last 90 days or still has credits.';
GRANT ALL ON FUNCTION users.sweep_erased TO service_role;

CREATE FUNCTION users.sync_profile(user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.sync_profile IS 'Create the caller''s profile from the claims, or update its address.';

CREATE FUNCTION users.visited_organizations(user_id uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.visited_organizations IS 'Return the organizations that a person came to, which receive the message of the erasure.';

CREATE FUNCTION users.withdraw_consents(user_id uuid, organization_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp';
COMMENT ON FUNCTION users.withdraw_consents IS 'Withdraw a person''s consents to the marketing of an organization, by a link in one of its e-mails.';

ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON FUNCTIONS FROM PUBLIC;
