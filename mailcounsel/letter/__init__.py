"""What a letter is: reading, folding, writing. Pure: no store, no keys, no network."""
