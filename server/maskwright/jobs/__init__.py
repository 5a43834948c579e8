"""The queue: priorities, supersede, cancel, progress, deadlines."""
