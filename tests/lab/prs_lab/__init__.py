"""The laboratory: twins of Windows and SQL Server hosts that answer real clients on the real wires."""
