"""Databases, logs and backup media as bytes on disks: README.md says how they look and what is not imitated."""
