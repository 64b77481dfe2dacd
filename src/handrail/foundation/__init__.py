"""What everything stands on; knows nothing of labels, models or reviews."""
