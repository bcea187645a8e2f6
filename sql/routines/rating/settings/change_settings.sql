-- rating.change_settings: change how an organization's items are rated and published.
--
-- `changes` has the changed columns of rating.settings. A missing column keeps its value. If a publishing rule changes,
-- all items are checked again, including scores that an old pause delays. A new model applies to items that are rated
-- from now on; rating.reset_ratings applies it to all. Locks the organization's settings, then marks of items in order.
-- Returns the new settings.
--
-- Refuses: 401 unauthenticated, 404 organization_not_found, 403 forbidden (admins, owners and the service may),
-- 422 invalid_request.

create or replace function rating.change_settings(organization_id uuid, changes jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_settings rating.settings;
    is_wrong boolean;
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not exists (select from organizations.organizations as o where o.id = change_settings.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if not organizations.caller_is(change_settings.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

    insert into rating.settings (organization_id)
    values (change_settings.organization_id)
    on conflict on constraint settings_pkey do nothing;

    select s.* into the_settings
    from rating.settings as s
    where s.organization_id = change_settings.organization_id
    for update;

    begin
        is_wrong := jsonb_typeof(change_settings.changes) is distinct from 'object' or exists (
            select
            from jsonb_each(change_settings.changes) as c (name, value)
            where
                c.name in ('organization_id', 'updated_at')
                or not to_jsonb(the_settings) ? c.name
                or c.value = 'null' and c.name <> 'paused_until'
        );
        the_settings := jsonb_populate_record(the_settings, change_settings.changes);
        is_wrong := is_wrong or isfinite(the_settings.paused_until) is false or exists (
            select from unnest(the_settings.tiers) as t (tier) where t.tier not between 0 and 100
        );

        if not is_wrong then
            update rating.settings as s
            set
                model = the_settings.model,
                public = the_settings.public,
                rating_weight = the_settings.rating_weight,
                slider_weight = the_settings.slider_weight,
                fire_weight = the_settings.fire_weight,
                votes_least = the_settings.votes_least,
                opponents_least = the_settings.opponents_least,
                sliders_least = the_settings.sliders_least,
                slider_voters_least = the_settings.slider_voters_least,
                score_step = the_settings.score_step,
                confidence_step = the_settings.confidence_step,
                deviation_step = the_settings.deviation_step,
                tiers = the_settings.tiers,
                pause_seconds = the_settings.pause_seconds,
                paused_until = the_settings.paused_until,
                period_seconds = the_settings.period_seconds,
                events_per_voter_and_day = the_settings.events_per_voter_and_day,
                updated_at = now()
            where s.organization_id = change_settings.organization_id
            returning s.* into the_settings;
        end if;
    exception
        when data_exception or check_violation or not_null_violation then
            is_wrong := true;
    end;

    if is_wrong then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The settings are not valid. Send known settings within their limits; the weights must sum'
                ' to 1.'
            )::text;
    end if;

    if change_settings.changes - '{model,public,period_seconds,events_per_voter_and_day}'::text[] <> '{}' then
        perform rating.mark_dirty(
            organization_id => change_settings.organization_id,
            item_ids => array(
                select i.item_id
                from rating.item_stats as i
                where i.organization_id = change_settings.organization_id
            )
        );
    end if;

    return to_jsonb(the_settings) - 'updated_at';
end;
$$;

comment on function rating.change_settings(uuid, jsonb) is
'Change how an organization''s items are rated and published. Returns its settings.';

grant execute on function rating.change_settings(uuid, jsonb) to authenticated, service_role;
