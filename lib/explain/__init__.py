"""Maps of what a network looks at, and what tells whether such a map can be believed (S4.10-S4.12)."""
