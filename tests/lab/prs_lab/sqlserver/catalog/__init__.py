"""What SQL Server knows of itself: `store` keeps it in the databases, the rest shows it as views and functions."""
