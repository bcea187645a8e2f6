"""The row-security walk: every table and partition, tried by every audience. docs/row-security.md tells how to read it.

python -m tests.database.walk        prints the lines that the tables of expectations lack, as observed
"""
