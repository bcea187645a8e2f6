-- Insert public ratings, and ratings of a sister organization that only its members see. Each person has rated.
insert into rating.settings (organization_id) values (%(organization)s);

insert into organizations.organizations (id, slug, name, country, currency, time_zone)
values (%(hidden_sister)s, 'sister-of-' || %(organization)s, 'Sister', 'CH', 'CHF', 'Europe/Zurich');

insert into organizations.memberships (organization_id, user_id, role)
values
(%(hidden_sister)s, %(organization_owner)s, 'owner'),
(%(hidden_sister)s, %(organization_viewer)s, 'viewer');

insert into rating.settings (organization_id, public) values (%(hidden_sister)s, false);

insert into rating.populations (organization_id) values (%(organization)s);

insert into rating.votes (event_id, organization_id, key, voter_id, item_a, item_b, winner)
select nextval('rating.event_ids'), %(organization)s, 'vote ' || p, p, 'dawn', 'dusk', 'dusk'
from unnest(%(people)s::text[]) as p;

insert into rating.sliders (event_id, organization_id, key, voter_id, item_id, value)
select nextval('rating.event_ids'), %(organization)s, 'slider ' || p, p, 'dawn', 50
from unnest(%(people)s::text[]) as p;

insert into rating.fires (event_id, organization_id, key, voter_id, item_id)
select nextval('rating.event_ids'), %(organization)s, 'fire ' || p, p, 'dawn'
from unnest(%(people)s::text[]) as p;

insert into rating.event_keys (organization_id, key, content)
select %(organization)s, 'vote ' || p, 1
from unnest(%(people)s::text[]) as p;

insert into rating.item_fires (organization_id, item_id, voter_id)
select %(organization)s, 'dawn', p
from unnest(%(people)s::text[]) as p;

insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, score)
select f.organization_id, f.item_id, f.event_id, 'fire', f.voter_id, 1
from rating.fires as f
where f.organization_id = %(organization)s;

insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)
values (%(organization)s, 'dawn', 'bayes', 1500, 350, 1500, 350);

insert into rating.voters (organization_id, voter_id)
select %(organization)s, p
from unnest(%(people)s::text[]) as p;

insert into rating.voter_days (organization_id, voter_id, day, events)
select %(organization)s, p, current_date, 1
from unnest(%(people)s::text[]) as p;

insert into rating.item_scores (
    organization_id, item_id, score, rating_component, slider_component, fire_component, reliability, mean, deviation,
    confidence, provisional, votes, sliders, fires, model, model_version
)
select o, 'dawn', 50, 50, 50, 50, 1, 1500, 350, 50, false, 5, 5, 5, 'bayes', 'bayes-1'
from unnest(array[%(organization)s, %(hidden_sister)s]) as o;

insert into rating.score_history (
    organization_id, item_id, score, mean, deviation, confidence, provisional, votes, sliders, fires, model,
    model_version, published_at
)
select
    s.organization_id, s.item_id, s.score, s.mean, s.deviation, s.confidence, s.provisional, s.votes, s.sliders,
    s.fires, s.model, s.model_version, s.published_at
from rating.item_scores as s
where s.organization_id in (%(organization)s, %(hidden_sister)s);

insert into rating.requests (request_id, part, parts, organization_id, caller_id, results)
select gen_random_uuid(), 1, 1, %(organization)s, p, '[]'
from unnest(%(people)s::uuid[]) as p;

insert into rating.calibrations (
    organization_id, began_at, items, votes, applied, before, after, mean_difference, largest_difference
)
values (%(organization)s, now(), 1, 1, 1, '{}', '{}', 0, 0);
