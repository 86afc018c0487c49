"""Faults that are played against the agent: what is broken, how often, and what must hold."""
