"""The format of data and log files: pages, records, file header, boot page, system tables, virtual log files."""
