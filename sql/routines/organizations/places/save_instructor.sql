-- organizations.save_instructor: create an instructor, or change or archive one.
--
-- Without an id it creates an instructor. `changes` has columns of organizations.instructors by name, and `archived`. A
-- missing member keeps its value. A linked profile belongs to a member of the organization. For editors, admins and
-- owners, and for the service. Records the change, without names. Locks the organization's row. Returns the instructor.
--
-- Refuses: 404 organization_not_found, 404 instructor_not_found, 403 forbidden, 409 too_many_places, 422
-- invalid_request.

create or replace function organizations.save_instructor(
    organization_id uuid, changes jsonb, instructor_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := organizations.lock_organization(
        save_instructor.organization_id, 'editor', 'admin', 'owner'
    );
    former organizations.instructors;
    edited organizations.instructors;
    unrecorded constant text[] := array['name', 'bio', 'calendar_changes'];
begin
    if changes ->> 'user_id' is not null and not exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where m.user_id = (changes ->> 'user_id')::uuid and m.organization_id = the_organization.id
    ) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', jsonb_build_array(
                    jsonb_build_object(
                        'path', array['body', 'user_id'], 'kind', 'unknown', 'message', 'This person is not a member of the organization. Invite them first.'
                    )
                )
            )::text;
    end if;

    if save_instructor.instructor_id is null then
        perform organizations.limit_places(
            (select count(*) from organizations.instructors as r where r.organization_id = the_organization.id)
        );
        edited := jsonb_populate_record(null::organizations.instructors, jsonb_strip_nulls(changes));
        insert into organizations.instructors as r (organization_id, user_id, name, bio)
        values (the_organization.id, edited.user_id, edited.name, edited.bio)
        returning r.* into edited;
        perform organizations.record_change(
            the_organization.id, 'instructor.created', edited.id, null, to_jsonb(edited) - unrecorded
        );
        return to_jsonb(edited) - 'calendar_changes';
    end if;

    select r.* into former
    from organizations.instructors as r
    where r.id = save_instructor.instructor_id and r.organization_id = the_organization.id;

    if not found then
        raise exception using errcode = 'PT404', message = 'instructor_not_found';
    end if;

    edited := jsonb_populate_record(former, changes);
    update organizations.instructors as r
    set
        user_id = edited.user_id,
        name = edited.name,
        bio = edited.bio,
        archived_at = case
            when (changes ->> 'archived')::boolean then coalesce(former.archived_at, statement_timestamp())
            when not (changes ->> 'archived')::boolean then null
            else former.archived_at
        end
    where r.id = former.id
    returning r.* into edited;

    perform organizations.record_change(
        the_organization.id, 'instructor.changed', former.id,
        to_jsonb(former) - unrecorded, to_jsonb(edited) - unrecorded
    );
    return to_jsonb(edited) - 'calendar_changes';
end;
$$;

comment on function organizations.save_instructor(uuid, jsonb, uuid) is
'Create an instructor, or change or archive one. Returns the instructor.';

grant execute on function organizations.save_instructor(uuid, jsonb, uuid) to authenticated, service_role;
