"""The twin of the Password Reset Server web application: its files, its wizard, its page, its database."""
