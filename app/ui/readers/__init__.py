"""Readers of opened records that are no images: chart, document, table; all in the header frame of the viewer."""
