"""The rehearsal of a user's own estate: his inventory is read, a laboratory of the same hosts, names, paths and variables is
made, and a disaster is lived through in it.
"""
