"""Queries: from the trees of `parse.syntax` to SQLite, and back to T-SQL's types.

In SQLite a value is stored as: NULL; INTEGER (integers, bit, decimals without a fraction); REAL (other numbers); BLOB
(binary); TEXT (strings, uniqueidentifier in upper case, and times as `YYYY-MM-DD HH:MM:SS.ffffff`, date as
`YYYY-MM-DD`, datetimeoffset with its ` +HH:MM`).
"""
