"""Tests of the room app/identity."""
