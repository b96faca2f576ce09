"""Database mirroring between instances of one lab; README.md tells the files and what is not imitated."""
