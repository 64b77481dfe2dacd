"""What a million rows, a thousand versions and two busy branches cost, beside DVC."""
