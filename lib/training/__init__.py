"""Training: closed and small. Everything here is part of every run's key."""
