"""The SQL Server twin: one `instance.Instance` per SQL Server, on the real TDS wire, with databases that are real
files.
"""
