"""Run the row-security walk: every audience tries every table and partition. See docs/concepts/security.md.

python -m tests.kit.walk        prints the missing lines of the tables of expectations, as observed
"""
