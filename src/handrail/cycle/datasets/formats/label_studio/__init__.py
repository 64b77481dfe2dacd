"""Label Studio: its configuration, tasks, annotations and predictions, both ways."""
