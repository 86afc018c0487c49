"""What is caught, delivered through a storm; see docs/storm.md."""
