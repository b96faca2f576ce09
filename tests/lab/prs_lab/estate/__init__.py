"""The estate: which hosts there are, how they reach each other, what lies on their media, and the daemon that holds it
all.
"""
