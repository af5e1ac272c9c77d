"""Gives out, withholds or destroys a record's key: index, journal, release, and both ends of its messages."""
