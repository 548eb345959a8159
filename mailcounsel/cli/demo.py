"""`mailcounsel demo`: watch a letter become an answered case."""
