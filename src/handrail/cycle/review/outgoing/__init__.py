"""What is told to other systems: web hooks and the stream of events."""
