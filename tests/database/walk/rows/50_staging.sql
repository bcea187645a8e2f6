-- Insert one line of each file of an earlier system's export.
insert into staging.class_templates (line, organization_id)
select count(*), %(organization)s::text from staging.class_templates;

insert into staging.class_instances (line, organization_id)
select count(*), %(organization)s::text from staging.class_instances;

insert into staging.class_registrations (line, class_instance_id)
select count(*), %(event)s::text from staging.class_registrations;

insert into staging.waitlists (line, class_instance_id)
select count(*), %(event)s::text from staging.waitlists;

insert into staging.outcomes (file, line, legacy_id, outcome)
select 'class_instances', count(*), %(event)s::text, 'converted' from staging.outcomes;
