-- rating.leaderboard: published scores with their places; equal scores share one.
--
-- Ask for one organization: places are counted within it.

create or replace view rating.leaderboard
with (security_invoker = true)
as
select
    rank() over (partition by s.organization_id order by s.score desc) as rank,
    s.*
from rating.item_scores as s;

comment on view rating.leaderboard is 'Published scores with their places within their organization.';

grant select on rating.leaderboard to app_read;
