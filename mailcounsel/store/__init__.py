"""What is kept, and how: rows, engines, queries by noun, migrations. Never clear text."""
