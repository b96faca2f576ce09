"""Files as BACKUP writes them: Microsoft Tape Format with SQL Server's own records, plain or compressed."""
