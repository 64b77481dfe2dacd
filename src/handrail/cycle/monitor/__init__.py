"""Watches what arrives: a profile of each day, an alarm when it differs, people brought in."""

from handrail.cycle.monitor.model import Alarm, Profile
from handrail.cycle.monitor.service import Monitor

__all__ = ["Alarm", "Monitor", "Profile"]
