"""Runs a SAM template on one machine: gateway, functions, queues, schedules, and an embedded PostgreSQL."""
