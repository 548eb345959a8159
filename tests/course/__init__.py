"""A whole course of twelve weeks, played through real mail with a clock that is moved."""
