"""Words as data, and the small language their phrases are written in."""
