"""What a person types: one file a noun, no logic."""
