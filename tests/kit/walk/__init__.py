"""The row-security walk: every table and partition, tried by every audience. See docs/concepts/security.md.

python -m tests.kit.walk        prints the lines that the tables of expectations lack, as observed
"""
