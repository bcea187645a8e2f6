-- Schedules and queues write by routines alone, as everybody does: what a stolen token of the service could overwrite
-- otherwise is who owns an organization, what the platform takes, and whom an alert reaches. Settings without a routine
-- are the owner's to write.

revoke insert, update, delete on
organizations.organizations, organizations.locations, organizations.instructors, organizations.policies,
organizations.memberships, organizations.payout_settings,
users.profiles,
messaging.notifications, messaging.deliveries,
ops.rate_limit_rules, ops.partition_policies, ops.alert_rules, ops.alert_recipients, ops.job_runs,
ops.performance_metrics, ops.performance_metrics_hourly, ops.health_checks
from app_write;
