"""BACKUP, RESTORE and DBCC CHECKDB as statements: checks, messages, progress, history. What moves the bytes is in
`storage`.
"""
