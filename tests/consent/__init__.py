"""Tests of the room app/consent."""
