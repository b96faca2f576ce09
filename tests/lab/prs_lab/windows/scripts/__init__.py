"""Models of PowerShell scripts and programs, registered with `models.script`, `models.program` and `models.executable`."""
